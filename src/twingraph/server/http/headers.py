"""Request header fields: lists of weighted preferences, and conditional requests (RFC 9110, sections 12 and 13).

``Accept``, ``Accept-Encoding`` and ``Accept-Language`` are read in one pass however hostile they are, and refused when
they are longer than any client's (section 5.4).
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from twingraph.errors import RequestError

# Browsers may read every response from pages of other origins (CORS, https://fetch.spec.whatwg.org/): all of it is
# public, there are no cookies and nothing can be changed. So failures and redirects have these fields too.
COMMON_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Allow, Answer-Cut, ETag, Link, Location, Retry-After, Twingraph-Limits"),
    (b"x-content-type-options", b"nosniff"),
]
# Real clients send some hundred bytes; Jena, the most talkative, less than 500.
MAX_BYTES = 8192
MAX_MEMBERS = 100

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
# A quote that does not end goes on to the end of the field. Possessive: nothing is read twice.
_QUOTED = r"\"(?:[^\"\\]++|\\.)*+\"?"
_MEMBER = re.compile(rf"(?:[^,\"]++|{_QUOTED})++")
_SECTION = re.compile(rf"(?:[^;\"]++|{_QUOTED})++")
_WEIGHT = re.compile(r"\s*+[qQ]\s*+=\s*+(?:(0(?:\.\d*+)?|1(?:\.0*+)?)|[^;]*+)\s*+", re.ASCII)
_ENTITY_TAG = re.compile(r"(?:W/)?(\"[^\"\x00-\x20\x7f]*+\")")
_IS_TOKEN = re.compile(rf"{_TOKEN}(?:/{_TOKEN})?")


class Weighted(NamedTuple):
    """A member of such a list: its ``value`` in lower case and its ``weight`` (section 12.4.2)."""

    value: str
    weight: float


def weighted(text: str) -> Sequence[Weighted]:
    """Return the members of a list with their weights; one that cannot be read is skipped, as other servers do.

    Parameters other than ``q`` (``charset=utf-8``, ``profile=...``) are passed over. Raises RequestError (431) for a
    field that is too long or has too many members.
    """
    if len(text) > MAX_BYTES:
        raise _too_large(f"a field that lists preferences may have {MAX_BYTES} bytes at most")
    members = _MEMBER.findall(text) if '"' in text else text.split(",")
    if len(members) > MAX_MEMBERS:
        raise _too_large(f"a field that lists preferences may have {MAX_MEMBERS} members at most")
    return [read for member in members if (read := _weighted(member)) is not None]


def accepts_gzip(text: str) -> bool:
    """Tell whether a response may be compressed by gzip, by the Accept-Encoding of its request (section 12.5.3)."""
    if "gzip" not in text and "*" not in text:
        return False
    weights = dict(weighted(text))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


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
    if not any_tag and (etag is None or etag.removeprefix("W/") not in _ENTITY_TAG.findall(text)):
        return None
    return HTTPStatus.NOT_MODIFIED if method in ("GET", "HEAD") else HTTPStatus.PRECONDITION_FAILED


def _weighted(member: str) -> Weighted | None:
    value, *parameters = _SECTION.findall(member) if '"' in member else member.split(";")
    value = value.strip().lower()
    if not _IS_TOKEN.fullmatch(value):
        return None
    weight = 1.0
    for parameter in parameters:
        if match := _WEIGHT.fullmatch(parameter):
            if match[1] is None:
                return None
            weight = float(match[1])
            break
    return Weighted(value, weight)


def _too_large(detail: str) -> RequestError:
    return RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
