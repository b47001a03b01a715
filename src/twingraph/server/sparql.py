"""The SPARQL endpoint: the query operation of the SPARQL 1.1 Protocol (section 2.1) as a plain ASGI application."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twingraph.errors import QueryError, TwingraphError
from twingraph.formats import HTML
from twingraph.query_text import Query, read_query
from twingraph.server.answers import Wish, offered, respond, solutions, wish
from twingraph.server.pages import Pages
from twingraph.server.problems import RequestError, problem, status_of
from twingraph.server.releases import CurrentRelease, Serving

_FORM = "application/x-www-form-urlencoded"
_DIRECT = "application/sparql-query"
_METHODS = "GET, HEAD, POST, OPTIONS"
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


class SparqlEndpoint:
    """Answers queries about the current release; ``query_bytes`` bounds the body of a request."""

    def __init__(self, current: CurrentRelease, pages: Pages, query_bytes: int) -> None:
        self._current, self._pages, self._query_bytes = current, pages, query_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every failure is a problem document."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except (TwingraphError, RequestError) as error:
            response = problem(error)
        except ClientDisconnect:
            return
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": _METHODS, **_CORS})
        operation = await self._operation(request)
        serving = self._current.serving
        if operation.wish.is_page:
            return await self._page(serving, operation, request)
        query = operation.query(serving)
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
        return _operation(parse_qsl(request.url.query, keep_blank_values=True), wish(request))

    async def _from_body(self, request: Request) -> Operation:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in (_FORM, _DIRECT):
            expected = f"send a query as {_FORM} or {_DIRECT}, not {media_type or 'without a Content-Type'}"
            raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, expected, {"Accept-Post": f"{_FORM}, {_DIRECT}"})
        text = await self._body(request)
        if media_type == _FORM:
            return _operation(parse_qsl(text, keep_blank_values=True), wish(request))
        address = await self._from_address(request)
        if address.text is not None:
            raise QueryError("one query only: it stands in the body and in the address")
        return replace(address, text=text)

    async def _body(self, request: Request) -> str:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > self._query_bytes:
                limit = f"a query may have {self._query_bytes} bytes at most"
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit, {"Connection": "close"})
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise QueryError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error

    async def _page(self, serving: Serving, operation: Operation, request: Request) -> Response:
        if operation.text is None:
            return self._pages.query(serving, request)
        try:
            query = operation.query(serving)
            rows = await solutions(serving, query)
        except TwingraphError as error:
            return self._pages.query(serving, request, operation.text, error=error, status=status_of(error))
        return self._pages.query(serving, request, operation.text, query=query, rows=rows)


def _operation(pairs: Sequence[tuple[str, str]], wished: Wish) -> Operation:
    """Read the parameters of the protocol (section 2.1.4); empty ones are as good as absent."""
    found: dict[str, list[str]] = {"query": [], "default-graph-uri": [], "named-graph-uri": [], "format": []}
    for name, value in pairs:
        if name in found and value.strip():
            found[name].append(value)
    if len(found["query"]) > 1:
        raise QueryError("one query only: the parameter `query` is given more than once")
    text = found["query"][0] if found["query"] else None
    named = Wish(wished.accept, found["format"][0] if found["format"] else wished.format)
    return Operation(text, named, tuple(found["default-graph-uri"]), tuple(found["named-graph-uri"]))
