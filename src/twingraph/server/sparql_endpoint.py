"""The SPARQL endpoint: the query operation of the SPARQL 1.1 Protocol (section 2.1) as a plain ASGI application.

Without a query it returns the service description to clients that accept an RDF format (SPARQL 1.1 Service
Description), and a page with a query form to browsers.
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
from twingraph.server.pages.rendering import MAX_ROWS, Renderer
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.protocol import DIRECT, ProtocolRequest, RawRequest, media_type_of, read_protocol
from twingraph.server.query.respond import PreparedQuery, prepare, respond, respond_or_page, table
from twingraph.server.query.service_description import ServiceDescription

_CONTENT = content_of((*RESULTS, *GRAPHS, HTML))
_FAILURES = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_ACCEPTABLE)
# Requests of this size (bytes) or more are not cached: hashing one takes as long as parsing it.
_MAX_CACHED_BYTES = 20_000


class SparqlEndpoint:
    """Answers queries over the current release; ``query_bytes`` is the maximum size of a request body."""

    def __init__(
        self, current: CurrentRelease, renderer: Renderer, description: ServiceDescription, query_bytes: int
    ) -> None:
        self._current, self._renderer, self._query_bytes = current, renderer, query_bytes
        self._description = description
        self.route = AsgiRoute("/sparql", self._respond, _get(), _post())

    async def _respond(self, request: HttpRequest) -> ASGIApp:
        raw = await self._raw(request)
        served = self._current.required()
        # A request that was seen before need not be parsed again.
        key = (served.release.id, raw) if raw.size < _MAX_CACHED_BYTES else None
        if key and (prepared := served.cache.get(key, PreparedQuery)):
            return await respond(served, prepared, request)
        parsed = await read_protocol(raw)
        if parsed.text is None:
            return await self._without_query(served, parsed, request)
        try:
            formats = answer_formats(parsed.preference)
        except NotAcceptableError:
            request.log.query = hash_of(parsed.text)
            raise
        if formats.has_page:
            request.log.query = hash_of(parsed.text)
            page = partial(self._page, served, parsed, request)
            return await respond_or_page(served, parsed, formats, request, page)
        prepared = prepare(served, parsed, formats)
        if key:
            served.cache.put(key, prepared)
        return await respond(served, prepared, request)

    async def _without_query(self, served: ServedRelease, parsed: ProtocolRequest, request: HttpRequest) -> ASGIApp:
        """Return the service description or the query form; raises QueryError when neither is acceptable."""
        format_ = parsed.preference.choose_or_none((*GRAPHS, HTML)) if request.method != "POST" else None
        if format_ == HTML:
            return query_page(self._renderer.view(served, request))
        if format_ not in GRAPHS:
            raise QueryError("there is no query: send one as the parameter `query`")
        return await self._description.respond(request)

    async def _page(self, served: ServedRelease, parsed: ProtocolRequest, request: HttpRequest) -> Response:
        text, view = parsed.text or "", self._renderer.view(served, request)
        try:
            answer = await table(served, parsed, MAX_ROWS + 1, request)
        except TwingraphError as error:
            return query_page(view, text, error=error, status=status_of(error))
        return query_page(view, text, answer)

    async def _raw(self, request: HttpRequest) -> RawRequest:
        query_string, accept = request.query_string, request.field(b"accept")
        if request.method in ("GET", "HEAD"):
            return RawRequest(query_string, accept)
        media_type = media_type_of(request.field(b"content-type"))
        return RawRequest(query_string, accept, media_type, await self._body(request))

    async def _body(self, request: HttpRequest) -> bytes:
        seconds = self._current.required().limits.request_seconds
        content = bytearray()
        try:
            async with asyncio.timeout(seconds):
                async for chunk in Request(request.scope, request.receive).stream():
                    content += chunk
                    if len(content) > self._query_bytes:
                        limit = f"a query may have at most {self._query_bytes} bytes"
                        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit, {"Connection": "close"})
        except TimeoutError:
            timeout = f"the request was not complete after {seconds:g} seconds"
            raise RequestError(HTTPStatus.REQUEST_TIMEOUT, timeout, {"Connection": "close"}) from None
        return bytes(content)


def _get() -> Document:
    text = "a SPARQL 1.1 query; without one, the response is the query form or the service description"
    return operation(
        "Answer a query", _CONTENT, [parameter("query", TEXT, text), *_dataset(), *format_parameter()], _FAILURES
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
    failures = (*_FAILURES, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    described = operation("Answer the query in the body", _CONTENT, [*_dataset(), *format_parameter()], failures)
    return {**described, "requestBody": {"required": True, "content": body}}


def _dataset() -> list[Document]:
    graphs = {"type": "array", "items": IRI}
    return [
        parameter("default-graph-uri", graphs, "a graph of the release to be merged into the default graph"),
        parameter("named-graph-uri", graphs, "a named graph of the dataset"),
    ]
