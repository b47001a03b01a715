"""Request header fields: lists of weighted preferences, and conditional requests (RFC 9110, sections 12 and 13).

``Accept``, ``Accept-Encoding`` and ``Accept-Language`` are parsed in linear time whatever they contain, and rejected
when they are far longer than what clients send (section 5.4).
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from twingraph.errors import RequestError

# Pages of all origins may read all responses, errors and redirects included (CORS, https://fetch.spec.whatwg.org/):
# everything is public and read-only, and there are no cookies.
COMMON_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Accept-Ranges, Allow, Answer-Cut, Content-Range, ETag, Link, Location, Repr-Digest, Retry-After, "
        b"Twingraph-Limits",
    ),
    (b"x-content-type-options", b"nosniff"),
]
# Real clients send a few hundred bytes; Jena, with the longest field, sends less than 500.
MAX_BYTES = 8192
MAX_MEMBERS = 100

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
# An unterminated quoted string extends to the end of the field. Possessive quantifiers prevent backtracking.
_QUOTED = r"\"(?:[^\"\\]++|\\.)*+\"?"
_MEMBER = re.compile(rf"(?:[^,\"]++|{_QUOTED})++")
_SECTION = re.compile(rf"(?:[^;\"]++|{_QUOTED})++")
_WEIGHT = re.compile(r"\s*+[qQ]\s*+=\s*+(?:(0(?:\.\d*+)?|1(?:\.0*+)?)|[^;]*+)\s*+", re.ASCII)
_ENTITY_TAG = re.compile(r"(?:W/)?(\"[^\"\x00-\x20\x7f]*+\")")
_IS_TOKEN = re.compile(rf"{_TOKEN}(?:/{_TOKEN})?")


class Weighted(NamedTuple):
    """A member of a list of preferences: its ``value`` in lower case and its ``weight`` (section 12.4.2)."""

    value: str
    weight: float


def weighted(text: str) -> Sequence[Weighted]:
    """Return the members of a list with their weights; malformed members are skipped, as in other servers.

    Parameters other than ``q`` (``charset=utf-8``, ``profile=...``) are ignored. Raises RequestError (431) for a field
    that is too long or has too many members.
    """
    if len(text) > MAX_BYTES:
        raise _too_large(f"a field that lists preferences may have at most {MAX_BYTES} bytes")
    members = _MEMBER.findall(text) if '"' in text else text.split(",")
    if len(members) > MAX_MEMBERS:
        raise _too_large(f"a field that lists preferences may have at most {MAX_MEMBERS} members")
    return [parsed for member in members if (parsed := _weighted(member)) is not None]


def accepts_gzip(text: str) -> bool:
    """Return whether an Accept-Encoding field accepts gzip (section 12.5.3)."""
    if "gzip" not in text and "*" not in text:
        return False
    weights = dict(weighted(text))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def precondition(method: str, if_none_match: bytes, etag: str | None, *, exists: bool) -> HTTPStatus | None:
    """Return the status for a request whose ``If-None-Match`` is false, None when the request is to be performed.

    ``etag`` is that of the selected representation, and ``exists`` says whether there is known to be one: ``*`` is
    false only then (section 13.1.2). Tags are compared weakly (section 8.8.3.2). A field that is too long is ignored.
    """
    if not if_none_match or len(if_none_match) > MAX_BYTES:
        return None
    text = if_none_match.decode("latin-1")
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
