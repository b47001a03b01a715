"""Sitemaps, robots.txt, security.txt and the list of APIs."""

import asyncio
import gzip
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from starlette.responses import Response

from twingraph.catalogue.discovery import (
    api_catalogue,
    page_of,
    robots,
    security_text,
    sitemap,
    sitemap_index,
    uri,
)
from twingraph.catalogue.offer import Offer, public_root
from twingraph.errors import UnknownNameError
from twingraph.release.archive import Release
from twingraph.release.manifest import read_manifest
from twingraph.release.sitemap import FOLDER
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.conditional import document_response
from twingraph.server.http.openapi import ANYTHING, TEXT, operation, parameter
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.current_release import CurrentRelease
from twingraph.settings import Settings

_XML, _PLAIN = "application/xml; charset=utf-8", "text/plain; charset=utf-8"
_FAILED, _MISSING = (HTTPStatus.PRECONDITION_FAILED,), (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND)
_LINK_SET = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'


class WellKnown:
    """Responds at the addresses that crawlers and scanners know."""

    def __init__(self, current: CurrentRelease, settings: Settings) -> None:
        self._current, self._url, self._security = current, settings.server.url, settings.security

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the routes; security.txt only when the settings have a contact."""
        number = parameter("number", TEXT, "the number of a sitemap, from 1", where="path")
        xml, plain = {"application/xml": ANYTHING}, {"text/plain": ANYTHING}
        link_set = {"application/linkset+json": ANYTHING}
        return (
            AsgiRoute(
                "/sitemap.xml", self._sitemap, operation("The sitemap, or an index of sitemaps", xml, failures=_FAILED)
            ),
            AsgiRoute(
                "/sitemap/{number}.xml", self._part, operation("A sitemap of the index", xml, [number], _MISSING)
            ),
            AsgiRoute("/robots.txt", self._robots, operation("What crawlers may read", plain, failures=_FAILED)),
            AsgiRoute(
                "/.well-known/api-catalog", self._apis, operation("The APIs (RFC 9727)", link_set, failures=_FAILED)
            ),
            *([self._security_route(plain)] if self._security.contact else []),
        )

    def _security_route(self, content: Mapping[str, object]) -> AsgiRoute:
        summary = "Whom to tell of a vulnerability (RFC 9116)"
        return AsgiRoute(
            "/.well-known/security.txt", self._security_text, operation(summary, content, failures=_FAILED)
        )

    def _offer(self) -> tuple[Release, Offer]:
        release = self._current.required().release
        return release, Offer(release.manifest, public_root(release.manifest.base_iri, self._url))

    async def _sitemap(self, request: HttpRequest) -> Response:
        release, offer = self._offer()
        numbers = _numbers(release)
        if len(numbers) == 1:
            return await self._of(request, release, offer, numbers[0])
        day = release.manifest.created[:10]
        text = "".join(sitemap_index((offer.url(f"sitemap/{number}.xml") for number in numbers), day))
        return document_response(request, text.encode(), release.manifest.created, {"Content-Type": _XML})

    async def _part(self, request: HttpRequest) -> Response:
        release, offer = self._offer()
        numbers = {str(number): number for number in _numbers(release)}
        name = request.path_params["number"]
        if name not in numbers:
            raise UnknownNameError("sitemap", name[:20], ())
        return await self._of(request, release, offer, numbers[name])

    async def _of(self, request: HttpRequest, release: Release, offer: Offer, number: int) -> Response:
        content = await asyncio.to_thread(_written, release.directory, offer.root, number)
        return document_response(request, content, release.manifest.created, {"Content-Type": _XML})

    async def _robots(self, request: HttpRequest) -> Response:
        release, offer = self._offer()
        return document_response(request, robots(offer).encode(), release.manifest.created, {"Content-Type": _PLAIN})

    async def _security_text(self, request: HttpRequest) -> Response:
        release, offer = self._offer()
        content = security_text(self._security, offer).encode()
        return document_response(request, content, release.manifest.created, {"Content-Type": _PLAIN})

    async def _apis(self, request: HttpRequest) -> Response:
        release, offer = self._offer()
        content = (json.dumps(api_catalogue(offer), ensure_ascii=False, indent=2) + "\n").encode()
        headers = {"Content-Type": _LINK_SET, "Link": f'<{uri(offer.root)}.well-known/api-catalog>; rel="api-catalog"'}
        return document_response(request, content, release.manifest.created, headers)


def _numbers(release: Release) -> list[int]:
    """Return the numbers of the files from which sitemaps are made; releases of older builds have none."""
    names = [name for name in release.manifest.files if name.startswith(f"{FOLDER}/")]
    return sorted(int(name.removeprefix(f"{FOLDER}/").partition(".")[0]) for name in names)


@lru_cache(maxsize=2)
def _written(directory: Path, root: str, number: int) -> bytes:
    offer = Offer(read_manifest(directory), root)
    return "".join(sitemap(_entries(directory / FOLDER / f"{number}.txt.gz", offer))).encode()


def _entries(path: Path, offer: Offer) -> Iterator[tuple[str, str]]:
    created = offer.manifest.created[:10]
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        iri, _, day = line.partition("\t")
        yield page_of(iri, offer), day or created
