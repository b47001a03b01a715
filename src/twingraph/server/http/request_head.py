"""The head of a request as it comes: how long it may be, and whose authority it names (RFC 9112, sections 3 and 5)."""

import re
from collections.abc import Sequence
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
        self._limits, self._most_fields, self._most_bytes = limits, limits.header_fields, limits.header_bytes
        self.begin()

    def begin(self) -> None:
        """Count anew, for the next request."""
        self._target = self._section = self._fields = self._pending = self._trailers = self._trailer_bytes = 0
        self.is_complete = self.is_forwarded = self.expects_continue = False

    def count_target(self, size: int) -> None:
        """Count bytes of the request target."""
        self._target += size
        if self._target > self._limits.target_bytes:
            most = f"the address of a request may have {self._limits.target_bytes} bytes; send longer queries by POST"
            raise RequestError(HTTPStatus.REQUEST_URI_TOO_LONG, most)

    def count(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Check the number and the size of the header fields that have come."""
        self._check(len(headers), sum([len(name) + len(value) + _AROUND for name, value in headers]))

    def count_trailer(self, name: bytes, value: bytes) -> None:
        """Count a field of the trailer, together with those of the head."""
        self._trailers += 1
        self._trailer_bytes += len(name) + len(value) + _AROUND
        self._check(self._fields + self._trailers, self._section + self._trailer_bytes)

    def count_unfinished(self, size: int) -> None:
        """Count bytes that finish nothing: those of a field of which the end has not come."""
        self._pending += size
        if self._pending > self._most_bytes:
            raise _too_large(f"{self._most_bytes} bytes")

    def forget_unfinished(self) -> None:
        """Start again to count unfinished bytes: a field or more has come whole."""
        self._pending = 0

    def complete(self, headers: Sequence[tuple[bytes, bytes]], version: str) -> None:
        """Check the header fields and the authority that they name, now that all have come; names in lower case."""
        section, hosts = 0, []
        for name, value in headers:
            section += len(name) + len(value) + _AROUND
            if name == b"host":
                hosts.append(value)
            elif name == b"expect":
                self.expects_continue = value.lower() == b"100-continue"
            elif name.startswith(b"x-forwarded"):
                self.is_forwarded = True
        self._fields, self._section = len(headers), section
        self._check(self._fields, section)
        if len(hosts) > 1 or (not hosts and version == "1.1"):
            raise RequestError(HTTPStatus.BAD_REQUEST, _ONE_HOST)
        if hosts and not _is_authority(hosts[0]):
            raise RequestError(HTTPStatus.BAD_REQUEST, _NO_HOST)
        self.is_complete = True

    def _check(self, fields: int, section: int) -> None:
        if fields > self._most_fields:
            raise _too_large(f"{self._most_fields} fields")
        if section > self._most_bytes:
            raise _too_large(f"{self._most_bytes} bytes")


def _too_large(most: str) -> RequestError:
    detail = f"the headers of a request may have {most} at most"
    return RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)


def _is_authority(value: bytes) -> bool:
    found = _AUTHORITY.fullmatch(value)
    return found is not None and int(found[1] or 0) <= _LAST_PORT
