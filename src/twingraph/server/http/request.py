"""A request as routes read it: its header fields, and its parameters (``application/x-www-form-urlencoded``)."""

import asyncio
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope

from twingraph.errors import RequestError
from twingraph.server.http.access_log import RequestLog, log_of

FORM = "application/x-www-form-urlencoded"
# The SPARQL Protocol knows four parameters; nobody names more graphs than this.
MAX_FIELDS = 1000
# Decoding so many bytes takes a few milliseconds at worst; others are answered before the next.
_SLICE = 32_768


class HttpRequest:
    """The scope of a request, its header fields read in one pass, and what is logged about it.

    Lighter than Starlette's, as one is made for each request; `starlette.requests.Request` reads the rest of a scope.
    """

    __slots__ = ("_fields", "log", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.log: RequestLog = log_of(scope)
        self._fields: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            # Several fields of a name are one list (RFC 9110, section 5.3).
            self._fields[name] = b"%b,%b" % (self._fields[name], value) if name in self._fields else value

    @property
    def method(self) -> str:
        """Its method, in upper case."""
        method: str = self.scope["method"]
        return method

    @property
    def client(self) -> str:
        """The address of the client, empty when it has none."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def query_string(self) -> bytes:
        """The query of its target, as it came."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def path_params(self) -> dict[str, str]:
        """The parameters in its path, by name."""
        found: dict[str, str] = self.scope.get("path_params", {})
        return found

    def field(self, name: bytes) -> bytes:
        """Return a header field by its name in lower case, empty when there is none."""
        return self._fields.get(name, b"")


async def parameters(encoded: bytes) -> list[tuple[str, str]]:
    """Return the names and values of an address or a form, in their order, those without a value too.

    Raises RequestError when there are far too many, or they are not UTF-8.
    """
    if encoded.count(b"&") >= MAX_FIELDS:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"there are more than {MAX_FIELDS} parameters")
    pairs = (pair.partition(b"=") for pair in encoded.split(b"&") if pair)
    return [(await _decoded(name), await _decoded(value)) for name, _, value in pairs]


async def _decoded(text: bytes) -> str:
    text = text.replace(b"+", b" ")
    if b"%" in text:
        text = unquote_to_bytes(text) if len(text) <= _SLICE else await _unescaped_in_slices(text)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the parameters are not UTF-8: {error.reason}") from error


async def _unescaped_in_slices(text: bytes) -> bytes:
    slices, start = [], 0
    while start < len(text):
        end = start + _SLICE
        # An escape is not divided.
        end -= next((back for back in (1, 2) if text[end - back : end - back + 1] == b"%"), 0)
        slices.append(unquote_to_bytes(text[start:end]))
        start = end
        await asyncio.sleep(0)
    return b"".join(slices)
