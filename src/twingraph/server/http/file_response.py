"""A file from disk as a response: whole or one range of it, in bounded memory (RFC 9110, section 14)."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.errors import RequestError
from twingraph.server.http.conditional import Validators
from twingraph.server.http.request import HttpRequest

_CHUNK_BYTES = 1 << 18
# One range; several, and other units, are ignored, as section 14.2 allows.
_RANGE = re.compile(rb"bytes\s*=\s*(?:(\d{1,19})\s*-\s*(\d{0,19})|-\s*(\d{1,19}))\s*", re.ASCII | re.I)


def file_response(
    request: HttpRequest, path: Path, size: int, validators: Validators, headers: Mapping[str, str]
) -> ASGIApp:
    """Return the response to a request for a file of a known size; raises RequestError (412, 416)."""
    told = {"Accept-Ranges": "bytes", **headers, **validators.headers}
    if status := validators.status(request):
        del told["Content-Type"]
        return Response(status_code=status, headers=told)
    found = _RANGE.fullmatch(request.field(b"range")) if request.method == "GET" else None
    if found is None or _is_malformed(found) or not validators.match_range(request):
        return _FileResponse(path, 0, size, HTTPStatus.OK, told)
    first, last = _bounds(found, size)
    if first >= size or last < first:
        detail = f"the file has {size} bytes"
        raise RequestError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, detail, {"Content-Range": f"bytes */{size}"})
    told["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _FileResponse(path, first, last + 1 - first, HTTPStatus.PARTIAL_CONTENT, told)


def _is_malformed(found: re.Match[bytes]) -> bool:
    """Return whether a range ends before it begins; such a field is ignored (section 14.1.2)."""
    return bool(found[1] and found[2]) and int(found[2]) < int(found[1])


def _bounds(found: re.Match[bytes], size: int) -> tuple[int, int]:
    """Return the first and the last byte of a range; none of the file if the last precedes the first."""
    if found[3] is not None:
        suffix = int(found[3])
        return (max(0, size - suffix), size - 1) if suffix else (size, size - 1)
    return int(found[1]), min(int(found[2]), size - 1) if found[2] else size - 1


class _FileResponse:
    """Sends ``length`` bytes of a file from ``start`` on; reads a piece when the one before has been taken."""

    def __init__(self, path: Path, start: int, length: int, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self._start, self._length, self._status = start, length, status
        fields = {**headers, "Content-Length": str(length)}
        self._headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, of a request for HEAD its header fields only."""
        with await asyncio.to_thread(self._path.open, "rb") as file:
            await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
            if scope["method"] != "HEAD":
                await self._send_content(file, send)
        await send({"type": "http.response.body", "body": b""})

    async def _send_content(self, file: BinaryIO, send: Send) -> None:
        await asyncio.to_thread(file.seek, self._start)
        left = self._length
        while left:
            piece = await asyncio.to_thread(file.read, min(_CHUNK_BYTES, left))
            if not piece:
                raise OSError("the file has become shorter")  # the connection is ended
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
