"""uvicorn's exchange of a request for a response, with a short way for a response whose head is encoded already."""

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from twingraph.server.http.complete_response import ENCODED, LENGTH

_OK = b"HTTP/1.1 200 OK\r\n"
_CLOSE = b"connection: close\r\n"


class RequestCycle(RequestResponseCycle):
    """A cycle that does not look at each field of a `CompleteResponse`."""

    async def send(self, message: Any) -> None:
        """Send a message of ASGI."""
        is_ready = not (self.flow.write_paused or self.disconnected or self.response_started)
        if not is_ready or message.get(ENCODED) is None or message["status"] != HTTPStatus.OK:
            await super().send(message)
            return
        self.response_started, self.waiting_for_100_continue, self.chunked_encoding = True, False, False
        self.expected_content_length = message[LENGTH]
        content = [_OK, *[b"%b: %b\r\n" % field for field in self.default_headers], message[ENCODED]]
        content.append(b"\r\n" if self.keep_alive else _CLOSE + b"\r\n")
        self.transport.write(b"".join(content))
