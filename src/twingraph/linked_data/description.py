"""What a document about a thing holds.

These are the statements of the thing with those of the blank nodes in them, of terms whose IRIs have it as their
namespace (``ontology#Term`` of ``ontology``), and of the things that some of its properties lead to, such as evidence;
the links into it, a page of them; and the labels of everything that is named.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, cast

import pyoxigraph as ox

Node = ox.NamedNode | ox.BlankNode


class Statements(Protocol):
    """The statements of a release, read by patterns."""

    def about(self, subject: Node) -> Iterable[ox.Quad]:
        """Return the statements with this subject, as they were written."""

    def below(self, namespace: str) -> Iterable[ox.Quad]:
        """Return the statements whose subject is an IRI that begins with a namespace and is not the namespace."""

    def links_into(self, iri: ox.NamedNode) -> Iterable[ox.Quad]:
        """Return the statements with this object, in an order that stays the same."""

    def labels(self, iri: ox.NamedNode) -> Iterable[ox.Quad]:
        """Return the labels of a thing."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which statements besides its own belong to a description.

    ``forward`` and ``backward`` are the properties, IRIs, from a thing and to it, whose other ends are described with
    it, ``nested`` of them at most. ``links`` is the number of links into a thing on a page, ``counted`` how many are
    counted.
    """

    forward: frozenset[str] = frozenset()
    backward: frozenset[str] = frozenset()
    nested: int = 200
    links: int = 100
    counted: int = 10_000


_FACTS = ("iri", "page", "link_count", "has_more_than_counted")
_PARTS = ("statements", "terms", "nested", "links", "labels")


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a thing; ``page`` of its ``links`` begins with 1.

    ``terms`` are statements of terms in its namespace, ``nested`` those of other things that belong to it.
    ``link_count`` is the number of links into it; there are more if ``has_more_than_counted``.
    """

    iri: str
    page: int
    statements: tuple[ox.Quad, ...]
    terms: tuple[ox.Quad, ...]
    nested: tuple[ox.Quad, ...]
    links: tuple[ox.Quad, ...]
    link_count: int
    has_more_than_counted: bool
    labels: tuple[ox.Quad, ...]

    @property
    def is_namespace(self) -> bool:
        """Whether there are terms in its namespace."""
        return bool(self.terms)

    def pages(self, per_page: int) -> int:
        """Return the number of pages of its links, at least 1."""
        return max(1, -(-self.link_count // per_page))

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON, its statements as N-Quads, from which `from_json` reads it again."""
        parts = {name: _n_quads(getattr(self, name)) for name in _PARTS}
        return {**{name: getattr(self, name) for name in _FACTS}, **parts}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Description":
        """Return the description that was written by `to_json`."""
        parts: dict[str, Any] = {name: tuple(ox.parse(facts[name], format=ox.RdfFormat.N_QUADS)) for name in _PARTS}
        return cls(**{name: facts[name] for name in _FACTS}, **parts)

    @property
    def every(self) -> Iterator[ox.Quad]:
        """All statements, each once, those of the thing first."""
        parts = (self.statements, self.terms, self.nested, self.links, self.labels)
        return iter(dict.fromkeys(quad for part in parts for quad in part))


def describe(statements: Statements, iris: Iterable[str], selection: Selection, page: int = 1) -> Description | None:
    """Return the description of the first of the IRIs about which anything is stated, None if nothing is."""
    for iri in iris:
        try:
            named = ox.NamedNode(iri)
        except ValueError:
            continue  # nothing can be stated about what is no IRI
        found = _describe(statements, named, selection, page)
        if found:
            return found
    return None


def _describe(statements: Statements, iri: ox.NamedNode, selection: Selection, page: int) -> Description | None:
    own = tuple(_with_blank_nodes(statements, iri))
    terms = () if "#" in iri.value else tuple(_closed(statements, statements.below(f"{iri.value}#")))
    # One link more than are counted shows whether there are more.
    every = tuple(islice(statements.links_into(iri), selection.counted + 1))
    if not (own or terms or every):
        return None
    # The engine's order depends on how it was loaded, and pages must not.
    counted = sorted(every[: selection.counted], key=_order)
    links = tuple(counted[(page - 1) * selection.links : page * selection.links])
    nested = tuple(_nested(statements, iri, own, links, selection))
    shown = (*own, *terms, *nested, *links)
    return Description(
        iri=iri.value,
        page=page,
        statements=own,
        terms=terms,
        nested=nested,
        links=links,
        link_count=len(counted),
        has_more_than_counted=len(every) > len(counted),
        labels=tuple(_labels(statements, iri, shown)),
    )


def _order(quad: ox.Quad) -> tuple[str, str, str]:
    return quad.predicate.value, str(quad.subject), str(quad.graph_name)


def _with_blank_nodes(statements: Statements, subject: Node) -> Iterator[ox.Quad]:
    """Yield the statements of a subject, and those of blank nodes that it leads to through blank nodes only."""
    return _closed(statements, statements.about(subject))


def _closed(statements: Statements, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
    seen: set[ox.BlankNode] = set()
    waiting: list[ox.BlankNode] = []
    for quad in quads:
        yield quad
        _add_blank(quad, seen, waiting)
    while waiting:
        for quad in statements.about(waiting.pop()):
            yield quad
            _add_blank(quad, seen, waiting)


def _add_blank(quad: ox.Quad, seen: set[ox.BlankNode], waiting: list[ox.BlankNode]) -> None:
    if isinstance(quad.subject, ox.BlankNode):
        seen.add(quad.subject)
    if isinstance(quad.object, ox.BlankNode) and quad.object not in seen:
        seen.add(quad.object)
        waiting.append(quad.object)


def _nested(
    statements: Statements,
    iri: ox.NamedNode,
    own: Iterable[ox.Quad],
    links: Iterable[ox.Quad],
    selection: Selection,
) -> Iterator[ox.Quad]:
    forward = (quad.object for quad in own if quad.predicate.value in selection.forward)
    backward = (quad.subject for quad in links if quad.predicate.value in selection.backward)
    ends = dict.fromkeys(one for part in (forward, backward) for one in part if isinstance(one, ox.NamedNode))
    ends.pop(iri, None)
    for end in islice(ends, selection.nested):
        yield from _with_blank_nodes(statements, end)


def _labels(statements: Statements, iri: ox.NamedNode, quads: Collection[ox.Quad]) -> Iterator[ox.Quad]:
    described = {quad.subject for quad in quads if quad.subject == iri}
    for name in dict.fromkeys(name for quad in quads for name in _names(quad)):
        if name not in described:
            yield from statements.labels(name)


def _names(quad: ox.Quad) -> Iterator[ox.NamedNode]:
    datatype = quad.object.datatype if isinstance(quad.object, ox.Literal) else None
    for term in (quad.subject, quad.predicate, quad.object, quad.graph_name, datatype):
        if isinstance(term, ox.NamedNode):
            yield term


def _n_quads(quads: Iterable[ox.Quad]) -> str:
    return cast("bytes", ox.serialize(quads, format=ox.RdfFormat.N_QUADS)).decode()
