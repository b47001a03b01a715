"""Connections: uvicorn's, with two things that it leaves open.

The head and the body of an answer go out in one write, which spares a system call and a packet for each answer. And a
client that begins a request must end its head in time, else it would hold a connection for nothing.
"""

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# What is worth putting together; larger bodies are passed on as they are.
_SMALL = 1 << 16
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Gathering:
    """A transport that puts together what is written to it in one turn of the loop; all else is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        """Write data at the end of this turn; at once when it is large."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        if len(data) > _SMALL:
            self._flush()

    def close(self) -> None:
        """Write what is left and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))


class Connection(HttpToolsProtocol):
    """A connection of which each request's head is to be there in so many ``seconds`` after it began."""

    def __init__(self, *arguments: Any, seconds: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seconds = seconds
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection, and wait for its first request."""
        super().connection_made(cast(asyncio.Transport, Gathering(transport, self.loop)))
        self._await_head()

    def on_message_begin(self) -> None:
        """Take the first byte of a request."""
        super().on_message_begin()
        if self._patience is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Take the end of a head."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take it that the connection is closed."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(self._seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self.transport.write(_TIMEOUT)
        self.transport.close()


def configuration(app: Any, seconds: float) -> Config:
    """Return how uvicorn serves an application, whose requests' heads must be there in so many ``seconds``."""
    connection: Any = partial(Connection, seconds=seconds)
    return Config(app, http=connection, log_config=None, access_log=False, server_header=False)
