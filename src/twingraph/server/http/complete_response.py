"""A response that is all there, its head encoded once for every client that gets it."""

from collections.abc import Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from twingraph.server.http.headers import COMMON_HEADERS

# An extension of ASGI that the server may offer in a scope, and the type of its one message, which holds the encoded
# header fields as `encoded`, the `body`, what the log calls its `format`, and as `plain` the two messages instead of
# which it is sent.
COMPLETE = "twingraph.response.complete"


class CompleteResponse:
    """A successful response with its final header fields, an ASGI application."""

    __slots__ = ("_message", "body")
    _message: dict[str, Any]

    def __init__(self, body: bytes, headers: Sequence[tuple[bytes, bytes]], format_: str) -> None:
        self.body = body
        fields = [*headers, (b"content-length", b"%d" % len(body)), *COMMON_HEADERS]
        encoded = b"".join([b"%b: %b\r\n" % field for field in fields])
        start = {"type": "http.response.start", "status": 200, "headers": fields}
        plain = (start, {"type": "http.response.body", "body": body})
        self._message = {"type": COMPLETE, "encoded": encoded, "body": body, "format": format_, "plain": plain}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if COMPLETE in scope.get("extensions", ()):
            await send(self._message)
            return
        for message in self._message["plain"]:
            await send(message)
