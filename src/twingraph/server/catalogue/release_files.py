"""The dumps of each release in the archive at ``/release/{id}/``; ``/dumps/`` leads to those of the current one."""

import asyncio
import base64
import re
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp

from twingraph.catalogue.offer import dump_path
from twingraph.errors import DamagedStoreError, UnknownNameError
from twingraph.rdf.formats import GRAPHS
from twingraph.release.archive import Archive
from twingraph.release.dumps import Dump
from twingraph.release.manifest import Manifest, read_manifest
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.conditional import Validators, moment
from twingraph.server.http.file_response import file_response
from twingraph.server.http.openapi import ANYTHING, TEXT, content_of, operation, parameter
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.current_release import CurrentRelease

_IDENTIFIER = re.compile(r"[0-9A-Za-z-]{1,80}", re.ASCII)
_GZIP = "application/gzip"


class ReleaseFiles:
    """Responds with dumps; what a request names is looked up in a manifest and never used as a path."""

    def __init__(self, current: CurrentRelease, archive: Archive) -> None:
        self._current, self._archive = current, archive

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the routes."""
        name = parameter("path", TEXT, "the name of a dump, as the catalogue has it", where="path")
        release = parameter("id", TEXT, "the identifier of a release", where="path")
        failures = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        content = {**content_of(GRAPHS), _GZIP: ANYTHING}
        part, led = (HTTPStatus.PARTIAL_CONTENT,), (HTTPStatus.TEMPORARY_REDIRECT,)
        file = operation("Get a dump of a release, or a range of its bytes", content, [release, name], failures, part)
        latest = operation("Be led to a dump of the current release", content, [name], (HTTPStatus.NOT_FOUND,), led)
        return (
            AsgiRoute("/release/{id}/{path:path}", self._file, file),
            AsgiRoute("/dumps/{path:path}", self._latest, latest),
        )

    async def _file(self, request: HttpRequest) -> ASGIApp:
        identifier, path = request.path_params["id"], request.path_params["path"]
        directory, manifest = await self._find(identifier)
        dump = _dump(manifest, path)
        file = directory / dump.path
        if not await asyncio.to_thread(_is_intact, file, dump):
            raise DamagedStoreError(f"the dump {path} of this release is damaged")
        compressed = _GZIP if dump.is_compressed else dump.syntax.content_type
        headers = {
            "Content-Type": compressed,
            "Cache-Control": "public, max-age=31536000, immutable",
            # RFC 9530, section 3
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(dump.sha256)).decode()}:",
        }
        validators = Validators(f'"{dump.sha256[:32]}"', moment(manifest.created))
        return file_response(request, file, dump.bytes, validators, headers)

    async def _latest(self, request: HttpRequest) -> Response:
        release, path = self._current.required().release, request.path_params["path"]
        _dump(release.manifest, path)
        # A relative reference, so that a forged Host field cannot lead elsewhere.
        location = f"{'../' * (path.count('/') + 1)}release/{release.id}/{path}"
        headers = {"Location": location, "Cache-Control": "no-cache"}
        return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers=headers)

    async def _find(self, identifier: str) -> tuple[Path, Manifest]:
        release = self._current.required().release
        if identifier == release.id:
            return release.directory, release.manifest
        if not _IDENTIFIER.fullmatch(identifier) or not await asyncio.to_thread(self._archive.holds, identifier):
            raise UnknownNameError("release", identifier[:80], ())
        directory = self._archive.directory / identifier
        return directory, await asyncio.to_thread(_manifest, directory)


def _dump(manifest: Manifest, path: str) -> Dump:
    known = {dump_path(dump): dump for dump in manifest.dumps}
    if path not in known:
        raise UnknownNameError("dump", path[:200], known)
    return known[path]


def _is_intact(file: Path, dump: Dump) -> bool:
    try:
        return file.stat().st_size == dump.bytes
    except OSError:
        return False


@lru_cache(maxsize=8)
def _manifest(directory: Path) -> Manifest:
    return read_manifest(directory)
