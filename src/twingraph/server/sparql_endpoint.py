"""The SPARQL endpoint: the query operation of the SPARQL 1.1 Protocol (section 2.1) as a plain ASGI application.

Asked nothing, it describes itself to a client that takes a format for graphs (SPARQL 1.1 Service Description).
"""

import asyncio
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from twingraph.errors import NotAcceptableError, QueryError, RequestError, TwingraphError
from twingraph.rdf.formats import GRAPHS, HTML, RESULTS
from twingraph.server.http.access_log import hash_of
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.negotiation import answer_formats
from twingraph.server.http.openapi import IRI, TEXT, Document, content_of, format_parameter, operation, parameter
from twingraph.server.http.problems import status_of
from twingraph.server.http.request import FORM, HttpRequest
from twingraph.server.pages.pages import query_page
from twingraph.server.pages.rendering import MOST_ROWS, Renderer
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.protocol import DIRECT, ProtocolRequest, RawRequest, media_type_of, read_protocol
from twingraph.server.query.respond import PreparedQuery, prepare, respond, respond_or_page, table
from twingraph.server.query.service_description import ServiceDescription

_CONTENT = content_of((*RESULTS, *GRAPHS, HTML))
_REFUSED = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_ACCEPTABLE)
# A longer request (bytes) is not worth remembering: looking it up takes as long as reading it.
_LONG = 20_000


class SparqlEndpoint:
    """Answers queries about the current release; ``query_bytes`` bounds the body of a request."""

    def __init__(
        self, current: CurrentRelease, renderer: Renderer, description: ServiceDescription, query_bytes: int
    ) -> None:
        self._current, self._renderer, self._query_bytes = current, renderer, query_bytes
        self._description = description
        self.route = AsgiRoute("/sparql", self._respond, _get(), _post())

    async def _respond(self, request: HttpRequest) -> ASGIApp:
        raw = await self._raw(request)
        served = self._current.required()
        # Who asks what was asked before gets past all reading of it.
        key = (served.release.id, raw) if raw.size < _LONG else None
        if key and (prepared := served.cache.get(key, PreparedQuery)):
            return await respond(served, prepared, request)
        asked = await read_protocol(raw)
        if asked.text is None:
            return await self._without_query(served, asked, request)
        try:
            formats = answer_formats(asked.preference)
        except NotAcceptableError:
            request.log.query = hash_of(asked.text)
            raise
        if formats.has_page:
            request.log.query = hash_of(asked.text)
            page = partial(self._page, served, asked, request)
            return await respond_or_page(served, asked, formats, request, page)
        prepared = prepare(served, asked, formats)
        if key:
            served.cache.put(key, prepared)
        return await respond(served, prepared, request)

    async def _without_query(self, served: ServedRelease, asked: ProtocolRequest, request: HttpRequest) -> ASGIApp:
        """Return the description, or the page with a box for a query; raises QueryError for who takes neither."""
        wanted = asked.preference.choose_or_none((*GRAPHS, HTML)) if request.method != "POST" else None
        if wanted == HTML:
            return query_page(self._renderer.view(served, request))
        if wanted not in GRAPHS:
            raise QueryError("there is no query: give one as the parameter `query`")
        return await self._description.respond(request)

    async def _page(self, served: ServedRelease, asked: ProtocolRequest, request: HttpRequest) -> Response:
        text, view = asked.text or "", self._renderer.view(served, request)
        try:
            answer = await table(served, asked, MOST_ROWS + 1, request)
        except TwingraphError as error:
            return query_page(view, text, error=error, status=status_of(error))
        return query_page(view, text, answer)

    async def _raw(self, request: HttpRequest) -> RawRequest:
        address, accept = request.query_string, request.field(b"accept")
        if request.method in ("GET", "HEAD"):
            return RawRequest(address, accept)
        media_type = media_type_of(request.field(b"content-type"))
        return RawRequest(address, accept, media_type, await self._body(request))

    async def _body(self, request: HttpRequest) -> bytes:
        seconds = self._current.required().limits.request_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._content(request)
        except TimeoutError:
            slow = f"the request was not there after {seconds:g} seconds"
            raise RequestError(HTTPStatus.REQUEST_TIMEOUT, slow, {"Connection": "close"}) from None

    async def _content(self, request: HttpRequest) -> bytes:
        content = bytearray()
        async for chunk in Request(request.scope, request.receive).stream():
            content += chunk
            if len(content) > self._query_bytes:
                limit = f"a query may have {self._query_bytes} bytes at most"
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit, {"Connection": "close"})
        return bytes(content)


def _get() -> Document:
    text = "a query in SPARQL 1.1; without it, the page or the service description is given"
    return operation(
        "Answer a query", _CONTENT, [parameter("query", TEXT, text), *_dataset(), *format_parameter()], _REFUSED
    )


def _post() -> Document:
    graphs = {"type": "array", "items": IRI}
    form = {
        "type": "object",
        "required": ["query"],
        "properties": {"query": TEXT, "default-graph-uri": graphs, "named-graph-uri": graphs, "format": TEXT},
    }
    body = {
        DIRECT: {"schema": TEXT, "example": "SELECT * { ?s ?p ?o } LIMIT 5"},
        FORM: {"schema": form},
    }
    failures = (*_REFUSED, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    described = operation("Answer the query in the body", _CONTENT, [*_dataset(), *format_parameter()], failures)
    return {**described, "requestBody": {"required": True, "content": body}}


def _dataset() -> list[Document]:
    graphs = {"type": "array", "items": IRI}
    return [
        parameter("default-graph-uri", graphs, "a graph of the release that belongs to the default graph"),
        parameter("named-graph-uri", graphs, "a named graph of the dataset"),
    ]
