"""The SPARQL endpoint: the query operation of the SPARQL 1.1 Protocol (section 2.1) as a plain ASGI application.

Asked nothing, it describes itself to a client that takes a format for graphs (SPARQL 1.1 Service Description).
"""

import asyncio
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import QueryError, RequestError, TwingraphError
from twingraph.rdf.formats import GRAPHS, HTML
from twingraph.server.access_log import hash_of, note
from twingraph.server.current_release import CurrentRelease, ServedRelease
from twingraph.server.http.asgi_route import PlainRoute
from twingraph.server.http.fields import field
from twingraph.server.http.negotiation import answer_formats
from twingraph.server.http.problems import status_of
from twingraph.server.pages.pages import MOST_ROWS, Pages
from twingraph.server.query.prepared import PreparedQuery
from twingraph.server.query.protocol import ProtocolRequest, RawRequest, media_type_of, read_protocol
from twingraph.server.query.respond import prepare, respond, respond_or_page, table
from twingraph.server.query.service_description import Descriptions

_METHODS = "GET, HEAD, POST, OPTIONS"
# A longer request (bytes) is not worth remembering: looking it up takes as long as reading it.
_LONG = 20_000


class SparqlEndpoint(PlainRoute):
    """Answers queries about the current release; ``query_bytes`` bounds the body of a request."""

    def __init__(self, current: CurrentRelease, pages: Pages, descriptions: Descriptions, query_bytes: int) -> None:
        self._current, self._pages, self._query_bytes = current, pages, query_bytes
        self._descriptions = descriptions

    async def _respond(self, request: Request) -> Response:
        raw = await self._raw(request)
        served = self._current.serving
        # Who asks what was asked before gets past all reading of it.
        digest = served.release.id.encode() + raw.digest() if raw.size < _LONG else b""
        if digest and (prepared := served.cache.get(digest, PreparedQuery)):
            return await respond(served, prepared, request)
        operation = await read_protocol(raw)
        if operation.text is None:
            return await self._without_query(served, operation, request)
        note(request).query = hash_of(operation.text)
        formats = answer_formats(operation.preference)
        if formats.has_page:
            page = partial(self._page, served, operation, request)
            return await respond_or_page(served, operation, formats, request, page)
        prepared = prepare(served, operation, formats)
        if digest:
            served.cache.put(digest, prepared)
        return await respond(served, prepared, request)

    async def _without_query(self, served: ServedRelease, operation: ProtocolRequest, request: Request) -> Response:
        """Return the description, or the page with a box for a query; raises QueryError for who takes neither."""
        wanted = operation.preference.choose_or_none((*GRAPHS, HTML)) if request.method != "POST" else None
        if wanted == HTML:
            return self._pages.query(served, request)
        if wanted not in GRAPHS:
            raise QueryError("there is no query: give one as the parameter `query`")
        return await self._descriptions.respond(request)

    async def _page(self, served: ServedRelease, operation: ProtocolRequest, request: Request) -> Response:
        text = operation.text or ""
        try:
            answer = await table(served, operation, MOST_ROWS + 1, request)
        except TwingraphError as error:
            return self._pages.query(served, request, text, error=error, status=status_of(error))
        return self._pages.query(served, request, text, answer)

    async def _raw(self, request: Request) -> RawRequest:
        address, accept = request.scope["query_string"], field(request.scope, b"accept")
        if request.method in ("GET", "HEAD"):
            return RawRequest(address, accept)
        if request.method != "POST":
            allowed = {"Allow": _METHODS}
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, f"ask with one of {_METHODS}", allowed)
        media_type = media_type_of(field(request.scope, b"content-type"))
        return RawRequest(address, accept, media_type, await self._body(request))

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
