"""The catalogue at ``/catalog``: format by Accept or extension, profile by Accept-Profile or ``?profile=``."""

import asyncio
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from starlette.responses import Response

from twingraph.catalogue.discovery import uri
from twingraph.catalogue.offer import Offer, public_root
from twingraph.catalogue.prefixes import SH, prefix_context, prefix_declarations
from twingraph.catalogue.profiles import DCAT_AP, PROFILES, VOID, VOID_IRI, Profile
from twingraph.errors import UnknownNameError
from twingraph.rdf.formats import JSON_LD, N_TRIPLES, RDF_XML, TURTLE, Format, by_name
from twingraph.rdf.nquads import NQuads
from twingraph.release.archive import SHAPES
from twingraph.release.manifest import read_manifest
from twingraph.release.void import language_tags, serialize
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.conditional import document_response
from twingraph.server.http.negotiation import Preference, preference_of
from twingraph.server.http.openapi import TEXT, content_of, format_parameter, operation, parameter
from twingraph.server.http.profile_negotiation import choose_profile
from twingraph.server.http.request import HttpRequest, parameters
from twingraph.server.query.current_release import CurrentRelease
from twingraph.settings import Server
from twingraph.store.output_filters import write_graph

_FORMATS = (TURTLE, RDF_XML, JSON_LD, N_TRIPLES)
_FAILURES = (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.PRECONDITION_FAILED)
_BY_TOKEN = {profile.token: profile for profile in PROFILES}
_OFFERED = {**{profile.token: profile.iris for profile in PROFILES}, VOID: (VOID_IRI,)}


class CatalogueRoutes:
    """Responds at ``/catalog``, ``/prefixes`` and ``/shapes``, and at each with an extension."""

    def __init__(self, current: CurrentRelease, server: Server) -> None:
        self._current, self._url = current, server.url

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the routes."""
        profile = parameter("profile", TEXT, f"the profile: {', '.join(_OFFERED)}, or its IRI")
        extension = parameter("extension", TEXT, "the extension of a format, such as ttl", where="path")
        content, led = content_of(_FORMATS), (HTTPStatus.SEE_OTHER,)
        chosen = [profile, *format_parameter()]
        catalogue = operation("Describe the dataset and its distributions", content, chosen, _FAILURES, led)
        fixed = operation("The catalogue in a format", content, [extension, profile], _FAILURES, led)
        summary = "The prefixes, as a JSON-LD context or declarations"
        prefixes = operation(summary, content, format_parameter(), _FAILURES)
        shapes = operation("The shapes that the data conform to", content, format_parameter(), _FAILURES)
        return (
            AsgiRoute("/catalog", self._catalogue, catalogue),
            AsgiRoute("/catalog.{extension}", self._catalogue, fixed),
            AsgiRoute("/prefixes", self._prefixes, prefixes),
            AsgiRoute("/shapes", self._shapes, shapes),
            AsgiRoute("/shapes.{extension}", self._shapes, shapes | {"parameters": [extension]}),
            AsgiRoute("/prefixes.{extension}", self._prefixes, prefixes | {"parameters": [extension]}),
        )

    async def _catalogue(self, request: HttpRequest) -> Response:
        release, values = self._current.required().release, dict(await parameters(request.query_string))
        token = choose_profile(request, values, _OFFERED, DCAT_AP.token)
        root = public_root(release.manifest.base_iri, self._url)
        if token == VOID:
            headers = {"Location": ".well-known/void", "Vary": _VARY, "Cache-Control": "no-cache"}
            return Response(status_code=HTTPStatus.SEE_OTHER, headers=headers)
        profile = _BY_TOKEN[token]
        format_ = _preference(request, values, profile.formats).choose(profile.formats)
        content = await asyncio.to_thread(_catalogue, release.directory, root, token, format_.name)
        headers = {"Content-Type": format_.content_type, "Link": _links(root, profile, format_), "Vary": _VARY}
        return document_response(request, content, release.manifest.created, headers)

    async def _prefixes(self, request: HttpRequest) -> Response:
        release, values = self._current.required().release, dict(await parameters(request.query_string))
        format_ = _preference(request, values, _FORMATS).choose(_FORMATS)
        content = await asyncio.to_thread(_prefixes, release.directory, format_.name)
        headers = {"Content-Type": format_.content_type, "Vary": "Accept"}
        return document_response(request, content, release.manifest.created, headers)

    async def _shapes(self, request: HttpRequest) -> Response:
        release, values = self._current.required().release, dict(await parameters(request.query_string))
        if SHAPES not in release.manifest.files:
            raise UnknownNameError("document", "shapes", ())
        format_ = _preference(request, values, _FORMATS).choose(_FORMATS)
        content = await asyncio.to_thread(_shapes, release.directory, format_.name)
        headers = {"Content-Type": format_.content_type, "Vary": "Accept"}
        return document_response(request, content, release.manifest.created, headers)


_VARY = "Accept, Accept-Profile"


def _preference(request: HttpRequest, values: dict[str, str], offered: tuple[Format, ...]) -> Preference:
    """Return the preference, which an extension determines; raises UnknownNameError for one that is none of a format.

    A format that a profile does not have is not acceptable, rather than unknown.
    """
    extension = request.path_params.get("extension")
    if extension is None:
        return preference_of(request, values)
    if extension not in {one.extension for one in (*_FORMATS, *offered)}:
        raise UnknownNameError("extension", extension[:20], (one.extension for one in offered))
    return Preference("", extension)


def _links(root: str, profile: Profile, format_: Format) -> str:
    """Return the Link field: the profile of the response, and where the other representations are."""
    links = [f'<{profile.iri}>; rel="profile"']
    for one in PROFILES:
        for other in one.formats:
            query = "" if one is DCAT_AP else f"?profile={one.token}"
            is_this = (one, other.name) == (profile, format_.name)
            relation = 'rel="canonical"' if is_this else f'rel="alternate"; type="{other.media_type}"'
            links.append(f'<{uri(root)}catalog.{other.extension}{query}>; {relation}; profile="{one.iri}"')
    return ", ".join([*links, f'<{uri(root)}.well-known/void>; rel="alternate"; profile="{VOID_IRI}"'])


@lru_cache(maxsize=32)
def _catalogue(directory: Path, root: str, token: str, format_: str) -> bytes:
    profile = _BY_TOKEN[token]
    return profile.write(Offer(read_manifest(directory), root), by_name(format_, profile.formats))


@lru_cache(maxsize=4)
def _shapes(directory: Path, name: str) -> bytes:
    manifest = read_manifest(directory)
    prefixes = {"sh": SH, **manifest.prefixes}
    return write_graph((directory / SHAPES).read_bytes(), by_name(name, _FORMATS), prefixes, _tags(directory))


def _tags(directory: Path) -> tuple[str, ...]:
    return language_tags(NQuads.in_file(directory / SHAPES))


@lru_cache(maxsize=8)
def _prefixes(directory: Path, name: str) -> bytes:
    manifest, format_ = read_manifest(directory), by_name(name, _FORMATS)
    if format_ == JSON_LD:
        return prefix_context(manifest.iris.namespaces)
    statements = serialize(prefix_declarations(Offer(manifest, "")))
    return write_graph(statements, format_, {"sh": SH}, ())
