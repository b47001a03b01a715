"""The SPARQL endpoint: the query operation of the SPARQL 1.1 Protocol (section 2.1) as a plain ASGI application.

Asked nothing, it describes itself to a client that names a format for graphs (SPARQL 1.1 Service Description).
"""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import TwingraphError
from twingraph.formats import HTML
from twingraph.server.access_log import hash_of, note
from twingraph.server.answers import FOR_ALL, prepare, respond, solutions
from twingraph.server.current_release import CurrentRelease, ServedRelease
from twingraph.server.description import Descriptions, is_wanted
from twingraph.server.operation import Asked, Operation, media_type_of, read_operation
from twingraph.server.pages import MOST_ROWS, Pages
from twingraph.server.plain_route import PlainRoute
from twingraph.server.problems import RequestError, status_of
from twingraph.server.wishes import header
from twingraph.sparql.query import Query

_METHODS = "GET, HEAD, POST, OPTIONS"
# Reading a longer request (bytes) takes longer than handing it to a thread; and it is not worth remembering.
_LONG = 20_000
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class SparqlEndpoint(PlainRoute):
    """Answers queries about the current release; ``query_bytes`` bounds the body of a request."""

    everywhere = FOR_ALL

    def __init__(self, current: CurrentRelease, pages: Pages, descriptions: Descriptions, query_bytes: int) -> None:
        self._current, self._pages, self._query_bytes = current, pages, query_bytes
        self._descriptions = descriptions

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": _METHODS, **_CORS})
        asked = await self._asked(request)
        serving = self._current.serving
        # Who asks what was asked before gets past all reading of it.
        if prepared := serving.prepared.get(asked):
            return await respond(serving, prepared, request)
        operation = read_operation(asked)
        if operation.text is not None:
            note(request).query = hash_of(operation.text)
        if operation.wish.is_page:
            return await self._page(serving, operation, request)
        if operation.text is None and is_wanted(operation.wish):
            return await self._descriptions.respond(request)
        query = await _read(operation, serving)
        format_ = operation.wish.for_answer(gives_graph=query.form.gives_graph)
        if format_.name == HTML.name:
            return await self._page(serving, operation, request)
        prepared = prepare(serving, query, format_)
        if asked.size < _LONG:
            serving.prepared.put(asked, prepared)
        return await respond(serving, prepared, request)

    async def _asked(self, request: Request) -> Asked:
        address, accept = request.scope["query_string"], header(request, b"accept")
        if request.method in ("GET", "HEAD"):
            return Asked(address, accept)
        if request.method != "POST":
            allowed = {"Allow": _METHODS}
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, f"ask with one of {_METHODS}", allowed)
        media_type = media_type_of(header(request, b"content-type"))
        return Asked(address, accept, media_type, await self._body(request))

    async def _body(self, request: Request) -> bytes:
        seconds = self._current.serving.limits.request_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._content(request)
        except TimeoutError:
            slow = f"the request was not there after {seconds:g} seconds"
            raise RequestError(HTTPStatus.REQUEST_TIMEOUT, slow, {"Connection": "close"}) from None

    async def _content(self, request: Request) -> bytes:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > self._query_bytes:
                limit = f"a query may have {self._query_bytes} bytes at most"
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit, {"Connection": "close"})
        return bytes(content)

    async def _page(self, serving: ServedRelease, operation: Operation, request: Request) -> Response:
        if operation.text is None:
            return self._pages.query(serving, request)
        try:
            query = await _read(operation, serving)
            rows = await solutions(serving, query, MOST_ROWS + 1, request)
        except TwingraphError as error:
            return self._pages.query(serving, request, operation.text, error=error, status=status_of(error))
        return self._pages.query(serving, request, operation.text, query=query, rows=rows)


async def _read(operation: Operation, serving: ServedRelease) -> Query:
    """Return the query of an operation; a long text is read on a thread, so that others are answered meanwhile."""
    manifest = serving.release.manifest
    if operation.text is None or len(operation.text) < _LONG:
        return operation.query(manifest)
    return await asyncio.to_thread(operation.query, manifest)
