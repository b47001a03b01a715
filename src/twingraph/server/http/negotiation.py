"""Content negotiation: the representation that a request prefers (RFC 9110, section 12)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from twingraph.errors import NotAcceptableError, UnknownNameError
from twingraph.rdf.formats import GRAPHS, HTML, RESULTS, Format, by_name
from twingraph.server.http.headers import MAX_BYTES, Weighted, weighted
from twingraph.server.http.request import HttpRequest

# Only what is shorter is cached: clients send the same few, short fields again and again.
_MAX_CACHED_CHARACTERS = 500


class Preference(NamedTuple):
    """What determines the representation: the Accept field, and ``?format=``, which takes precedence."""

    accept: str = ""
    format: str = ""

    @property
    def is_short(self) -> bool:
        """Whether the result of negotiation is to be cached."""
        return len(self.accept) + len(self.format) < _MAX_CACHED_CHARACTERS

    def choose(self, offered: tuple[Format, ...]) -> Format:
        """Return the format for the response; raises NotAcceptableError, also for an unknown name of a format."""
        if self.is_short:
            return _chosen(self, offered)
        return _chosen.__wrapped__(self, offered)

    def choose_or_none(self, offered: tuple[Format, ...]) -> Format | None:
        """Return the format for the response, None when none of those offered is acceptable."""
        try:
            return self.choose(offered)
        except NotAcceptableError:
            return None


class AnswerFormats(NamedTuple):
    """The formats for solutions and for graphs, None if not acceptable; the query's form is not known yet."""

    results: Format | None
    graph: Format | None

    @property
    def has_page(self) -> bool:
        """Whether a page is preferred for at least one of them."""
        return HTML in self

    @property
    def data(self) -> "AnswerFormats | None":
        """The data formats, None when there are none."""
        results, graph = (None if one == HTML else one for one in self)
        return AnswerFormats(results, graph) if results or graph else None


def answer_formats(preference: Preference) -> AnswerFormats:
    """Return the preferred formats, a page included; raises NotAcceptableError when none is acceptable."""
    return _answer_formats(preference) if preference.is_short else _answer_formats.__wrapped__(preference)


@lru_cache(maxsize=256)
def _answer_formats(preference: Preference) -> AnswerFormats:
    formats = AnswerFormats(preference.choose_or_none((*RESULTS, HTML)), preference.choose_or_none((*GRAPHS, HTML)))
    if formats == (None, None):
        preference.choose((*RESULTS, *GRAPHS, HTML))  # raises an error that lists the formats for both
    return formats


def preference_of(request: HttpRequest, parameters: Mapping[str, str]) -> Preference:
    """Return the preference that a request expresses by its Accept field and its parameters."""
    return Preference(request.field(b"accept").decode("latin-1"), parameters.get("format", ""))


def negotiate(accept: str, offered: Sequence[Format]) -> Format:
    """Choose among the offered formats by an Accept field (section 12.5.1).

    The weight of a representation is that of the most specific media range that it matches. Among those of equal
    weight, a named media type wins over one that matches a wildcard, and then the one that is offered first. A format
    that is chosen by an alternative media type is returned with that media type. A field that is absent, empty or
    malformed accepts everything.

    Raises NotAcceptableError.
    """
    ranges = [one for one in weighted(accept) if "/" in one.value] if accept else []
    if not ranges:
        return offered[0]
    weights = _weights(ranges)
    best, best_rank = offered[0], (0.0, -1)
    for format_ in offered:
        for media_type in (format_.media_type, *format_.also):
            rank = _rank(media_type, weights, is_primary=media_type == format_.media_type)
            # Strictly greater, so that the first of equals is kept.
            if rank > best_rank:
                best, best_rank = replace(format_, media_type=media_type), rank
    if best_rank[0] <= 0:
        raise NotAcceptableError(accept, (one.media_type for one in offered))
    return best


def _weights(ranges: Sequence[Weighted]) -> dict[str, float]:
    """Return the weight of each media range; for a repeated range, the greatest."""
    weights: dict[str, float] = {}
    for value, weight in ranges:
        weights[value] = max(weight, weights.get(value, 0.0))
    return weights


def _rank(media_type: str, weights: dict[str, float], *, is_primary: bool) -> tuple[float, int]:
    """Return weight and specificity of a media type; an alternative one matches by name only, not by wildcard."""
    if media_type in weights:
        return weights[media_type], 2
    if is_primary:
        for specificity, media_range in ((1, f"{media_type.partition('/')[0]}/*"), (0, "*/*")):
            if media_range in weights:
                return weights[media_range], specificity
    return 0.0, -1


@lru_cache(maxsize=256)
def _chosen(preference: Preference, offered: tuple[Format, ...]) -> Format:
    if not preference.format:
        return negotiate(preference.accept, offered)
    try:
        return by_name(preference.format, offered)
    except UnknownNameError as error:
        raise NotAcceptableError(preference.format[:MAX_BYTES], error.known) from error
