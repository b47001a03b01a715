"""Dereferencing IRIs: 303 from a thing to its document, and the document in the representation that is preferred.

What has an IRI of the publication is found at the path of that IRI, whatever its form; `Addresses` says where. IRIs
that only name terms by fragments (``ontology#Term``) are answered with their document at once: the server never sees
the fragment, and the document describes all of them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import ASGIApp

from twingraph.errors import RequestError
from twingraph.linked_data.addresses import relative, root_of, to_url
from twingraph.linked_data.description import Description
from twingraph.rdf.formats import GRAPHS, HTML, JSON_LD, Format
from twingraph.release.archive import CONTEXT
from twingraph.release.manifest import Manifest
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.headers import precondition
from twingraph.server.http.negotiation import AnswerFormats, preference_of
from twingraph.server.http.openapi import IRI, TEXT, content_of, format_parameter, operation, parameter
from twingraph.server.http.request import HttpRequest, parameters
from twingraph.server.pages.rendering import PAGE_FIELDS, Renderer, View
from twingraph.server.pages.thing import Representation, thing_page
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.respond import complete_answer, prepare_job, respond
from twingraph.workers import ipc
from twingraph.workers.ipc import LOCATION, DescribeJob

_OFFERED = (HTML, *GRAPHS)
_EXTENSIONS = {one.extension: one for one in _OFFERED}
# A page is made of a description of at most this size (bytes); the other representations have no such limit.
_PAGE_BYTES = 4 << 20
_MAX_PAGE_DIGITS = 6


class _Request(NamedTuple):
    """A document that is requested: the IRIs that it may be about, the likeliest first, and its path as it was sent.

    ``query`` is the part of its address that follows the path, besides the page and the format.
    """

    iris: tuple[str, ...]
    path: str
    query: str
    page: int

    def alternate(self, format_: Format) -> str:
        """Return the reference to another representation, relative to the requested one."""
        if self.query:
            return f"?{self.query}&format={format_.name}"
        return f"{self.path.rpartition('/')[2]}.{format_.extension}"


class LinkedData:
    """Responds at every path that is no other route's, as the IRIs below the base require."""

    def __init__(self, current: CurrentRelease, renderer: Renderer) -> None:
        self._current, self._renderer = current, renderer

    def fallback(self) -> AsgiRoute:
        """Return the route for paths that no other route has."""
        path = parameter("path", TEXT, "the path of an IRI of the publication, or of the document about it", "path")
        iri = parameter("iri", IRI, "at the address of documents: the IRI of any thing that is described")
        page = parameter("page", {"type": "integer"}, "the page of the links into the thing")
        failures = (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.GONE)
        get = operation("Dereference an IRI", content_of(_OFFERED), [path, iri, page, *format_parameter()], failures)
        return AsgiRoute("/{path}", self._respond, get)

    def context(self) -> AsgiRoute:
        """Return the route to the JSON-LD context, to which documents refer."""
        return AsgiRoute("/" + CONTEXT, self._respond_context, operation("The JSON-LD context", content_of((JSON_LD,))))

    async def _respond_context(self, request: HttpRequest) -> Response:
        release = self._current.required().release
        etag = f'"{release.manifest.files[CONTEXT]}"'
        fields = {"ETag": etag, "Cache-Control": "no-cache"}
        if status := precondition(request.method, request.field(b"if-none-match"), etag, exists=True):
            return Response(status_code=status, headers=fields)
        content = await asyncio.to_thread((release.directory / CONTEXT).read_bytes)
        return Response(content, headers=fields, media_type=JSON_LD.media_type)

    async def _respond(self, request: HttpRequest) -> ASGIApp:
        served = self._current.required()
        addresses = served.release.manifest.addresses
        path = request.scope["raw_path"].decode("ascii")
        given = dict(await parameters(request.query_string))
        below, page = f"/{addresses.documents}", _page_number(given)
        if path == below.removesuffix("/") and "iri" in given:
            wanted = _Request((given["iri"],), path, f"iri={quote(given['iri'], safe='')}", page)
            return await self._document(served, request, given, wanted)
        if not path.startswith(below):
            return await self._thing(served, request, given, path)
        stem, extension = _extension(path)
        iris = dict.fromkeys(iri for one in (stem, path) for iri in addresses.described(one.removeprefix(below)))
        return await self._document(served, request, given | extension, _Request(tuple(iris), stem, "", page))

    async def _thing(self, served: ServedRelease, request: HttpRequest, given: dict[str, str], path: str) -> ASGIApp:
        """Return 303 to the document about a thing, or the document about a namespace."""
        addresses, limits = served.release.manifest.addresses, served.limits
        stem, extension = _extension(path)
        iris = dict.fromkeys((*addresses.meant(path), *addresses.meant(stem)))
        job = DescribeJob(tuple(iris), LOCATION, "", 1, limits.answer_bytes, limits.buffer_bytes)
        prepared = prepare_job(served, ipc.pack_describe(job), AnswerFormats(None, None), path)
        located = json.loads(await complete_answer(served, prepared, request))
        if located["is_namespace"]:
            is_stem = located["iri"] in addresses.meant(stem)
            wanted = _Request((located["iri"],), stem if is_stem else path, "", _page_number(given))
            return await self._document(served, request, given | extension if is_stem else given, wanted)
        target = relative(path, located["document"])
        fields = {"Location": target, "Link": f'<{target}>; rel="describedby"', "Cache-Control": "no-cache"}
        return Response(status_code=HTTPStatus.SEE_OTHER, headers=fields)

    async def _document(
        self, served: ServedRelease, request: HttpRequest, given: dict[str, str], wanted: _Request
    ) -> ASGIApp:
        format_ = preference_of(request, given).choose(_OFFERED)
        limits = served.limits
        buffered = _PAGE_BYTES if format_ == HTML else limits.buffer_bytes
        job = DescribeJob(wanted.iris, format_.name, _address(wanted), wanted.page, limits.answer_bytes, buffered)
        fields = _fields(served.release.manifest, wanted, is_page=format_ == HTML)
        view = self._renderer.view(served, request) if format_ == HTML else None
        prepared = prepare_job(
            served,
            ipc.pack_describe(job),
            AnswerFormats(None, format_),
            wanted.path,
            fields=fields,
            render=_renderer(view, wanted) if view else None,
            variant=view.language if view else "",
        )
        return await respond(served, prepared, request)


