"""Suggestions: which known name is near one that is unknown, in a time that does not grow with the number of both."""

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property

from twingraph.rdf.iris import Iris, namespace

# Comparing one name with ten thousand takes some tenths of a second.
_MAX_KNOWN = 10_000
_MAX_COMPARISONS = 200_000


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the remedy ``otherwise``, preceded by the known names that are similar to ``name``, if any."""
    return _remedy(get_close_matches(name, list(known), n=2, cutoff=0.75), otherwise)


def _remedy(near: list[str], otherwise: str) -> str:
    return f"did you mean {' or '.join(near)}? {otherwise}" if near else otherwise


class Suggestions:
    """Finds the known IRIs of the same namespace that are similar to an unknown one, for as many as is cheap."""

    def __init__(self, known: Iterable[str], iris: Iris) -> None:
        self._known, self._iris, self._left = known, iris, _MAX_COMPARISONS

    def remedy(self, iri: str, otherwise: str) -> str:
        """Return the remedy ``otherwise``, preceded by similar names, if any."""
        within = namespace(iri)
        names = self._by_namespace.get(within, [])
        self._left -= len(names)
        if self._left < 0 or len(names) > _MAX_KNOWN:
            return otherwise
        near = get_close_matches(iri.removeprefix(within), names, n=2, cutoff=0.7)
        return _remedy([self._iris.shorten(within + name) for name in near], otherwise)

    @cached_property
    def _by_namespace(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for iri in sorted(self._known):
            found[namespace(iri)].append(iri.removeprefix(namespace(iri)))
        return dict(found)
