"""The reading side of the SPARQL 1.1 Graph Store HTTP Protocol: whole graphs of the release, by name.

A graph is named by ``?graph=`` (section 4.2) or, where the base of the release is this server's, by its own address
(section 4.1). Nothing is written here: releases are made by builds.
"""

from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import QueryError, UnknownNameError
from twingraph.formats import GRAPHS
from twingraph.server.answers import prepare, respond
from twingraph.server.current_release import CurrentRelease, ServedRelease
from twingraph.server.plain_route import PlainRoute
from twingraph.server.problems import RequestError
from twingraph.server.wishes import wish
from twingraph.sparql.query import Query, QueryForm

_ALLOWED = "GET, HEAD, OPTIONS"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": _ALLOWED,
    "Access-Control-Allow-Headers": "Accept, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
_READ_ONLY = "this graph store is read-only; its graphs change by building a release"


class GraphStore(PlainRoute):
    """Answers with whole graphs of the current release."""

    def __init__(self, current: CurrentRelease) -> None:
        self._current = current

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": _ALLOWED, **_CORS})
        if request.method not in ("GET", "HEAD"):
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, _READ_ONLY, {"Allow": _ALLOWED})
        serving = self._current.serving
        query = _query(_named(serving, request), serving)
        return await respond(serving, prepare(serving, query, wish(request).choose(GRAPHS)), request)


def _named(serving: ServedRelease, request: Request) -> str | None:
    """Return the IRI of the graph that a request names, None for the default graph; raises QueryError."""
    path = request.path_params.get("path")
    if path is not None:
        return f"{serving.release.manifest.base_iri}graph/{path}"
    given = parse_qsl(request.url.query, keep_blank_values=True)
    named = [value for name, value in given if name == "graph"]
    default = any(name == "default" for name, _ in given)
    if len(named) + default != 1:
        raise QueryError("name one graph: ?graph= with its IRI, or ?default")
    return None if default else named[0]


def _query(name: str | None, serving: ServedRelease) -> Query:
    if name is None:
        return Query("CONSTRUCT WHERE { ?s ?p ?o }", QueryForm.CONSTRUCT)
    known = [iri for iri in serving.release.manifest.graphs if iri]
    if name not in known:
        raise UnknownNameError("graph", name, known)
    return Query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} }}", QueryForm.CONSTRUCT)
