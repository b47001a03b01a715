"""How much is in a release: counted from its canonical lines, of the whole and of each named graph."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, takewhile
from operator import itemgetter

import pyoxigraph as ox

from twingraph.publication.evidence import Document
from twingraph.rdf.iris import canonical_language
from twingraph.rdf.nquads import NQuads, Row
from twingraph.release.manifest import ClassCount

_TYPE = b"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_NAMES = (
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://purl.org/dc/terms/title",
)


@dataclass(slots=True)
class Tally:
    """How much is in a graph: its triples, subjects, things of each class and triples of each property.

    Terms stand as in N-Quads.
    """

    triples: int = 0
    subjects: int = 0
    properties: Counter[bytes] = field(default_factory=Counter)
    classes: Counter[bytes] = field(default_factory=Counter)


@dataclass(slots=True)
class Counts:
    """The tally of the whole, in which a triple counts once however many graphs hold it, and of each graph by its IRI.

    The statements in no named graph are under the empty name; ``examples`` has the first thing of each class.
    """

    whole: Tally = field(default_factory=Tally)
    graphs: dict[str, Tally] = field(default_factory=dict)
    examples: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def quads(self) -> int:
        """The number of quads."""
        return sum(tally.triples for tally in self.graphs.values())


def count(lines: NQuads) -> Counts:
    """Return how much is in canonical lines, which are sorted."""
    counter = _Counter()
    for rows in lines.rows():
        counter.add(rows)
    return counter.counts


def graph_counts(counts: Counts) -> dict[str, int]:
    """Return the number of quads in each named graph, the default graph's under the empty name."""
    return {name: tally.triples for name, tally in counts.graphs.items()}


def class_counts(counts: Counts, names: Mapping[str, Mapping[str, str]]) -> dict[str, ClassCount]:
    """Return the number of distinct things of each class, whichever graph says so, with ``names`` of the class."""
    classes = {class_.decode()[1:-1]: things for class_, things in counts.whole.classes.items()}
    return {iri: ClassCount(things=things, labels=dict(names.get(iri, {}))) for iri, things in classes.items()}


def names(lines: NQuads, things: set[str]) -> dict[str, dict[str, str]]:
    """Return what each of the things is called, IRI -> language -> name; the first in code point order of several."""
    found: dict[str, dict[str, str]] = {thing: {} for thing in things}
    for quad in lines.with_predicates(_NAMES):
        known = found.get(str(getattr(quad.subject, "value", "")))
        if known is not None and isinstance(quad.object, ox.Literal):
            language = canonical_language(quad.object.language or "")
            known[language] = min(known.get(language, quad.object.value), quad.object.value)
    return found


def document_names(documents: Iterable[Document], names: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the names of each source document, its file's where the data give none."""
    return {one.iri: dict(names.get(one.iri) or {"": one.file_name}) for one in documents}


class _Counter:
    """Counts sorted rows block by block; what a block has in common with the one before it counts once."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._last: Row = (b"", b"", b"", b"")
        self._last_graphs: set[bytes] = set()

    def add(self, rows: list[Row]) -> None:
        """Count some rows."""
        whole = self.counts.whole
        repeated = [row for before, row in zip(chain((self._last,), rows), rows, strict=False) if before[:3] == row[:3]]
        self._add_triples(Counter(map(itemgetter(3, 1), rows)), len(rows) - len(repeated))
        whole.properties.subtract(map(itemgetter(1), repeated))
        self._add_things([row for row in rows if row[1] == _TYPE and row[2].startswith(b"<")])
        whole.classes.subtract(row[2] for row in repeated if row[1] == _TYPE and row[2].startswith(b"<"))
        self._add_subjects(rows)

    def _add_triples(self, found: Counter[tuple[bytes, bytes]], distinct: int) -> None:
        self.counts.whole.triples += distinct
        for (graph, predicate), number in found.items():
            tally = self._tally(graph)
            tally.triples += number
            tally.properties[predicate] += number
            self.counts.whole.properties[predicate] += number

    def _add_things(self, rows: list[Row]) -> None:
        for (graph, class_), number in Counter(map(itemgetter(3, 2), rows)).items():
            self._tally(graph).classes[class_] += number
            self.counts.whole.classes[class_] += number
        for subject, _, class_, _ in rows:
            self.counts.examples.setdefault(class_, subject)

    def _add_subjects(self, rows: list[Row]) -> None:
        first, last = rows[0][0], rows[-1][0]
        again = first == self._last[0]
        pairs = set(map(itemgetter(0, 3), rows))
        self.counts.whole.subjects += len({subject for subject, _ in pairs}) - again
        for graph, number in Counter(graph for _, graph in pairs).items():
            self._tally(graph).subjects += number
        for graph in _graphs(first, rows) & self._last_graphs if again else ():
            self._tally(graph).subjects -= 1
        self._last_graphs = _graphs(last, reversed(rows)) | (self._last_graphs if again and first == last else set())
        self._last = rows[-1]

    def _tally(self, graph: bytes) -> Tally:
        return self.counts.graphs.setdefault(graph.decode().strip("<>"), Tally())


def _graphs(subject: bytes, rows: Iterable[Row]) -> set[bytes]:
    """Return the graphs of the first rows, which are about a subject."""
    return {row[3] for row in takewhile(lambda row: row[0] == subject, rows)}
