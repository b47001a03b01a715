"""Limits on the head of a request while it is received, and checks of its Host (RFC 9112, sections 3 and 5)."""

import re
from collections.abc import Sequence
from http import HTTPStatus

from twingraph.errors import RequestError
from twingraph.settings import Limits

# `host[:port]` with the names of DNS and container networks, and IP literals. RFC 3986 also allows `$`, `'`, `%41` and
# the like; no host has such a name, and pages show the authority in commands that are meant to be copied.
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?")
_MAX_PORT = 65535
# Bytes of a field line besides name and value: the colon, a space, and CRLF.
_FIELD_OVERHEAD = 4

_MALFORMED = "this is not an HTTP/1.1 request (RFC 9112)"
_ONE_HOST = "an HTTP/1.1 request must have exactly one Host header field (RFC 9112, section 3.2)"
_NO_HOST = "the Host header field is not host[:port]"


class RequestHead:
    """Counts the bytes and fields of a request's head and trailers; raises RequestError when a limit is exceeded."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._max_fields, self._max_bytes = limits, limits.header_fields, limits.header_bytes
        self.begin()

    def begin(self) -> None:
        """Reset all counts for the next request."""
        self._target = self._section = self._fields = self._pending = self._trailers = self._trailer_bytes = 0
        self.is_complete = self.is_forwarded = self.expects_continue = False

    def count_target(self, size: int) -> None:
        """Count bytes of the request target."""
        self._target += size
        if self._target > self._limits.target_bytes:
            limit = (
                f"the request target may have at most {self._limits.target_bytes} bytes; send longer queries by POST"
            )
            raise RequestError(HTTPStatus.REQUEST_URI_TOO_LONG, limit)

    def count(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Check number and size of the header fields received so far."""
        self._check(len(headers), sum([len(name) + len(value) + _FIELD_OVERHEAD for name, value in headers]))

    def count_trailer(self, name: bytes, value: bytes) -> None:
        """Count a trailer field, in addition to the header fields."""
        self._trailers += 1
        self._trailer_bytes += len(name) + len(value) + _FIELD_OVERHEAD
        self._check(self._fields + self._trailers, self._section + self._trailer_bytes)

    def count_unfinished(self, size: int) -> None:
        """Count bytes of a field line that is still incomplete."""
        self._pending += size
        if self._pending > self._max_bytes:
            raise _too_large(f"{self._max_bytes} bytes")

    def forget_unfinished(self) -> None:
        """Reset the count of unfinished bytes: at least one field line is complete."""
        self._pending = 0

    def complete(self, headers: Sequence[tuple[bytes, bytes]], version: str) -> None:
        """Check all header fields, names in lower case, and the authority in Host, once the head is complete."""
        section, hosts = 0, []
        for name, value in headers:
            section += len(name) + len(value) + _FIELD_OVERHEAD
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
        if fields > self._max_fields:
            raise _too_large(f"{self._max_fields} fields")
        if section > self._max_bytes:
            raise _too_large(f"{self._max_bytes} bytes")


def malformed() -> RequestError:
    """Return the error for what cannot be parsed: a new one each time, for it keeps the frames that raise it."""
    return RequestError(HTTPStatus.BAD_REQUEST, _MALFORMED)


def _too_large(limit: str) -> RequestError:
    detail = f"the header section of a request may have at most {limit}"
    return RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)


def _is_authority(value: bytes) -> bool:
    found = _AUTHORITY.fullmatch(value)
    return found is not None and int(found[1] or 0) <= _MAX_PORT
