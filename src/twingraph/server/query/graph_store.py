"""The read operations of the SPARQL 1.1 Graph Store HTTP Protocol, over the graphs of the release.

A graph is identified indirectly by ``?graph=`` (section 4.2) or, where the base IRI of the release is that of this
server, directly by its own IRI (section 4.1). Writing is not supported, since a release is immutable.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.types import ASGIApp

from twingraph.errors import QueryError, UnknownNameError
from twingraph.rdf.formats import GRAPHS
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.negotiation import AnswerFormats, Preference, preference_of
from twingraph.server.http.openapi import IRI, TEXT, content_of, format_parameter, operation, parameter
from twingraph.server.http.request import HttpRequest, parameters
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.respond import prepare, respond

_FAILURES = (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)
_READ_ONLY = "this graph store is read-only; its graphs change when a release is built"


class GraphStore:
    """Responds with whole graphs of the current release."""

    def __init__(self, current: CurrentRelease) -> None:
        self._current = current

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the routes for indirect and for direct graph identification."""
        graph = parameter("graph", IRI, "the IRI of a graph of the release")
        default = parameter("default", TEXT, "the default graph instead of a named graph")
        path = parameter("path", TEXT, "the IRI of the graph after BASE/graph/", where="path")
        content, format_ = content_of(GRAPHS), format_parameter()
        indirect = operation("Get a graph", content, [graph, default, *format_], _FAILURES)
        direct = operation("Get a graph by its own IRI", content, [path, *format_], _FAILURES)
        return (
            AsgiRoute("/graph-store", self._respond, indirect, refusal=_READ_ONLY),
            AsgiRoute("/graph/{path:path}", self._respond, direct, refusal=_READ_ONLY),
        )

    async def _respond(self, request: HttpRequest) -> ASGIApp:
        served = self._current.required()
        pairs = await parameters(request.query_string)
        text = _query(_graph_name(served, request, pairs), served)
        formats = AnswerFormats(None, preference_of(request, dict(pairs)).choose(GRAPHS))
        return await respond(served, prepare(served, ProtocolRequest(text, Preference()), formats), request)


def _graph_name(served: ServedRelease, request: HttpRequest, pairs: Sequence[tuple[str, str]]) -> str | None:
    """Return the IRI of the requested graph, None for the default graph; raises QueryError."""
    path = request.path_params.get("path")
    if path is not None:
        return served.release.manifest.iris.resolve("graph/") + path
    named = [value for name, value in pairs if name == "graph"]
    default = any(name == "default" for name, _ in pairs)
    if len(named) + default != 1:
        raise QueryError("name exactly one graph: ?graph= with its IRI, or ?default")
    return None if default else named[0]


def _query(name: str | None, served: ServedRelease) -> str:
    if name is None:
        return "CONSTRUCT WHERE { ?s ?p ?o }"
    known = [iri for iri in served.release.manifest.graphs if iri]
    if name not in known:
        raise UnknownNameError("graph", name, known)
    return f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} }}"
