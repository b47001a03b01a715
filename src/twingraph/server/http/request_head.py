"""The head of a request as it comes: how long it may be, and whose authority it names (RFC 9112, sections 3 and 5)."""

import re
from http import HTTPStatus

from twingraph.errors import RequestError
from twingraph.settings import Limits

# `host[:port]` as DNS, container networks and literal addresses have it. RFC 3986 also takes `$`, `'`, `%41` and their
# like; no host is called so, and pages show the authority within commands to be copied.
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?")
_LAST_PORT = 65535
# `name: value` and the end of the line.
_AROUND = 4

MALFORMED = RequestError(HTTPStatus.BAD_REQUEST, "this is not a request of HTTP/1.1 (RFC 9112)")
_ONE_HOST = "a request of HTTP/1.1 has one Host header (RFC 9112, section 3.2)"
_NO_HOST = "the Host header is not host[:port]"


class RequestHead:
    """Counts what has come of a request's head, and of the trailers after its body; raises RequestError at a bound."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.begin()

    def begin(self) -> None:
        """Count anew, for the next request."""
        self._target = self._section = self._fields = self._pending = 0
        self._hosts: list[bytes] = []
        self.is_complete = False

    def take_target(self, size: int) -> None:
        """Count bytes of the request target."""
        self._target += size
        if self._target > self._limits.target_bytes:
            most = f"the address of a request may have {self._limits.target_bytes} bytes; send longer queries by POST"
            raise RequestError(HTTPStatus.REQUEST_URI_TOO_LONG, most)

    def take_field(self, name: bytes, value: bytes) -> None:
        """Count a header field, whose name is in lower case, or one of the trailers."""
        self._fields += 1
        self._section += len(name) + len(value) + _AROUND
        if self._fields > self._limits.header_fields:
            raise _too_large(f"{self._limits.header_fields} fields")
        if self._section > self._limits.header_bytes:
            raise _too_large(f"{self._limits.header_bytes} bytes")
        if name == b"host":
            self._hosts.append(value)

    def take_unfinished(self, size: int) -> None:
        """Count bytes that finish nothing: those of a field of which the end has not come."""
        self._pending += size
        if self._pending > self._limits.header_bytes:
            raise _too_large(f"{self._limits.header_bytes} bytes")

    def go_on(self) -> None:
        """Take it that something was finished."""
        self._pending = 0

    def complete(self, version: str) -> None:
        """Take the end of the head, and look at the authority that it names."""
        if len(self._hosts) > 1 or (not self._hosts and version == "1.1"):
            raise RequestError(HTTPStatus.BAD_REQUEST, _ONE_HOST)
        if self._hosts and not _is_authority(self._hosts[0]):
            raise RequestError(HTTPStatus.BAD_REQUEST, _NO_HOST)
        self.is_complete = True


def _too_large(most: str) -> RequestError:
    detail = f"the headers of a request may have {most} at most"
    return RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)


def _is_authority(value: bytes) -> bool:
    found = _AUTHORITY.fullmatch(value)
    return found is not None and int(found[1] or 0) <= _LAST_PORT
