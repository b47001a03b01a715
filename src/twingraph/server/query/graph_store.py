"""The reading side of the SPARQL 1.1 Graph Store HTTP Protocol: whole graphs of the release, by name.

A graph is named by ``?graph=`` (section 4.2) or, where the base of the release is this server's, by its own address
(section 4.1). Nothing is written here: releases are made by builds.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import QueryError, UnknownNameError
from twingraph.rdf.formats import GRAPHS
from twingraph.server.current_release import CurrentRelease, ServedRelease
from twingraph.server.http.asgi_route import PlainRoute
from twingraph.server.http.forms import parameters
from twingraph.server.http.negotiation import AnswerFormats, Preference, preference_of
from twingraph.server.http.problems import RequestError
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.respond import prepare, respond

_ALLOWED = "GET, HEAD, OPTIONS"
_READ_ONLY = "this graph store is read-only; its graphs change by building a release"


class GraphStore(PlainRoute):
    """Answers with whole graphs of the current release."""

    def __init__(self, current: CurrentRelease) -> None:
        self._current = current

    async def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, _READ_ONLY, {"Allow": _ALLOWED})
        serving = self._current.serving
        given = await parameters(request.scope["query_string"])
        text = _query(_named(serving, request, given), serving)
        formats = AnswerFormats(None, preference_of(request, dict(given)).choose(GRAPHS))
        return await respond(serving, prepare(serving, ProtocolRequest(text, Preference()), formats), request)


def _named(serving: ServedRelease, request: Request, given: Sequence[tuple[str, str]]) -> str | None:
    """Return the IRI of the graph that a request names, None for the default graph; raises QueryError."""
    path = request.path_params.get("path")
    if path is not None:
        return f"{serving.release.manifest.base_iri}graph/{path}"
    named = [value for name, value in given if name == "graph"]
    default = any(name == "default" for name, _ in given)
    if len(named) + default != 1:
        raise QueryError("name one graph: ?graph= with its IRI, or ?default")
    return None if default else named[0]


def _query(name: str | None, serving: ServedRelease) -> str:
    if name is None:
        return "CONSTRUCT WHERE { ?s ?p ?o }"
    known = [iri for iri in serving.release.manifest.graphs if iri]
    if name not in known:
        raise UnknownNameError("graph", name, known)
    return f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} }}"
