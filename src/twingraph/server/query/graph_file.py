"""Graphs as they lie in the release's file of graphs: a part of it is the graph in N-Triples, compressed with gzip."""

import asyncio
import logging
from collections.abc import Sequence
from typing import IO

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.errors import AnswerTooLargeError, DamagedStoreError
from twingraph.rdf.gzip_members import Extent
from twingraph.server.http.headers import precondition
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.current_release import ServedRelease
from twingraph.server.query.respond import PreparedQuery, graph_headers, without_body
from twingraph.server.query.single_flight import disconnected
from twingraph.store.exact import GRAPHS, GraphEntry

logger = logging.getLogger(__name__)

_READ_BYTES = 1 << 18


async def packed_graph(
    served: ServedRelease, prepared: PreparedQuery, entry: GraphEntry, request: HttpRequest
) -> ASGIApp:
    """Return the response with a graph in N-Triples with gzip, or 304 or 412 as If-None-Match requires.

    It needs no worker, and is not cached here, since the system caches the file. Raises DamagedStoreError when the file
    cannot be opened, AnswerTooLargeError when there is more to send than ``limits.answer_bytes``.
    """
    request.log.query = prepared.query_hash
    if status := precondition(request.method, request.field(b"if-none-match"), prepared.etag, exists=True):
        return without_body(served, prepared, status)
    extent = entry.extent
    if extent.size > served.limits.answer_bytes:
        raise AnswerTooLargeError(served.limits.answer_bytes)
    try:
        file = await asyncio.to_thread((served.release.directory / GRAPHS).open, "rb")
    except OSError as error:
        raise DamagedStoreError("the file of the graphs cannot be read") from error
    packed = [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % extent.size)]
    return _PartOfFile(file, extent, [*graph_headers(served, prepared), *packed])


class _PartOfFile(Response):
    """A part of an open file, which is closed at the end; if it cannot be read whole, the connection is closed."""

    def __init__(self, file: IO[bytes], extent: Extent, headers: Sequence[tuple[bytes, bytes]]) -> None:
        super().__init__()
        self.raw_headers = list(headers)
        self._file, self._extent = file, extent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until the client disconnects."""
        left = 0 if scope["method"] == "HEAD" else self._extent.size
        watch = asyncio.create_task(disconnected(receive))
        try:
            with self._file as file:
                file.seek(self._extent.start)
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                while left and not watch.done():
                    piece = await asyncio.to_thread(_read, file, left)
                    left -= len(piece)
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                if not left:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (OSError, EOFError) as error:
            logger.warning("a graph was aborted: %s", error)
        finally:
            watch.cancel()


def _read(file: IO[bytes], left: int) -> bytes:
    piece = file.read(min(_READ_BYTES, left))
    if not piece:
        raise EOFError(f"the file ends {left} bytes too early")
    return piece
