"""The answer of a worker, while it is received."""

import asyncio
from collections.abc import AsyncIterator

from twingraph.errors import TwingraphError
from twingraph.workers.ipc import ResultHead

# Back-pressure: the worker has to wait when this many bytes have not been read by the client.
_MAX_BUFFERED_BYTES = 1 << 20


class ResultStream:
    """The head of an answer, and then its body, piece by piece.

    ``head`` is set when the answer is complete, ``is_complete``, or when its first byte may be sent.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []
        self._size = 0
        # Created when the body is read before it is complete, which is rare.
        self._more: asyncio.Event | None = None
        self._failure: TwingraphError | None = None
        self._is_finished, self._is_paused, self.is_complete = False, False, False
        self.head: asyncio.Future[ResultHead] = asyncio.get_running_loop().create_future()

    def body(self) -> bytes:
        """Return what was received since the last call."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._is_paused:
            self._resume()
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it is received; raises the error if it fails."""
        while True:
            if self._more:
                self._more.clear()
            if piece := self.body():
                yield piece
                continue
            if self._failure:
                raise self._failure
            if self._is_finished:
                return
            self._more = self._more or asyncio.Event()
            await self._more.wait()

    def complete(self, head: ResultHead, body: bytes) -> None:
        """Set head and body of a complete answer."""
        self._pieces.append(body)
        self._is_finished = self.is_complete = True
        if not self.head.done():
            self.head.set_result(head)

    def begin(self, head: ResultHead) -> None:
        """Set the head of an answer whose body follows."""
        if not self.head.done():
            self.head.set_result(head)

    def feed(self, piece: bytes) -> None:
        """Add a piece of the body."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._more:
            self._more.set()
        if self._size >= _MAX_BUFFERED_BYTES:
            self._is_paused = True
            self._transport.pause_reading()

    def finish(self) -> None:
        """Mark the body as complete."""
        self._end()
        self._is_finished = True

    def fail(self, failure: TwingraphError) -> None:
        """Mark the answer as failed."""
        self._end()
        self._failure = failure
        if not self.head.done():
            self.head.set_exception(failure)
            # Retrieved, so that asyncio does not report it as never retrieved when no one is waiting.
            self.head.exception()

    def _end(self) -> None:
        if self._is_paused:
            # The next answer of the worker must be received however slow this client is.
            self._resume()
        if self._more:
            self._more.set()

    def _resume(self) -> None:
        self._is_paused = False
        self._transport.resume_reading()
