"""Conditional requests for representations with known validators (RFC 9110, section 13), and small documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus

from starlette.responses import Response

from twingraph.errors import RequestError
from twingraph.server.http.headers import MAX_BYTES, precondition
from twingraph.server.http.request import HttpRequest


@dataclass(frozen=True, slots=True)
class Validators:
    """The entity tag of a representation, in quotes, and the time of its last change."""

    etag: str
    modified: datetime

    @property
    def headers(self) -> dict[str, str]:
        """The header fields that tell them."""
        return {"ETag": self.etag, "Last-Modified": format_datetime(self.modified, usegmt=True)}

    def status(self, request: HttpRequest) -> HTTPStatus | None:
        """Return 304 for what the client has, in the order of section 13.2.2; raises RequestError (412)."""
        if_match = request.field(b"if-match")
        if if_match:
            # The comparison is strong, and no tag of ours is weak (section 13.1.1).
            if if_match.strip() != b"*" and precondition("GET", if_match, self.etag, exists=True) is None:
                raise _failed()
        elif (unmodified := _date(request.field(b"if-unmodified-since"))) and self.modified > unmodified:
            raise _failed()
        if_none_match = request.field(b"if-none-match")
        if if_none_match:
            return precondition(request.method, if_none_match, self.etag, exists=True)
        since = _date(request.field(b"if-modified-since"))
        return HTTPStatus.NOT_MODIFIED if since and self.modified <= since else None

    def match_range(self, request: HttpRequest) -> bool:
        """Return whether ``If-Range`` lets the range be sent (section 13.1.5)."""
        value = request.field(b"if-range").decode("latin-1").strip()
        if not value:
            return True
        if value.startswith(('"', "W/")):
            return value == self.etag
        return _date(value.encode("latin-1")) == self.modified


def validators_of(content: bytes, created: str) -> Validators:
    """Return the validators of a document that was made at a time in ISO 8601."""
    return Validators(f'"{sha256(content).hexdigest()[:32]}"', moment(created))


def moment(created: str) -> datetime:
    """Return a time in ISO 8601 as header fields tell it: in whole seconds of UTC."""
    return datetime.fromisoformat(created).astimezone(UTC).replace(microsecond=0)


def document_response(request: HttpRequest, content: bytes, created: str, headers: Mapping[str, str]) -> Response:
    """Return the response to a conditional request for a small document."""
    validators = validators_of(content, created)
    told = {"Cache-Control": "no-cache", **headers, **validators.headers}
    if status := validators.status(request):
        del told["Content-Type"]
        return Response(status_code=status, headers=told)
    return Response(content, headers=told)


def _failed() -> RequestError:
    return RequestError(HTTPStatus.PRECONDITION_FAILED, "this is not the version that the request is about")


def _date(field: bytes) -> datetime | None:
    """Return the date of a header field, None if it is absent or malformed."""
    if not field or len(field) > MAX_BYTES:
        return None
    try:
        found = parsedate_to_datetime(field.decode("latin-1"))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
