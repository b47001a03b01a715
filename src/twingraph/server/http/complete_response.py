"""A response that is all there, its head encoded once for every client that gets it."""

from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

from twingraph.server.http.headers import COMMON_HEADERS

# In a message of type `http.response.start`: its header fields as they are sent, the length of its body (bytes), and
# what the log calls its format.
ENCODED, LENGTH, FORMAT = "twingraph.encoded", "twingraph.length", "twingraph.format"


class CompleteResponse:
    """A successful response with its final header fields, an ASGI application."""

    __slots__ = ("_body", "_start", "body")

    def __init__(self, body: bytes, headers: Sequence[tuple[bytes, bytes]], format_: str) -> None:
        self.body = body
        fields = [*headers, (b"content-length", b"%d" % len(body)), *COMMON_HEADERS]
        encoded = b"".join([b"%b: %b\r\n" % field for field in fields])
        self._start = {
            "type": "http.response.start",
            "status": 200,
            "headers": fields,
            ENCODED: encoded,
            LENGTH: len(body),
            FORMAT: format_,
        }
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send(self._start)
        await send(self._body)
