"""A response whose body is complete and whose head is encoded once, for all clients that receive it."""

from collections.abc import Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from twingraph.server.http.headers import COMMON_HEADERS

# An ASGI extension that the server may offer in a scope, and the type of its only message: `encoded` are the encoded
# header fields, `body` is the body, `format` the name that is logged, and `plain` the two standard messages that it
# replaces.
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
        """Send the response, in one message where the server supports that."""
        if COMPLETE in scope.get("extensions", ()):
            await send(self._message)
            return
        for message in self._message["plain"]:
            await send(message)
