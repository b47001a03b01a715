"""The SPARQL endpoint: the query operation of the SPARQL 1.1 Protocol (section 2.1) as a plain ASGI application.

Asked nothing, it describes itself to a client that names a format for graphs (SPARQL 1.1 Service Description).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from email.message import Message
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import QueryError, TwingraphError
from twingraph.formats import FORMATS, HTML
from twingraph.query_text import Query, read_query
from twingraph.server.access_log import note
from twingraph.server.answers import Wish, offered, respond, solutions, wish
from twingraph.server.description import Descriptions, is_wanted
from twingraph.server.pages import MOST_ROWS, Pages
from twingraph.server.plain_route import PlainRoute
from twingraph.server.problems import RequestError, status_of
from twingraph.server.releases import CurrentRelease, Serving

_FORM = "application/x-www-form-urlencoded"
_DIRECT = "application/sparql-query"
_FORMAT_NAMES = {name for one in FORMATS for name in (one.name, one.extension, one.media_type, *one.aliases)}
_UTF_8 = ("utf-8", "utf8", "us-ascii")
_UPDATE = "application/sparql-update"
_METHODS = "GET, HEAD, POST, OPTIONS"
# The protocol knows four parameters; nobody needs more graphs than this.
_MOST_FIELDS = 1000
# Reading a query of more characters takes longer than handing it to a thread.
_LONG_TEXT = 20_000
_READ_ONLY = "this endpoint is read-only: it answers queries and takes no updates"
_EVERYWHERE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Answer-Cut, ETag, Link, Retry-After, Twingraph-Limits",
}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A query operation as a request gives it: ``text`` is None when it asks nothing."""

    text: str | None
    wish: Wish
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    def query(self, serving: Serving) -> Query:
        """Return the query over the dataset of the request, which wins over its FROM clauses; raises QueryError."""
        if self.text is None:
            raise QueryError("there is no query: give one as the parameter `query`")
        manifest = serving.release.manifest
        query = read_query(self.text, manifest.prefixes, manifest.base_iri)
        if self.default_graphs or self.named_graphs:
            return replace(query, default_graphs=self.default_graphs, named_graphs=self.named_graphs)
        return query

    async def read(self, serving: Serving) -> Query:
        """Return the query as `query` does; a long text is read on a thread, so that others are answered meanwhile."""
        if self.text is None or len(self.text) < _LONG_TEXT:
            return self.query(serving)
        return await asyncio.to_thread(self.query, serving)


class SparqlEndpoint(PlainRoute):
    """Answers queries about the current release; ``query_bytes`` bounds the body of a request."""

    everywhere = _EVERYWHERE

    def __init__(self, current: CurrentRelease, pages: Pages, descriptions: Descriptions, query_bytes: int) -> None:
        self._current, self._pages, self._query_bytes = current, pages, query_bytes
        self._descriptions = descriptions

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": _METHODS, **_CORS})
        operation = await self._operation(request)
        if operation.text is not None:
            note(request).asked(operation.text)
        serving = self._current.serving
        if operation.wish.is_page:
            return await self._page(serving, operation, request)
        if operation.text is None and is_wanted(operation.wish):
            return await self._descriptions.respond(request)
        query = await operation.read(serving)
        format_ = operation.wish.choose(offered(query))
        if format_.name == HTML.name:
            return await self._page(serving, operation, request)
        return await respond(serving, query, format_, request)

    async def _operation(self, request: Request) -> Operation:
        readers: dict[str, Callable[[Request], Awaitable[Operation]]] = {
            "GET": self._from_address,
            "HEAD": self._from_address,
            "POST": self._from_body,
        }
        if request.method not in readers:
            allowed = {"Allow": _METHODS}
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, f"ask with one of {_METHODS}", allowed)
        return await readers[request.method](request)

    async def _from_address(self, request: Request) -> Operation:
        return _operation(_pairs(request.url.query), wish(request))

    async def _from_body(self, request: Request) -> Operation:
        media_type, charset = _content_type(request)
        if media_type == _UPDATE:
            raise RequestError(HTTPStatus.FORBIDDEN, _READ_ONLY)
        if media_type not in (_FORM, _DIRECT):
            raise _unsupported(f"send a query as {_FORM} or {_DIRECT}, not {media_type or 'without a Content-Type'}")
        if charset not in _UTF_8:
            raise _unsupported(f"send a query in UTF-8, not in {charset}")
        text = await self._body(request)
        address = await self._from_address(request)
        if media_type == _FORM:
            # The parameters of a form stand in its body (section 2.1.2), so what the address asks is asked besides.
            asked = _operation(_pairs(text), wish(request))
            if address.text is not None and asked.text is not None:
                raise QueryError("one query only: it stands in the form and in the address")
            return asked
        if address.text is not None:
            raise QueryError("one query only: it stands in the body and in the address")
        return replace(address, text=text if text.strip() else None)

    async def _body(self, request: Request) -> str:
        seconds = self._current.serving.limits.request_seconds
        try:
            async with asyncio.timeout(seconds):
                content = await self._content(request)
        except TimeoutError:
            slow = f"the request was not there after {seconds:g} seconds"
            raise RequestError(HTTPStatus.REQUEST_TIMEOUT, slow, {"Connection": "close"}) from None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise QueryError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error

    async def _content(self, request: Request) -> bytes:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > self._query_bytes:
                limit = f"a query may have {self._query_bytes} bytes at most"
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit, {"Connection": "close"})
        return bytes(content)

    async def _page(self, serving: Serving, operation: Operation, request: Request) -> Response:
        if operation.text is None:
            return self._pages.query(serving, request)
        try:
            query = await operation.read(serving)
            rows = await solutions(serving, query, MOST_ROWS + 1, request)
        except TwingraphError as error:
            return self._pages.query(serving, request, operation.text, error=error, status=status_of(error))
        return self._pages.query(serving, request, operation.text, query=query, rows=rows)


def _content_type(request: Request) -> tuple[str, str]:
    """Return the media type of a body and its charset, which the protocol leaves no choice of (section 2.1.3)."""
    message = Message()
    message["Content-Type"] = request.headers.get("content-type", "")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type, (message.get_content_charset() or "utf-8").lower()


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


def _operation(pairs: Sequence[tuple[str, str]], wished: Wish) -> Operation:
    """Read the parameters of the protocol (section 2.1.4); those of others are passed over."""
    found: dict[str, list[str]] = {
        name: [value.strip() for key, value in pairs if key == name]
        for name in ("query", "update", "default-graph-uri", "named-graph-uri", "format")
    }
    if found["update"]:
        raise RequestError(HTTPStatus.FORBIDDEN, _READ_ONLY)
    if len(found["query"]) > 1:
        raise QueryError("one query only: the parameter `query` is given more than once")
    text = next((value for key, value in pairs if key == "query" and value.strip()), None)
    named = Wish(wished.accept, _format(found["format"]) or wished.format)
    default, graphs = ([iri for iri in found[name] if iri] for name in ("default-graph-uri", "named-graph-uri"))
    return Operation(text, named, tuple(default), tuple(graphs))


def _format(names: Sequence[str]) -> str | None:
    """Return the first name of a format that is known: SPARQLWrapper gives two, of which servers know one or other."""
    return next((name for name in names if name.lower() in _FORMAT_NAMES), names[0] if names else None)
