"""The service description (SPARQL 1.1 Service Description) with the VoID description of the release.

The release contains the description that was computed when it was built. What depends on the server and its settings is
added here: URL of the endpoint, formats, features and limits.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

import pyoxigraph as ox
from starlette.requests import Request
from starlette.responses import Response

from twingraph.rdf.formats import GRAPHS, RESULTS, Format
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.archive import Release
from twingraph.release.manifest import read_manifest
from twingraph.release.void import DCTERMS, DESCRIPTION, RDF, SD, SH, VOID, Statement, fragment, serialize
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.headers import precondition
from twingraph.server.http.negotiation import preference_of
from twingraph.server.http.openapi import content_of, format_parameter, operation
from twingraph.server.http.request import HttpRequest, parameters
from twingraph.server.query.current_release import CurrentRelease
from twingraph.settings import Limits
from twingraph.store.output_filters import write_graph

_SCHEMA = "https://schema.org/"
_FORMATS = "http://www.w3.org/ns/formats/"
# The limits that a client can hit.
_LIMITS = ("query_bytes", "query_seconds", "memory_bytes", "rows", "answer_bytes", "queue_seconds")
_PREFIXES = {"rdf": RDF, "sd": SD, "void": VOID, "sh": SH, "dcterms": DCTERMS, "schema": _SCHEMA, "formats": _FORMATS}
_HEADERS = {"Vary": "Accept", "Cache-Control": "no-cache"}


class ServiceDescription:
    """Responds with the description of the current release and of this endpoint."""

    def __init__(self, current: CurrentRelease, limits: Limits) -> None:
        self._current, self._limits = current, limits
        get = operation(
            "Describe the dataset (VoID) and the endpoint",
            content_of(GRAPHS),
            format_parameter(),
            (HTTPStatus.NOT_ACCEPTABLE,),
        )
        self.route = AsgiRoute("/.well-known/void", self.respond, get)

    async def respond(self, request: HttpRequest) -> Response:
        """Return the description in the negotiated format; raises NotAcceptableError."""
        release, values = self._current.required().release, dict(await parameters(request.query_string))
        format_ = preference_of(request, values).choose(GRAPHS)
        root = str(Request(request.scope).url.replace(path="", query="", fragment="")).rstrip("/")
        content = await asyncio.to_thread(_serialized, release.directory, root, self._limits, format_)
        headers = {**_HEADERS, "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
        condition = request.field(b"if-none-match")
        if status := precondition(request.method, condition, headers["ETag"], exists=True):
            return Response(status_code=status, headers=headers)
        return Response(content, headers={**headers, "Content-Type": format_.content_type})


@lru_cache(maxsize=16)
def _serialized(directory: Path, root: str, limits: Limits, format_: Format) -> bytes:
    release = Release(directory, read_manifest(directory))
    manifest = release.manifest
    # Releases of the first manifest version have no description.
    stored = (release.directory / DESCRIPTION).read_bytes() if DESCRIPTION in manifest.files else b""
    queries = [path.stem for path in release.query_files if f"/queries/{path.stem}> ".encode() in stored]
    union = manifest.default_graph == DefaultGraph.UNION
    own = serialize(_service(manifest.base_iri, root, limits, queries, union=union))
    return write_graph(stored + own, format_, {**_PREFIXES, **manifest.prefixes}, manifest.language_tags)


def _service(base: str, root: str, limits: Limits, queries: list[str], *, union: bool) -> Iterator[Statement]:
    service, endpoint = fragment(base, "service"), ox.NamedNode(f"{root}/sparql")
    yield service, f"{RDF}type", ox.NamedNode(f"{SD}Service")
    yield service, f"{SD}endpoint", endpoint
    yield service, f"{SD}supportedLanguage", ox.NamedNode(f"{SD}SPARQL11Query")
    yield service, f"{SD}defaultDataset", ox.NamedNode(fragment(base, "dataset"))
    if union:
        yield service, f"{SD}feature", ox.NamedNode(f"{SD}UnionDefaultGraph")
    for format_ in (*RESULTS, *GRAPHS):
        yield service, f"{SD}resultFormat", ox.NamedNode(format_.iri)
    yield fragment(base, "dataset"), f"{VOID}sparqlEndpoint", endpoint
    for name in queries:
        yield f"{base}queries/{name}", f"{_SCHEMA}target", endpoint
    for name in _LIMITS:
        limit = fragment(base, "limit", name)
        yield service, f"{_SCHEMA}additionalProperty", ox.NamedNode(limit)
        yield limit, f"{RDF}type", ox.NamedNode(f"{_SCHEMA}PropertyValue")
        yield limit, f"{_SCHEMA}name", ox.Literal(name)
        yield limit, f"{_SCHEMA}value", ox.Literal(getattr(limits, name))
        yield limit, f"{_SCHEMA}description", ox.Literal(Limits.model_fields[name].description or name)
