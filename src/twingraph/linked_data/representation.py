"""The representations of a description in each RDF syntax, with what the document says of itself.

In syntaxes with named graphs each statement stands in its graph, and what the document says of itself in the default
graph; the others have all statements as one graph.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import pyoxigraph as ox

from twingraph.errors import QueryError
from twingraph.linked_data.compact_json_ld import Context, compact_json_ld
from twingraph.linked_data.description import Description
from twingraph.rdf.formats import JSON_LD, Format

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_FOAF = "http://xmlns.com/foaf/0.1/"
_DCTERMS = "http://purl.org/dc/terms/"
_HYDRA = "http://www.w3.org/ns/hydra/core#"
_VOID = "http://rdfs.org/ns/void#"
# The prefixes of what a document says of itself.
_PREFIXES = {"foaf": _FOAF, "dcterms": _DCTERMS, "hydra": _HYDRA, "void": _VOID}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where descriptions come from: the dataset, its release, the date of that (xsd:dateTime), and the licence."""

    dataset: str
    release: str
    created: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its IRI, the description that it holds, and ``per_page`` links into the thing."""

    iri: str
    description: Description
    origin: Origin
    per_page: int

    @property
    def page_count(self) -> int:
        """The number of pages that the links into the thing take."""
        return self.description.pages(self.per_page)

    def page(self, number: int) -> str:
        """Return the IRI of a page of the document; the first is the document itself."""
        joined = "&" if "?" in self.iri else "?"
        return self.iri if number == 1 else f"{self.iri}{joined}page={number}"

    def about_itself(self) -> Iterator[ox.Quad]:
        """Yield what the document says of itself: its topic, origin, licence and pages (Hydra Core Vocabulary)."""
        description, here = self.description, ox.NamedNode(self.page(self.description.page))
        yield _quad(here, _RDF + "type", ox.NamedNode(_FOAF + "Document"))
        yield _quad(here, _FOAF + "primaryTopic", ox.NamedNode(description.iri))
        yield _quad(here, _VOID + "inDataset", ox.NamedNode(self.origin.dataset))
        yield _quad(here, _DCTERMS + "isPartOf", ox.NamedNode(self.origin.release))
        created = ox.Literal(self.origin.created, datatype=ox.NamedNode(_XSD + "dateTime"))
        yield _quad(here, _DCTERMS + "modified", created)
        if self.origin.licence:
            yield _quad(here, _DCTERMS + "license", ox.NamedNode(self.origin.licence))
        if self.page_count > 1:
            yield from self._paging(here)

    def _paging(self, here: ox.NamedNode) -> Iterator[ox.Quad]:
        number = self.description.page
        yield _quad(here, _RDF + "type", ox.NamedNode(_HYDRA + "PartialCollectionView"))
        neighbours = {"first": 1, "previous": number - 1, "next": number + 1, "last": self.page_count}
        for name, other in neighbours.items():
            if 1 <= other <= self.page_count:
                yield _quad(here, _HYDRA + name, ox.NamedNode(self.page(other)))
        if not self.description.has_more_than_counted:
            total = ox.Literal(str(self.description.link_count), datatype=ox.NamedNode(_XSD + "integer"))
            yield _quad(here, _HYDRA + "totalItems", total)


def serialized(document: Document, format_: Format, context: Context, namespaces: Mapping[str, str]) -> bytes:
    """Return a document in an RDF syntax, with the prefixes that it uses.

    Raises QueryError if the syntax cannot represent one of its terms.
    """
    quads = (*document.description.every, *document.about_itself())
    if format_ == JSON_LD:
        return compact_json_ld(document.description.iri, quads, context)
    engine = format_.engine
    if not isinstance(engine, ox.RdfFormat):
        raise TypeError(f"{format_.name} is no syntax of RDF")
    prefixes = _used({**_PREFIXES, **namespaces}, quads) if format_.prefixes else None
    # Statements of a graph stand together.
    by_graph = sorted(quads, key=lambda quad: str(quad.graph_name))
    statements = by_graph if engine.supports_datasets else dict.fromkeys(quad.triple for quad in quads)
    try:
        return cast("bytes", ox.serialize(statements, format=engine, prefixes=prefixes))
    except OSError as error:
        raise QueryError(f"the document cannot be written as {format_.name}: {error}") from error


def _quad(subject: ox.NamedNode, predicate: str, value: ox.NamedNode | ox.Literal) -> ox.Quad:
    return ox.Quad(subject, ox.NamedNode(predicate), value)


def _used(namespaces: Mapping[str, str], quads: Iterable[ox.Quad]) -> dict[str, str]:
    """Return the prefixes of the IRIs in the statements."""
    stems = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for quad in quads for iri in _iris(quad)}
    return {prefix: namespace for prefix, namespace in namespaces.items() if namespace in stems}


def _iris(quad: ox.Quad) -> Iterator[str]:
    for term in (quad.subject, quad.predicate, quad.object, quad.graph_name):
        if isinstance(term, ox.NamedNode):
            yield term.value
        elif isinstance(term, ox.Literal):
            yield term.datatype.value
