"""A transport that coalesces writes, and closes without losing a response on its way."""

import asyncio
from collections.abc import Callable

# Data larger than this (bytes) is written at once: copying it costs more than another system call.
_MAX_COALESCED_BYTES = 1 << 16


class CoalescingTransport:
    """Wraps a transport so that all writes of one iteration of the event loop are sent together.

    ``is_unread`` returns whether part of a request is still to be received. Closing the connection then shuts down the
    sending side only, and the rest is discarded for at most ``linger`` seconds: closed at once, the connection would be
    reset, and a client that reads only after it has written would lose the response (RFC 9112, section 9.6). A client
    that reads nothing for ``stalled`` seconds is disconnected.
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
        self._linger_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._written = self._sent = 0
        self.get_extra_info = transport.get_extra_info
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.set_protocol = transport.set_protocol

    @property
    def is_lingering(self) -> bool:
        """Whether the sending side is shut down, and what is still received is discarded."""
        return self._linger_timer is not None

    def is_closing(self) -> bool:
        """Return whether nothing more can be written."""
        return self.is_lingering or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Write data at the end of this iteration of the event loop; at once when it is large."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        if len(data) > _MAX_COALESCED_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is buffered and close, after lingering when part of a request is unread."""
        if self.is_closing():
            return
        self._flush()
        if self._is_unread():
            self._transport.write_eof()
            self._transport.resume_reading()
            self._linger_timer = self._loop.call_later(self._linger, self._transport.close)
        else:
            self._transport.close()

    def end(self) -> None:
        """Write what is buffered and close without lingering."""
        self._flush()
        self._transport.close()

    def lost(self) -> None:
        """Drop the buffer and cancel all timers, since the connection is closed."""
        self._pieces.clear()
        for timer in (self._linger_timer, self._stall_timer):
            if timer:
                timer.cancel()

    def _flush(self) -> None:
        if not self._pieces:
            return
        pieces, self._pieces = self._pieces, []
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._transport.write(data)
        self._written += len(data)
        if self._stall_timer is None and self._transport.get_write_buffer_size():
            self._stall_timer = self._loop.call_later(self._stalled, self._check_progress)

    def _check_progress(self) -> None:
        """Disconnect the client when it has read nothing since the last check."""
        buffered = self._transport.get_write_buffer_size()
        before, self._sent, self._stall_timer = self._sent, self._written - buffered, None
        if not buffered:
            return
        if self._sent == before:
            self._transport.abort()
        else:
            self._stall_timer = self._loop.call_later(self._stalled, self._check_progress)
