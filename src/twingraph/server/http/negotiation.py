"""Content negotiation: the representation that a request prefers (RFC 9110, section 12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from starlette.requests import Request

from twingraph.errors import NotAcceptableError, UnknownNameError
from twingraph.rdf.formats import GRAPHS, HTML, RESULTS, Format, by_name
from twingraph.server.http.headers import MAX_BYTES, Weighted, field, weighted

# Clients send few and short fields again and again; a longer one is not worth remembering.
_SHORT = 500


@dataclass(frozen=True, slots=True)
class Preference:
    """Which representation a request prefers: its Accept field, and ``?format=``, which wins over it."""

    accept: str = ""
    format: str = ""

    def choose(self, offered: tuple[Format, ...]) -> Format:
        """Return the format to answer in; raises NotAcceptableError, also when no format is called so."""
        if len(self.accept) + len(self.format) < _SHORT:
            return _chosen(self, offered)
        return _chosen.__wrapped__(self, offered)

    def choose_or_none(self, offered: tuple[Format, ...]) -> Format | None:
        """Return the format to answer in, None when none on offer is acceptable."""
        try:
            return self.choose(offered)
        except NotAcceptableError:
            return None


class AnswerFormats(NamedTuple):
    """What an answer is given as, by the form of its query: solutions and graphs; None where nothing is acceptable."""

    results: Format | None
    graph: Format | None

    @property
    def has_page(self) -> bool:
        """Whether a page is preferred for one form at least."""
        return HTML in self

    @property
    def data(self) -> "AnswerFormats | None":
        """The formats without pages, None when there are none."""
        results, graph = (None if one == HTML else one for one in self)
        return AnswerFormats(results, graph) if results or graph else None


def answer_formats(preference: Preference) -> AnswerFormats:
    """Return what is preferred for each form of query, a page too; raises NotAcceptableError when nothing is."""
    formats = AnswerFormats(preference.choose_or_none((*RESULTS, HTML)), preference.choose_or_none((*GRAPHS, HTML)))
    if formats == (None, None):
        preference.choose((*RESULTS, *GRAPHS, HTML))  # raises, and says what there is for either form
    return formats


def preference_of(request: Request, parameters: Mapping[str, str]) -> Preference:
    """Return what a request's Accept field and the parameters of its address prefer."""
    return Preference(field(request.scope, b"accept").decode("latin-1"), parameters.get("format", ""))


def negotiate(accept: str, offered: Sequence[Format]) -> Format:
    """Choose among the formats on offer by an Accept field (section 12.5.1).

    The quality of a representation is that of the most specific media range it matches; among the best, a
    representation that was named wins over one that a wildcard admits, and then the earlier offered. A format
    chosen by one of its other media types is returned with that one as its media type. An absent or empty
    field, or one in which nothing can be read, accepts everything.

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
            # Strictly greater: the first of equals is the earlier offered.
            if rank > best_rank:
                best, best_rank = replace(format_, media_type=media_type), rank
    if best_rank[0] <= 0:
        raise NotAcceptableError(accept, (one.media_type for one in offered))
    return best


def _weights(ranges: Sequence[Weighted]) -> dict[str, float]:
    """Return the weight of each media range; of one that stands twice, the greater."""
    weights: dict[str, float] = {}
    for value, weight in ranges:
        weights[value] = max(weight, weights.get(value, 0.0))
    return weights


def _rank(media_type: str, weights: dict[str, float], *, is_primary: bool) -> tuple[float, int]:
    """Return the quality and specificity of a media type; another name of a format counts only when it is named."""
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
