"""Reading a query operation of the SPARQL 1.1 Protocol (section 2.1) out of a request, by pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import Message
from http import HTTPStatus
from urllib.parse import parse_qsl

from twingraph.errors import QueryError
from twingraph.formats import FORMATS
from twingraph.release.manifest import Manifest
from twingraph.server.problems import RequestError
from twingraph.server.wishes import Wish
from twingraph.sparql.query import Query, read_query

_FORM = "application/x-www-form-urlencoded"
_DIRECT = "application/sparql-query"
_UPDATE = "application/sparql-update"
_FORMAT_NAMES = {name for one in FORMATS for name in (one.name, one.extension, one.media_type, *one.aliases)}
_UTF_8 = ("utf-8", "utf8", "us-ascii")
# The protocol knows four parameters; nobody needs more graphs than this.
_MOST_FIELDS = 1000
_READ_ONLY = "this endpoint is read-only: it answers queries and takes no updates"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: all that its answer depends on, the release apart; ``body`` is None without one."""

    address: bytes
    accept: bytes
    media_type: str = ""
    body: bytes | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.address) + len(self.accept) + len(self.body or b"")


@dataclass(frozen=True, slots=True)
class Operation:
    """A query operation as a request gives it: ``text`` is None when it asks nothing."""

    text: str | None
    wish: Wish
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    def query(self, manifest: Manifest) -> Query:
        """Return the query over the dataset of the request, which wins over its FROM clauses; raises QueryError."""
        if self.text is None:
            raise QueryError("there is no query: give one as the parameter `query`")
        query = read_query(self.text, manifest.prefixes, manifest.base_iri)
        if self.default_graphs or self.named_graphs:
            return replace(query, default_graphs=self.default_graphs, named_graphs=self.named_graphs)
        return query


def media_type_of(content_type: bytes) -> str:
    """Return the media type of a body that holds a query.

    Raises RequestError for any other, and for a charset but UTF-8, of which the protocol leaves no choice
    (section 2.1.3).
    """
    given = content_type.decode("latin-1")
    message = Message()
    message["Content-Type"] = given
    media_type = given.partition(";")[0].strip().lower()
    charset = (message.get_content_charset() or "utf-8").lower()
    if media_type == _UPDATE:
        raise RequestError(HTTPStatus.FORBIDDEN, _READ_ONLY)
    if media_type not in (_FORM, _DIRECT):
        raise _unsupported(f"send a query as {_FORM} or {_DIRECT}, not {media_type or 'without a Content-Type'}")
    if charset not in _UTF_8:
        raise _unsupported(f"send a query in UTF-8, not in {charset}")
    return media_type


def read_operation(asked: Asked) -> Operation:
    """Return the operation of a request; raises QueryError, or RequestError for an update."""
    accept = asked.accept.decode("latin-1") or None
    address = _operation(_pairs(asked.address.decode("latin-1")), accept)
    if asked.body is None:
        return address
    try:
        text = asked.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    if asked.media_type == _FORM:
        # The parameters of a form stand in its body (section 2.1.2), so what the address asks is asked besides.
        form = _operation(_pairs(text), accept)
        if address.text is not None and form.text is not None:
            raise QueryError("one query only: it stands in the form and in the address")
        return form if form.wish.format else replace(form, wish=address.wish)
    if address.text is not None:
        raise QueryError("one query only: it stands in the body and in the address")
    return replace(address, text=text if text.strip() else None)


def _unsupported(detail: str) -> RequestError:
    return RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Post": f"{_FORM}, {_DIRECT}"})


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return the parameters of an address or a form; raises QueryError when they are not UTF-8, or far too many."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise QueryError(f"the parameters are not UTF-8: {error.reason}") from error
    except ValueError as error:
        raise QueryError(f"there are more than {_MOST_FIELDS} parameters") from error


def _operation(pairs: Sequence[tuple[str, str]], accept: str | None) -> Operation:
    """Read the parameters of the protocol (section 2.1.4); those of others are passed over."""
    found: dict[str, list[str]] = {
        "query": [],
        "update": [],
        "default-graph-uri": [],
        "named-graph-uri": [],
        "format": [],
    }
    for name, value in pairs:
        if name in found:
            found[name].append(value)
    if found["update"]:
        raise RequestError(HTTPStatus.FORBIDDEN, _READ_ONLY)
    if len(found["query"]) > 1:
        raise QueryError("one query only: the parameter `query` is given more than once")
    text = next((value for value in found["query"] if value.strip()), None)
    default, named = (
        tuple(stripped for iri in found[name] if (stripped := iri.strip()))
        for name in ("default-graph-uri", "named-graph-uri")
    )
    return Operation(text, Wish(accept, _format(found["format"])), default, named)


def _format(names: Sequence[str]) -> str | None:
    """Return the first name of a format that is known: SPARQLWrapper gives two, of which servers know one or other."""
    given = [name.strip() for name in names if name.strip()]
    return next((name for name in given if name.lower() in _FORMAT_NAMES), given[0] if given else None)
