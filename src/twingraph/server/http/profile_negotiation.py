"""Content Negotiation by Profile: ``Accept-Profile`` and ``?profile=`` (https://www.w3.org/TR/dx-prof-conneg/)."""

import re
from collections.abc import Collection, Mapping, Sequence

from twingraph.errors import NotAcceptableError
from twingraph.server.http.headers import MAX_BYTES
from twingraph.server.http.request import HttpRequest

# The second is the parameter by which the specification's functional profile asks.
_PARAMETERS = ("profile", "_profile")
_MEMBER = re.compile(r"\s*<([^<>\s]*)>\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.ASCII | re.I)
_MAX_MEMBERS = 100


def choose_profile(
    request: HttpRequest, parameters: Mapping[str, str], offered: Mapping[str, Collection[str]], default: str
) -> str:
    """Return the token of a profile, of those ``offered`` with the IRIs of each.

    A parameter has a token or an IRI; raises NotAcceptableError when none is offered under it. Of the profiles in the
    header field the one with the greatest weight is chosen, and ``default`` if it names none that is offered.
    """
    for name in _PARAMETERS:
        if value := parameters.get(name, ""):
            found = _token(value, offered)
            if found is None:
                raise NotAcceptableError(value[:MAX_BYTES], offered)
            return found
    weights = _weights(request.field(b"accept-profile").decode("latin-1"))
    ranked = sorted(((weight, _token(iri, offered)) for iri, weight in weights if weight > 0), key=lambda one: -one[0])
    return next((token for _, token in ranked if token), default)


def _token(value: str, offered: Mapping[str, Collection[str]]) -> str | None:
    bare = value.rstrip("/#")
    for token, iris in offered.items():
        if value.lower() == token or bare in {iri.rstrip("/#") for iri in iris}:
            return token
    return None


def _weights(field: str) -> Sequence[tuple[str, float]]:
    """Return the profiles of a header field with their weights, none if it is too long; malformed ones are skipped."""
    members = field.split(",") if len(field) <= MAX_BYTES else []
    found = (_MEMBER.fullmatch(member) for member in members[:_MAX_MEMBERS])
    return [(match[1], min(1.0, float(match[2] or 1))) for match in found if match]
