"""Saved queries over HTTP: their list, and a URL for each of them that takes its parameters."""

from functools import partial
from http import HTTPStatus

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from twingraph.errors import TwingraphError, UnknownNameError
from twingraph.publication.saved_queries import SavedQuery
from twingraph.rdf.formats import GRAPHS, HTML, RESULTS
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.negotiation import Preference, answer_formats, preference_of
from twingraph.server.http.openapi import (
    TEXT,
    Document,
    content_of,
    format_parameter,
    json_content,
    operation,
    parameter,
)
from twingraph.server.http.problems import status_of
from twingraph.server.http.request import HttpRequest, parameters
from twingraph.server.pages.pages import queries_page, saved_query_page
from twingraph.server.pages.rendering import MAX_ROWS, Renderer
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.respond import respond_or_page, table


class SavedQueries:
    """Responds at ``/queries`` and ``/queries/{name}``."""

    def __init__(self, current: CurrentRelease, renderer: Renderer) -> None:
        self._current, self._renderer = current, renderer

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the routes to the list and to each query."""
        listed = {**json_content({}, "array"), **content_of((HTML,))}
        return (
            AsgiRoute("/queries", self._list, operation("List the saved queries", listed, format_parameter())),
            AsgiRoute("/queries/{name}", self._run, _run_operation()),
        )

    async def _list(self, request: HttpRequest) -> Response:
        """Return the list, as a page or as JSON."""
        served = self._current.required()
        if (
            preference_of(request, dict(await parameters(request.query_string))).choose_or_none(
                (*RESULTS, *GRAPHS, HTML)
            )
            == HTML
        ):
            return queries_page(self._renderer.view(served, request))
        headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
        return JSONResponse([_summary(query) for query in served.queries.values()], headers=headers)

    async def _run(self, request: HttpRequest) -> ASGIApp:
        """Return the results of a saved query; raises UnknownNameError, ParameterError and what `respond` raises."""
        served, query_name = self._current.required(), request.path_params["name"]
        if query_name not in served.queries:
            raise UnknownNameError("query", query_name, served.queries)
        saved = served.queries[query_name]
        query_parameters = dict(await parameters(request.query_string))
        values = {name: value for name, value in query_parameters.items() if name not in ("format", "lang")}
        formats = answer_formats(preference_of(request, query_parameters))
        page = partial(self._page, served, request, saved, values)
        if formats.data is None:
            return await page()
        return await respond_or_page(served, _operation(served, saved, values), formats, request, page)

    async def _page(
        self, served: ServedRelease, request: HttpRequest, saved: SavedQuery, values: dict[str, str]
    ) -> Response:
        view = self._renderer.view(served, request)
        missing = [one.name for one in saved.parameters if one.default is None and one.name not in values]
        if missing and not values:
            return saved_query_page(view, saved, values)
        try:
            answer = await table(served, _operation(served, saved, values), MAX_ROWS + 1, request)
        except TwingraphError as error:
            return saved_query_page(view, saved, values, error=error, status=status_of(error))
        return saved_query_page(view, saved, values, answer)


def _operation(served: ServedRelease, saved: SavedQuery, values: dict[str, str]) -> ProtocolRequest:
    return ProtocolRequest(saved.bind(values, served.release.manifest.iris), Preference())


def _summary(query: SavedQuery) -> dict[str, object]:
    parameters = [
        {"name": one.name, "type": one.type, "default": one.default, "description": one.description}
        for one in query.parameters
    ]
    facts = {"name": query.name, "title": query.title, "description": query.description, "tags": list(query.tags)}
    return {**facts, "parameters": parameters, "url": f"/queries/{query.name}"}


def _run_operation() -> Document:
    name = parameter("name", TEXT, "the name of a saved query", where="path")
    values: Document = {
        "name": "parameters",
        "in": "query",
        "description": "the parameters of the query, as the list of saved queries gives them",
        "schema": {"type": "object", "additionalProperties": TEXT},
    }
    return operation(
        "Run a saved query with the parameters in the URL",
        content_of((*RESULTS, *GRAPHS, HTML)),
        [name, values, *format_parameter()],
        (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE),
    )
