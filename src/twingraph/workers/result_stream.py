"""An answer while a worker sends it."""

import asyncio
from collections.abc import AsyncIterator

from twingraph.errors import TwingraphError
from twingraph.workers.ipc import ResultHead

# Back-pressure: the worker waits when this much (bytes) has not been read by the client.
_MOST_WAITING = 1 << 20


class ResultStream:
    """The head of an answer, and then its body, piece by piece.

    ``head`` is set when the answer is complete, or when its first byte may be sent; ``is_complete`` tells which.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []
        self._size = 0
        # Made when somebody reads on while the answer comes; most answers are complete before.
        self._more: asyncio.Event | None = None
        self._failure: TwingraphError | None = None
        self._is_finished, self._is_paused, self.is_complete = False, False, False
        self.head: asyncio.Future[ResultHead] = asyncio.get_running_loop().create_future()

    def body(self) -> bytes:
        """Return what has arrived since the last call."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._is_paused:
            self._resume()
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; raises the failure that broke it off."""
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
        """Publish an answer that is all there."""
        self._pieces.append(body)
        self._is_finished = self.is_complete = True
        if not self.head.done():
            self.head.set_result(head)

    def begin(self, head: ResultHead) -> None:
        """Publish the head of an answer whose body is on its way."""
        if not self.head.done():
            self.head.set_result(head)

    def feed(self, piece: bytes) -> None:
        """Add a piece of the body."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._more:
            self._more.set()
        if self._size >= _MOST_WAITING:
            self._is_paused = True
            self._transport.pause_reading()

    def finish(self) -> None:
        """Mark the body as complete."""
        self._end()
        self._is_finished = True

    def fail(self, failure: TwingraphError) -> None:
        """Mark the answer as broken off."""
        self._end()
        self._failure = failure
        if not self.head.done():
            self.head.set_exception(failure)
            # Retrieved, so that asyncio does not report it when no one waits.
            self.head.exception()

    def _end(self) -> None:
        if self._is_paused:
            # The worker's next answer must be read, however slow this client is.
            self._resume()
        if self._more:
            self._more.set()

    def _resume(self) -> None:
        self._is_paused = False
        self._transport.resume_reading()
