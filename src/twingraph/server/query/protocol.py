"""Parsing of the query operation of the SPARQL 1.1 Protocol (section 2.1)."""

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
# Maximum length of a Content-Type: a media type and perhaps a charset.
_MAX_TYPE_BYTES = 500
_READ_ONLY = "this endpoint is read-only: updates are not supported"


class RawRequest(NamedTuple):
    """An unparsed request: all that its answer depends on, besides the release; ``body`` is None without one.

    It is the key of the prepared query in the cache.
    """

    query_string: bytes
    accept: bytes
    media_type: str = ""
    body: bytes | None = None

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return len(self.query_string) + len(self.accept) + len(self.body or b"")


class ProtocolRequest(NamedTuple):
    """A query operation; ``text`` is None when the request has no query."""

    text: str | None
    preference: Preference
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


def media_type_of(content_type: bytes) -> str:
    """Return the media type of a request body.

    Raises RequestError when it is not one for queries, or the charset is not UTF-8, which the protocol requires
    (section 2.1.3).
    """
    if len(content_type) > _MAX_TYPE_BYTES:
        raise _unsupported(f"a Content-Type may have at most {_MAX_TYPE_BYTES} bytes")
    text = content_type.decode("latin-1")
    message = Message()
    message["Content-Type"] = text
    media_type = text.partition(";")[0].strip().lower()
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
    in_url = _operation(await parameters(raw.query_string), accept)
    if raw.body is None:
        return in_url
    if raw.media_type == FORM:
        # All parameters belong into the form (section 2.1.2); of those in the URL, only the format is used.
        form = _operation(await parameters(raw.body), accept)
        if in_url.text is not None and form.text is not None:
            raise QueryError("send one query only: there is one in the form and one in the URL")
        return form if form.preference.format else form._replace(preference=in_url.preference)
    if in_url.text is not None:
        raise QueryError("send one query only: there is one in the body and one in the URL")
    try:
        text = raw.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    return in_url._replace(text=text if text.strip() else None)


def _unsupported(detail: str) -> RequestError:
    return RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Post": f"{FORM}, {DIRECT}"})


def _operation(pairs: Sequence[tuple[str, str]], accept: str) -> ProtocolRequest:
    """Return the operation given by the parameters of the protocol (section 2.1.4); other parameters are ignored."""
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
        raise QueryError("send one query only: the parameter `query` occurs more than once")
    text = next((value for value in found["query"] if value.strip()), None)
    default, named = (
        tuple(iri for value in found[name] if (iri := value.strip()))
        for name in ("default-graph-uri", "named-graph-uri")
    )
    return ProtocolRequest(text, Preference(accept, _format(found["format"])), default, named)


def _format(names: Sequence[str]) -> str:
    """Return the first known name of a format; SPARQLWrapper sends two, as servers know one or the other."""
    stripped = [name.strip() for name in names if name.strip()]
    return next((name for name in stripped if name.lower() in _FORMAT_NAMES), stripped[0] if stripped else "")
