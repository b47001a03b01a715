"""Saved queries over HTTP: their list, and each at an address of its own with its parameters."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twingraph.errors import TwingraphError, UnknownNameError
from twingraph.saved import SavedQuery
from twingraph.server.answers import prepare, respond, solutions
from twingraph.server.current_release import CurrentRelease, ServedRelease
from twingraph.server.pages import MOST_ROWS, Pages
from twingraph.server.problems import status_of
from twingraph.server.wishes import wish
from twingraph.sparql.query import Query, read_query


class SavedQueries:
    """Answers for ``/queries`` and ``/queries/{name}``."""

    def __init__(self, current: CurrentRelease, pages: Pages) -> None:
        self._current, self._pages = current, pages

    async def list(self, request: Request) -> Response:
        """Return what can be asked, as a page or as JSON."""
        serving = self._current.serving
        if wish(request).is_page:
            return self._pages.queries(serving, request)
        headers = {"Vary": "Accept", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
        return JSONResponse([_about(query) for query in serving.queries.values()], headers=headers)

    async def run(self, request: Request, name: str) -> Response:
        """Return the answer to a saved query; raises UnknownNameError, ParameterError and what a query raises."""
        serving = self._current.serving
        if name not in serving.queries:
            raise UnknownNameError("query", name, serving.queries)
        saved = serving.queries[name]
        values = {key: value for key, value in request.query_params.items() if key not in ("format", "lang")}
        wished = wish(request)
        if wished.is_page:
            return await self._page(serving, request, saved, values)
        query = _query(serving, saved, values)
        format_ = wished.for_answer(gives_graph=query.form.gives_graph)
        return await respond(serving, prepare(serving, query, format_), request)

    async def _page(
        self, serving: ServedRelease, request: Request, saved: SavedQuery, values: dict[str, str]
    ) -> Response:
        needed = [one.name for one in saved.parameters if one.default is None and one.name not in values]
        if needed and not values:
            return self._pages.saved_query(serving, request, saved, values)
        try:
            query = _query(serving, saved, values)
            rows = await solutions(serving, query, MOST_ROWS + 1, request)
        except TwingraphError as error:
            return self._pages.saved_query(serving, request, saved, values, error=error, status=status_of(error))
        return self._pages.saved_query(serving, request, saved, values, query=query, rows=rows)


def _query(serving: ServedRelease, saved: SavedQuery, values: dict[str, str]) -> Query:
    manifest = serving.release.manifest
    return read_query(saved.bind(values, manifest.iris), manifest.prefixes, manifest.base_iri)


def _about(query: SavedQuery) -> dict[str, object]:
    parameters = [
        {"name": one.name, "type": one.type, "default": one.default, "description": one.description}
        for one in query.parameters
    ]
    facts = {"name": query.name, "title": query.title, "description": query.description, "tags": list(query.tags)}
    return {**facts, "parameters": parameters, "url": f"/queries/{query.name}"}
