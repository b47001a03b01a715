"""rdflib graphs over parsed statements: in memory, or fetched lazily, subject by subject, from the engine.

Shapes may test a lexical form, and the engine normalises the literals of datatypes that it knows. So each datatype is
loaded under a name that the engine does not know, and literals come back as written in the files.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyoxigraph as ox
import rdflib
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.store import Store

from twingraph.errors import FederationRefusedError, QueryError
from twingraph.rdf.nquads import NQuads, Row
from twingraph.sparql.query import refuse_federation

_STRING = "http://www.w3.org/2001/XMLSchema#string"
Triple = tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]
# What pyshacl writes before the text of a query, and the places in both together that rdflib's errors give.
_PROLOGUE = re.compile(r"PREFIX\s+[\w.-]*:\s*<[^<>]*>\s*", re.IGNORECASE)
_PLACE = re.compile(r"\s*\(at char \d+\), \(line:\d+, col:\d+\)")


class MemoryGraph(rdflib.Graph):
    """A graph in memory that parses the text of each query once, however often it runs.

    pyshacl runs an ``sh:sparql`` constraint for every focus node, and parsing is most of the cost.
    """

    def __init__(self, store: Store | str = "default") -> None:
        super().__init__(store, bind_namespaces="none")
        self._prepared: dict[str, Query] = {}

    def query(self, query_object: str | Query, *args: Any, **options: Any) -> Result:
        """Answer a query as :meth:`rdflib.Graph.query` does; raises QueryError when it is malformed."""
        if isinstance(query_object, str):
            if query_object not in self._prepared:
                self._prepared[query_object] = _prepare(query_object)
            query_object = self._prepared[query_object]
        return super().query(query_object, *args, **options)


def memory_graph(quads: Iterable[ox.Quad]) -> MemoryGraph:
    """Return a graph with the statements of all named graphs, preserving lexical forms."""
    graph = MemoryGraph()
    with without_literal_warnings():
        for quad in quads:
            graph.add((rdflib_node(quad.subject), rdflib.URIRef(quad.predicate.value), rdflib_term(quad.object)))
    return graph


def _prepare(text: str) -> Query:
    try:
        refuse_federation(text)  # pyshacl does so too, but not always where a `#` stands before it
        query = prepareQuery(text)
    except FederationRefusedError as error:
        raise QueryError(error.message) from error  # its place is one in the text that pyshacl has made
    except Exception as error:  # rdflib's parser and algebra raise bare Exception, too
        reason, written = _PLACE.sub("", str(error)), _PROLOGUE.sub("", text)
        raise QueryError(f"{reason} in the query {' '.join(written.split())}") from error
    if query.algebra.datasetClause:
        raise QueryError("FROM is refused: the query of a shape is about the data that is validated")
    return query


@contextmanager
def without_literal_warnings() -> Iterator[None]:
    """Keep rdflib from logging a traceback for each ill-typed literal, which a check reports with file and line."""
    logger = logging.getLogger("rdflib.term")
    logger.addFilter(_is_relevant)
    try:
        yield
    finally:
        logger.removeFilter(_is_relevant)


def _is_relevant(record: logging.LogRecord) -> bool:
    return "Failed to convert Literal" not in record.getMessage()


def node_text(node: rdflib.term.Node) -> str:
    """Return a term as text, as `twingraph.check.statements.text` does."""
    return f"_:{node}" if isinstance(node, rdflib.BNode) else str(node)


def turtle_term(node: rdflib.term.Node) -> str:
    """Return an IRI, blank node or literal as N-Triples writes it."""
    match node:
        case rdflib.URIRef():
            return str(ox.NamedNode(node))
        case rdflib.Literal(language=str(tag)):
            return str(ox.Literal(node, language=tag))
        case rdflib.Literal(datatype=None):
            return str(ox.Literal(node))
        case rdflib.Literal():
            return str(ox.Literal(node, datatype=ox.NamedNode(str(node.datatype))))
    return f"_:{node}"


def rdflib_node(term: object) -> rdflib.term.IdentifiedNode:
    """Return an IRI or a blank node as an rdflib term; raises TypeError for anything else."""
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    raise TypeError(f"{term} is not an IRI or blank node; RDF 1.2 triple terms are not validated")


def rdflib_term(term: object) -> rdflib.term.IdentifiedNode | rdflib.Literal:
    """Return any term as an rdflib term, preserving its lexical form."""
    if not isinstance(term, ox.Literal):
        return rdflib_node(term)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    # In RDF 1.1 "x" and "x"^^xsd:string are the same literal, but not in rdflib, so plain literals stay plain.
    datatype = None if term.datatype.value == _STRING else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)


# The prefix of each datatype IRI in the engine.
_VERBATIM = "urn:x-verbatim:"
_DATATYPE = b'"^^<' + _VERBATIM.encode()
# Subjects in the cache take about 4 kB each.
_MAX_CACHED_SUBJECTS = 50_000

Pattern = tuple[rdflib.term.Node | None, rdflib.term.Node | None, rdflib.term.Node | None]
_Description = dict[rdflib.term.Node, dict[rdflib.term.Node, None]]


def lazy_graph(lines: NQuads) -> MemoryGraph:
    """Return a read-only graph with the statements of all named graphs."""
    store = ox.Store()
    for rows in lines.rows():
        store.bulk_extend(ox.parse(b"".join(map(_verbatim, rows)), format=ox.RdfFormat.N_TRIPLES))
    return MemoryGraph(_LazyStore(store))


class _LazyStore(Store):
    """An rdflib store that fetches all statements about a subject from the engine on first use."""

    # pyshacl accepts no other store; all statements are in one context here.
    context_aware = True
    graph_aware = True

    def __init__(self, store: ox.Store) -> None:
        super().__init__()
        self._store, self._count = store, len(store)
        self._descriptions: dict[rdflib.term.Node, _Description] = {}
        self._names: dict[str, rdflib.URIRef] = {}
        # pyshacl describes a blank node in messages by its statements, which it looks for in the graphs of the store.
        self._graph = rdflib.Graph(self, rdflib.URIRef(_VERBATIM), bind_namespaces="none")

    def triples(
        self, triple_pattern: Pattern, context: object = None
    ) -> Iterator[tuple[Triple, Iterator[rdflib.Graph | None]]]:
        """Yield the matching triples, each with the one graph that all of them are in."""
        subject, predicate, value = triple_pattern
        found = self._of_any_subject(predicate, value) if subject is None else self._of(subject, predicate, value)
        for triple in found:
            yield triple, iter((self._graph,))

    def __len__(self, context: object = None) -> int:
        return self._count  # counting takes the engine time, and pyshacl asks often

    def _of(
        self, subject: rdflib.term.Node, predicate: rdflib.term.Node | None, value: rdflib.term.Node | None
    ) -> Iterator[Triple]:
        description = self._description(subject)
        for name in description if predicate is None else (predicate,):
            values = description.get(name, {})
            if value is None:
                yield from ((subject, name, each) for each in values)
            elif value in values:
                yield subject, name, value

    def _of_any_subject(self, predicate: rdflib.term.Node | None, value: rdflib.term.Node | None) -> Iterator[Triple]:
        for quad in self._quads(None, predicate, value):
            yield (
                rdflib_node(quad.subject),
                self._name(quad.predicate),
                _lazy_value(quad.object) if value is None else value,
            )

    def _description(self, subject: rdflib.term.Node) -> _Description:
        known = self._descriptions.get(subject)
        if known is None:
            if len(self._descriptions) >= _MAX_CACHED_SUBJECTS:
                self._descriptions.clear()
            known = self._descriptions[subject] = {}
            for quad in self._quads(subject, None, None):
                known.setdefault(self._name(quad.predicate), {})[_lazy_value(quad.object)] = None
        return known

    def _quads(self, *pattern: rdflib.term.Node | None) -> Iterator[ox.Quad]:
        """Return the matching quads of the engine: none when a term of the pattern is not allowed in its position."""
        try:
            subject, predicate, value = map(_engine_term, pattern)
            return self._store.quads_for_pattern(subject, predicate, value, ox.DefaultGraph())
        except (TypeError, ValueError):
            return iter(())

    def _name(self, predicate: ox.NamedNode) -> rdflib.URIRef:
        name = self._names.get(predicate.value)
        if name is None:
            name = self._names[predicate.value] = rdflib.URIRef(predicate.value)
        return name


def _verbatim(row: Row) -> bytes:
    """Return a row as a line of N-Triples, with the datatype under the name that the engine does not know."""
    subject, predicate, value, _ = row
    if value.startswith(b'"') and value.endswith(b">"):
        # The last quotation mark ends the literal.
        text, _, datatype = value.rpartition(b'"^^<')
        value = text + _DATATYPE + datatype
    return b"%b %b %b .\n" % (subject, predicate, value)


def _engine_term(term: rdflib.term.Node | None) -> Any:
    """Return an rdflib term as the engine's, or unchanged if it has no counterpart there."""
    match term:
        case rdflib.URIRef():
            return ox.NamedNode(term)
        case rdflib.BNode():
            return ox.BlankNode(term)
        case rdflib.Literal(language=str(tag)):
            return ox.Literal(term, language=tag.lower())
        case rdflib.Literal(datatype=None):
            return ox.Literal(term)
        case rdflib.Literal():
            return ox.Literal(term, datatype=ox.NamedNode(_VERBATIM + str(term.datatype)))
    return term


def _lazy_value(value: object) -> rdflib.term.Node:
    if isinstance(value, ox.Literal) and value.datatype.value.startswith(_VERBATIM):
        datatype = rdflib.URIRef(value.datatype.value.removeprefix(_VERBATIM))
        return rdflib.Literal(value.value, datatype=datatype, normalize=False)
    return rdflib_term(value)