def _renderer(view: View, wanted: _Request) -> Callable[[bytes], Awaitable[bytes]]:
    representations = [Representation(one, wanted.alternate(one)) for one in GRAPHS]

    async def render(body: bytes) -> bytes:
        return await asyncio.to_thread(_rendered, view, body, representations)

    return render


def _rendered(view: View, body: bytes, representations: Sequence[Representation]) -> bytes:
    facts = json.loads(body)
    return thing_page(view, Description.from_json(facts["description"]), facts["json_ld"], representations)


def _extension(path: str) -> tuple[str, dict[str, str]]:
    """Return a path without the extension of a representation, and the parameter that names the same."""
    stem, _, extension = path.rpartition(".")
    return (stem, {"format": extension}) if extension in _EXTENSIONS and stem else (path, {})


def _page_number(given: dict[str, str]) -> int:
    text = given.get("page", "1")
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_PAGE_DIGITS and int(text)):
        raise RequestError(HTTPStatus.BAD_REQUEST, "the parameter `page` must be a number from 1")
    return int(text)


def _address(wanted: _Request) -> str:
    """Return the address of a document relative to the base."""
    path = wanted.path.removeprefix("/")
    return f"{path}?{wanted.query}" if wanted.query else path


def _fields(manifest: Manifest, wanted: _Request, *, is_page: bool) -> tuple[tuple[bytes, bytes], ...]:
    modified = format_datetime(datetime.fromisoformat(manifest.created).astimezone(UTC), usegmt=True)
    fields = {"Link": _links(manifest, wanted), "Last-Modified": modified, **(PAGE_FIELDS if is_page else {})}
    vary = ((b"vary", b"Accept-Language"),) if is_page else ()
    return (*((name.lower().encode(), value.encode("ascii")) for name, value in fields.items()), *vary)


def _links(manifest: Manifest, wanted: _Request) -> str:
    """Return the Link field of a document (RFC 8288)."""
    links = [f'<{wanted.alternate(one)}>; rel="alternate"; type="{one.media_type}"' for one in _OFFERED]
    root = root_of(manifest.base_iri)
    links += [
        f'<{to_url(root)}{_address(wanted)}>; rel="canonical"',
        f'<{to_url(manifest.base_iri)}>; rel="collection"',
    ]
    if manifest.licence:
        links.append(f'<{to_url(manifest.licence)}>; rel="license"')
    return ", ".join(links)
