"""The statements of an open release by patterns: those of a subject as written, links and labels from the engine."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyoxigraph as ox

from twingraph.errors import DamagedStoreError
from twingraph.store.exact import ExactStatements


class ReleaseStatements:
    """The statements of a release: ``exact`` has its files, ``store`` all its graphs in the engine.

    ``labels`` are the properties for names, IRIs, the best first. If ``has_merge``, the store also contains the merge
    of all graphs as its default graph.
    """

    def __init__(self, exact: ExactStatements, store: ox.Store, labels: Sequence[str], *, has_merge: bool) -> None:
        self._exact, self._store, self._has_merge = exact, store, has_merge
        self._labels = tuple(filter(self._is_used, map(ox.NamedNode, labels)))

    def about(self, subject: ox.NamedNode | ox.BlankNode) -> Iterator[ox.Quad]:
        """Return the statements with this subject, as they were written."""
        return _parsed(self._exact.about(subject))

    def below(self, namespace: str) -> Iterator[ox.Quad]:
        """Return the statements whose subject is an IRI that begins with a namespace."""
        return _parsed(self._exact.beginning_with(f"<{namespace}".encode()))

    def links_into(self, iri: ox.NamedNode) -> Iterator[ox.Quad]:
        """Return the statements with this object, in an order that stays the same."""
        return self._matching(None, None, iri)

    def labels(self, iri: ox.NamedNode) -> Iterator[ox.Quad]:
        """Return the names of a thing by the first property by which it has any."""
        for name in self._labels:
            found = tuple(self._matching(iri, name, None))
            if found:
                return iter(found)
        return iter(())

    def near(self, iri: str) -> Iterator[str]:
        """Return IRIs of subjects around the place where this one would be."""
        with _damage_named():
            for subject in self._exact.near(f"<{iri}".encode()):
                if subject.startswith(b"<"):
                    yield subject[1:-1].decode()

    def _is_used(self, name: ox.NamedNode) -> bool:
        return next(self._store.quads_for_pattern(None, name, None, None), None) is not None

    def _matching(
        self, subject: ox.NamedNode | None, predicate: ox.NamedNode | None, value: ox.NamedNode | None
    ) -> Iterator[ox.Quad]:
        for quad in self._store.quads_for_pattern(subject, predicate, value, None):
            if not (self._has_merge and isinstance(quad.graph_name, ox.DefaultGraph)):
                yield quad


def _parsed(blocks: Iterator[bytes]) -> Iterator[ox.Quad]:
    with _damage_named():
        for block in blocks:
            yield from ox.parse(block, format=ox.RdfFormat.N_QUADS)


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, SyntaxError) as error:
        raise DamagedStoreError("the file of the statements is damaged or cannot be read") from error
