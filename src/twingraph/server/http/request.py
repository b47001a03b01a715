"""A request as routes see it: its header fields, and its parameters (``application/x-www-form-urlencoded``)."""

import asyncio
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope

from twingraph.errors import RequestError
from twingraph.server.http.access_log import RequestLog, log_of

FORM = "application/x-www-form-urlencoded"
# The SPARQL Protocol has four parameters, of which only those that name graphs are repeated.
MAX_FIELDS = 1000
# How many bytes are decoded before other requests get a turn; it takes a few milliseconds at worst.
_SLICE_BYTES = 32_768


class HttpRequest:
    """The scope of a request, with its header fields by name and its log.

    It is lighter than `starlette.requests.Request`, which can be used for whatever else is in the scope.
    """

    __slots__ = ("_fields", "log", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.log: RequestLog = log_of(scope)
        self._fields: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            # Fields of the same name form one list (RFC 9110, section 5.3).
            self._fields[name] = b"%b,%b" % (self._fields[name], value) if name in self._fields else value

    @property
    def method(self) -> str:
        """The method, in upper case."""
        method: str = self.scope["method"]
        return method

    @property
    def client(self) -> str:
        """The address of the client, empty when it has none."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def query_string(self) -> bytes:
        """The query component of the request target, still encoded."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def path_params(self) -> dict[str, str]:
        """The path parameters, by name."""
        found: dict[str, str] = self.scope.get("path_params", {})
        return found

    def field(self, name: bytes) -> bytes:
        """Return the value of a header field by its name in lower case, empty when it is absent."""
        return self._fields.get(name, b"")


async def parameters(encoded: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a query component or a form in order, those without a value included.

    Raises RequestError when there are too many or they are not UTF-8.
    """
    if encoded.count(b"&") >= MAX_FIELDS:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"there are more than {MAX_FIELDS} parameters")
    pairs = (pair.partition(b"=") for pair in encoded.split(b"&") if pair)
    return [(await _decoded(name), await _decoded(value)) for name, _, value in pairs]


async def _decoded(text: bytes) -> str:
    text = text.replace(b"+", b" ")
    if b"%" in text:
        text = unquote_to_bytes(text) if len(text) <= _SLICE_BYTES else await _unescaped_in_slices(text)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the parameters are not UTF-8: {error.reason}") from error


async def _unescaped_in_slices(text: bytes) -> bytes:
    slices, start = [], 0
    while start < len(text):
        end = start + _SLICE_BYTES
        # Do not split a percent-encoded triplet.
        end -= next((back for back in (1, 2) if text[end - back : end - back + 1] == b"%"), 0)
        slices.append(unquote_to_bytes(text[start:end]))
        start = end
        await asyncio.sleep(0)
    return b"".join(slices)
