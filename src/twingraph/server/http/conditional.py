"""Conditional requests (RFC 9110, section 13): what ``If-None-Match`` asks, in one place for all routes."""

import re
from http import HTTPStatus

from twingraph.server.http.fields import MAX_BYTES

_TAG = re.compile(r"(?:W/)?(\"[^\"\x00-\x20\x7f]*+\")")


def precondition(method: str, given: bytes, etag: str | None, *, exists: bool) -> HTTPStatus | None:
    """Return the status that answers a request whose ``If-None-Match`` is false, None when it is to be performed.

    ``etag`` is that of the selected representation, which ``exists`` when it is known to be one: ``*`` is false only
    then (section 13.1.2). Tags are compared weakly (section 8.8.3.2). A field that is too long to be read is none.
    """
    if not given or len(given) > MAX_BYTES:
        return None
    text = given.decode("latin-1")
    any_tag = text.strip() == "*"
    if any_tag and not exists:
        return None
    if not any_tag and (etag is None or etag.removeprefix("W/") not in _TAG.findall(text)):
        return None
    return HTTPStatus.NOT_MODIFIED if method in ("GET", "HEAD") else HTTPStatus.PRECONDITION_FAILED
