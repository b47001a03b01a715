"""The read operations of the SPARQL 1.1 Graph Store HTTP Protocol, over the graphs of the release.

A graph is identified indirectly by ``?graph=`` (section 4.2) or, where the base IRI of the release is that of this
server, directly by its own IRI (section 4.1). Writing is not supported, since a release is immutable.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.types import ASGIApp

from twingraph.errors import AnswerTooLargeError, QueryError, UnknownNameError
from twingraph.rdf.formats import GRAPHS, N_QUADS, N_TRIPLES
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.headers import accepts_gzip
from twingraph.server.http.negotiation import AnswerFormats, Preference, preference_of
from twingraph.server.http.openapi import IRI, TEXT, content_of, format_parameter, operation, parameter
from twingraph.server.http.request import HttpRequest, parameters
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.graph_file import packed_graph
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.respond import prepare, prepare_graph, respond

_FAILURES = (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)
# The formats in which a graph has the same lines as in the release, so that its size is known.
_LINES = (N_TRIPLES.engine, N_QUADS.engine)
_MAX_COMPARED = 1000
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
        name = _graph_name(served, request, pairs)
        format_ = preference_of(request, dict(pairs)).choose(GRAPHS)
        if served.graphs is None:
            operation = ProtocolRequest(_query(name), Preference())
            return await respond(served, prepare(served, operation, AnswerFormats(None, format_)), request)
        entry = served.graphs[name]
        prepared = prepare_graph(served, name, entry, format_)
        if format_.engine == N_TRIPLES.engine and accepts_gzip(request.field(b"accept-encoding").decode("latin-1")):
            return await packed_graph(served, prepared, entry, request)
        if format_.engine in _LINES and entry.size > served.limits.answer_bytes:
            raise AnswerTooLargeError(served.limits.answer_bytes)
        return await respond(served, prepared, request)


def _graph_name(served: ServedRelease, request: HttpRequest, pairs: Sequence[tuple[str, str]]) -> str:
    """Return the IRI of the requested graph, ``""`` for the default graph; raises QueryError or UnknownNameError."""
    path = request.path_params.get("path")
    if path is not None:
        return _known(served, served.release.manifest.iris.resolve("graph/") + path)
    named = [value for name, value in pairs if name == "graph"]
    default = any(name == "default" for name, _ in pairs)
    if len(named) + default != 1:
        raise QueryError("name exactly one graph: ?graph= with its IRI, or ?default")
    return "" if default else _known(served, named[0])


def _known(served: ServedRelease, name: str) -> str:
    known = served.release.manifest.graphs
    if not name or name not in known:
        # To look for similar names among many would take seconds.
        raise UnknownNameError("graph", name, filter(None, known) if len(known) <= _MAX_COMPARED else ())
    return name


def _query(name: str) -> str:
    """Return the query for a graph of a release of an earlier form; its terms are as the engine writes them."""
    pattern = f"GRAPH <{name}> {{ ?s ?p ?o }}" if name else "?s ?p ?o"
    return f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {pattern} }}"
