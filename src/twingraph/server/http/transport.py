"""The transport of a connection: what is written in one turn goes out together, and a close loses no answer."""

import asyncio
from collections.abc import Callable

# What is worth putting together (bytes); larger bodies are passed on as they are.
_SMALL = 1 << 16


class CoalescingTransport:
    """A transport that puts together what is written to it in one turn of the loop; all else is the transport's own.

    ``is_unread`` tells whether a request has not come whole: then a close ends only what is sent, and the connection
    stays for ``linger`` seconds. Closed at once, it would be reset, and a client that reads its answer only after it
    has written would lose it (RFC 9112, section 9.6). A client that takes nothing for ``stalled`` seconds is cut off.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        is_unread: Callable[[], bool],
        linger: float,
        stalled: float,
    ) -> None:
        self._transport, self._loop = transport, loop
        self._is_unread, self._linger, self._stalled = is_unread, linger, stalled
        self._pieces: list[bytes] = []
        self._ending: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._written = self._taken = 0
        self.get_extra_info = transport.get_extra_info
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.set_protocol = transport.set_protocol

    @property
    def is_lingering(self) -> bool:
        """Whether all that is sent has been written, and the rest of a request is awaited only to be discarded."""
        return self._ending is not None

    def is_closing(self) -> bool:
        """Tell whether nothing more will be written."""
        return self.is_lingering or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Write data at the end of this turn; at once when it is large."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        if len(data) > _SMALL:
            self._flush()

    def close(self) -> None:
        """Write what is left and close, at once or when the client has sent what it had begun to."""
        if self.is_closing():
            return
        self._flush()
        if self._is_unread():
            self._transport.write_eof()
            self._transport.resume_reading()
            self._ending = self._loop.call_later(self._linger, self._transport.close)
        else:
            self._transport.close()

    def end(self) -> None:
        """Close, whatever the client is about to send."""
        self._flush()
        self._transport.close()

    def lost(self) -> None:
        """Take it that the connection is closed: nothing is waited for any more."""
        self._pieces.clear()
        for timer in (self._ending, self._watch):
            if timer:
                timer.cancel()

    def _flush(self) -> None:
        if not self._pieces:
            return
        pieces, self._pieces = self._pieces, []
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._transport.write(data)
        self._written += len(data)
        if self._watch is None and self._transport.get_write_buffer_size():
            self._watch = self._loop.call_later(self._stalled, self._look)

    def _look(self) -> None:
        """Cut the client off when it has taken nothing since the last look."""
        left = self._transport.get_write_buffer_size()
        before, self._taken, self._watch = self._taken, self._written - left, None
        if not left:
            return
        if self._taken == before:
            self._transport.abort()
        else:
            self._watch = self._loop.call_later(self._stalled, self._look)
