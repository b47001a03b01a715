"""Reading a query operation of the SPARQL 1.1 Protocol (section 2.1) out of a request."""

from collections.abc import Sequence
from email.message import Message
from http import HTTPStatus
from typing import NamedTuple

from twingraph.errors import QueryError, RequestError
from twingraph.rdf.formats import FORMATS
from twingraph.server.http.negotiation import Preference
from twingraph.server.http.request import FORM, parameters

DIRECT = "application/sparql-query"
_UPDATE = "application/sparql-update"
_FORMAT_NAMES = {name for one in FORMATS for name in (one.name, one.extension, one.media_type, *one.aliases)}
_UTF_8 = ("utf-8", "utf8", "us-ascii")
# A Content-Type is a media type and perhaps a charset.
_LONGEST_TYPE = 500
_READ_ONLY = "this endpoint is read-only: it answers queries and takes no updates"


class RawRequest(NamedTuple):
    """A request as it came: all that its answer depends on, the release apart; ``body`` is None without one.

    It is the key under which the query that was prepared for it is cached.
    """

    query_string: bytes
    accept: bytes
    media_type: str = ""
    body: bytes | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.query_string) + len(self.accept) + len(self.body or b"")


class ProtocolRequest(NamedTuple):
    """A query operation as a request gives it: ``text`` is None when it has no query."""

    text: str | None
    preference: Preference
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


def media_type_of(content_type: bytes) -> str:
    """Return the media type of a body that holds a query.

    Raises RequestError for any other, and for a charset but UTF-8, of which the protocol leaves no choice
    (section 2.1.3).
    """
    if len(content_type) > _LONGEST_TYPE:
        raise _unsupported(f"a Content-Type may have {_LONGEST_TYPE} bytes at most")
    given = content_type.decode("latin-1")
    message = Message()
    message["Content-Type"] = given
    media_type = given.partition(";")[0].strip().lower()
    charset = (message.get_content_charset() or "utf-8").lower()
    if media_type == _UPDATE:
        raise RequestError(HTTPStatus.FORBIDDEN, _READ_ONLY)
    if media_type not in (FORM, DIRECT):
        raise _unsupported(f"send a query as {FORM} or {DIRECT}, not {media_type or 'without a Content-Type'}")
    if charset not in _UTF_8:
        raise _unsupported(f"send a query in UTF-8, not in {charset}")
    return media_type


async def read_protocol(raw: RawRequest) -> ProtocolRequest:
    """Return the operation of a request; raises QueryError or RequestError."""
    accept = raw.accept.decode("latin-1")
    address = _operation(await parameters(raw.query_string), accept)
    if raw.body is None:
        return address
    if raw.media_type == FORM:
        # The parameters of a form stand in its body (section 2.1.2), so what the address asks is asked besides.
        form = _operation(await parameters(raw.body), accept)
        if address.text is not None and form.text is not None:
            raise QueryError("one query only: it stands in the form and in the address")
        return form if form.preference.format else form._replace(preference=address.preference)
    if address.text is not None:
        raise QueryError("one query only: it stands in the body and in the address")
    try:
        text = raw.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    return address._replace(text=text if text.strip() else None)


def _unsupported(detail: str) -> RequestError:
    return RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Post": f"{FORM}, {DIRECT}"})


def _operation(pairs: Sequence[tuple[str, str]], accept: str) -> ProtocolRequest:
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
    return ProtocolRequest(text, Preference(accept, _format(found["format"])), default, named)


def _format(names: Sequence[str]) -> str:
    """Return the first name of a format that is known: SPARQLWrapper gives two, of which servers know one or other."""
    given = [name.strip() for name in names if name.strip()]
    return next((name for name in given if name.lower() in _FORMAT_NAMES), given[0] if given else "")
