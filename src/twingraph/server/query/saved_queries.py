"""Saved queries over HTTP: their list, and each at an address of its own with its parameters."""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twingraph.errors import TwingraphError, UnknownNameError
from twingraph.publication.saved_queries import RESERVED, SavedQuery
from twingraph.rdf.formats import GRAPHS, HTML, RESULTS
from twingraph.server.current_release import CurrentRelease, ServedRelease
from twingraph.server.http.forms import parameters
from twingraph.server.http.negotiation import Preference, answer_formats, preference_of
from twingraph.server.http.problems import status_of
from twingraph.server.pages.pages import MOST_ROWS, Pages
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.respond import respond_or_page, table


class SavedQueries:
    """Answers for ``/queries`` and ``/queries/{name}``."""

    def __init__(self, current: CurrentRelease, pages: Pages) -> None:
        self._current, self._pages = current, pages

    async def list(self, request: Request) -> Response:
        """Return what can be asked, as a page or as JSON."""
        serving = self._current.serving
        values = dict(await parameters(request.scope["query_string"]))
        if preference_of(request, values).choose_or_none((*RESULTS, *GRAPHS, HTML)) == HTML:
            return self._pages.queries(serving, request)
        headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
        return JSONResponse([_about(query) for query in serving.queries.values()], headers=headers)

    async def run(self, request: Request, name: str) -> Response:
        """Return the answer to a saved query; raises UnknownNameError, ParameterError and what a query raises."""
        serving = self._current.serving
        if name not in serving.queries:
            raise UnknownNameError("query", name, serving.queries)
        saved = serving.queries[name]
        given = dict(await parameters(request.scope["query_string"]))
        values = {key: value for key, value in given.items() if key not in RESERVED}
        formats = answer_formats(preference_of(request, given))
        page = partial(self._page, serving, request, saved, values)
        if formats.data is None:
            return await page()
        return await respond_or_page(serving, _operation(serving, saved, values), formats, request, page)

    async def _page(
        self, serving: ServedRelease, request: Request, saved: SavedQuery, values: dict[str, str]
    ) -> Response:
        needed = [one.name for one in saved.parameters if one.default is None and one.name not in values]
        if needed and not values:
            return self._pages.saved_query(serving, request, saved, values)
        try:
            answer = await table(serving, _operation(serving, saved, values), MOST_ROWS + 1, request)
        except TwingraphError as error:
            return self._pages.saved_query(serving, request, saved, values, error=error, status=status_of(error))
        return self._pages.saved_query(serving, request, saved, values, answer)


def _operation(serving: ServedRelease, saved: SavedQuery, values: dict[str, str]) -> ProtocolRequest:
    return ProtocolRequest(saved.bind(values, serving.release.manifest.iris), Preference())


def _about(query: SavedQuery) -> dict[str, object]:
    parameters = [
        {"name": one.name, "type": one.type, "default": one.default, "description": one.description}
        for one in query.parameters
    ]
    facts = {"name": query.name, "title": query.title, "description": query.description, "tags": list(query.tags)}
    return {**facts, "parameters": parameters, "url": f"/queries/{query.name}"}
