"""The statements to check, and findings about them with label and location."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from twingraph.findings import Finding, Location, Severity, default_severity
from twingraph.rdf.blank_nodes import is_blank
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads, terms
from twingraph.rdf.positions import Locations
from twingraph.rdf.terms import Term, text

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
LABELS = ("http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel")


@dataclass(frozen=True, slots=True)
class Terms:
    """The distinct terms of statements, for checks that look at terms rather than at every statement."""

    subjects: frozenset[Term]
    predicates: frozenset[Term]
    objects: frozenset[Term]
    graphs: frozenset[Term]


@dataclass(frozen=True)
class Statements:
    """The quads of a publication, in the order of its files, with what is needed to report on them.

    ``languages`` are the preferred languages of labels, best first.
    """

    quads: Collection[ox.Quad]
    locations: Locations
    iris: Iris
    languages: tuple[str, ...] = ("en",)

    @cached_property
    def lines(self) -> NQuads:
        """The quads as lines."""
        return self.quads if isinstance(self.quads, NQuads) else NQuads.of(self.quads)

    @cached_property
    def terms(self) -> Terms:
        """The distinct terms of all statements, by position."""
        subjects, predicates, objects, graphs = set[bytes](), set[bytes](), set[bytes](), set[bytes]()
        for rows in self.lines.rows():
            for found, column in zip((subjects, predicates, objects, graphs), zip(*rows, strict=True), strict=True):
                found.update(column)
        graphs.discard(b"")  # the default graph has no name
        return Terms(*(frozenset(terms(written)) for written in (subjects, predicates, objects, graphs)))

    @cached_property
    def types(self) -> dict[str, set[str]]:
        """The classes that each IRI or blank node is an instance of."""
        types: dict[str, set[str]] = defaultdict(set)
        for subject, value in self.pairs(TYPE):
            types[subject].add(value)
        return dict(types)

    @cached_property
    def superclasses(self) -> dict[str, set[str]]:
        """The direct superclasses of each class."""
        above: dict[str, set[str]] = defaultdict(set)
        for subject, value in self.pairs(SUBCLASS):
            above[subject].add(value)
        return dict(above)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each IRI, in the most preferred language available."""
        best: dict[str, tuple[int, str]] = {}
        ranks = {tag.lower(): rank for rank, tag in enumerate(self.languages)}
        for quad in self.lines.with_predicates(LABELS):
            if isinstance(quad.object, ox.Literal):
                rank = ranks.get((quad.object.language or "").lower(), len(ranks))
                iri, ranked = text(quad.subject), (rank, quad.object.value)
                best[iri] = min(ranked, best.get(iri, ranked))
        return {iri: label for iri, (_, label) in best.items()}

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        """Yield the subject and the object of each statement of ``predicate`` between IRIs or blank nodes."""
        for quad in self.lines.with_predicates((predicate,)):
            if not isinstance(quad.object, ox.Literal):
                yield text(quad.subject), text(quad.object)

    def short(self, iri: str) -> str:
        """Return an IRI as a prefixed name, if one of the prefixes fits."""
        return self.iris.shorten(iri)

    def name(self, node: str) -> str:
        """Return the prefixed name of an IRI, or how to find a blank node."""
        return self.described(node) if node.startswith("_:") else self.short(node)

    def described(self, node: str) -> str:
        """Return where a blank node begins, and what leads to it: ``[] in data/a.ttl:3:9 (ex:part of ex:whole)``."""
        place, names = self.locations.above(node)
        where = f" in {place}" if place else ""
        return f"[]{where} ({' of '.join(map(self.short, names))})" if names else f"[]{where}"

    def finding(
        self,
        rule: str,
        message: str,
        remedy: str,
        focus: str,
        path: str | None = None,
        value: str | None = None,
        *,
        severity: Severity | None = None,
        shape: str | None = None,
        location: Location | None = None,
    ) -> Finding:
        """Return a finding about the statement ``focus path value``, with its label.

        Unless given, the severity is the rule's, and the location that of the statement.
        """
        place = location or self.locations.find(focus, path, value) or self.locations.home(focus)
        # The identifier of a blank node changes with every run and means nothing to a reader.
        named = None if not focus or focus.startswith("_:") else focus
        value = self.described(value) if value and value.startswith("_:") else value
        level, label = severity or default_severity(rule), self.labels.get(focus)
        label = label or (self.described(focus) if is_blank(focus) else None)
        return Finding(rule, message, remedy, level, place, named, label, path, value, shape, subject=focus or None)


def statement(quad: ox.Quad) -> tuple[str, str, str]:
    """Return a quad's subject, predicate and object as text."""
    return text(quad.subject), quad.predicate.value, text(quad.object)
