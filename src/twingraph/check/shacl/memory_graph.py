"""rdflib graphs in memory, made from parsed quads term by term."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyoxigraph as ox
import rdflib
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.store import Store

from twingraph.errors import QueryError

_STRING = "http://www.w3.org/2001/XMLSchema#string"
Triple = tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]


class MemoryGraph(rdflib.Graph):
    """A graph in memory that parses the text of each query once, however often it is asked.

    pyshacl asks an ``sh:sparql`` constraint anew for every focus node, and parsing is most of the cost.
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
    """Return one graph with the statements of all named graphs."""
    graph = MemoryGraph()
    with quiet():
        for quad in quads:
            graph.add(_triple(quad))
    return graph


def _triple(quad: ox.Quad) -> Triple:
    """Return a quad's statement in rdflib's terms, lexical forms kept as they are."""
    return node(quad.subject), rdflib.URIRef(quad.predicate.value), value(quad.object)


def _prepare(text: str) -> Query:
    try:
        return prepareQuery(text)
    except Exception as error:
        raise QueryError(f"{error} in the query {' '.join(text.split())}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep rdflib from logging a traceback for each ill-typed literal: a check reports them with file and line."""
    logger = logging.getLogger("rdflib.term")
    logger.addFilter(_is_other)
    try:
        yield
    finally:
        logger.removeFilter(_is_other)


def _is_other(record: logging.LogRecord) -> bool:
    return "Failed to convert Literal" not in record.getMessage()


def node(term: object) -> rdflib.term.IdentifiedNode:
    """Return an IRI or a blank node in rdflib's terms; raises TypeError for anything else."""
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    raise TypeError(f"{term} is no IRI or blank node; RDF 1.2 triple terms are not validated")


def value(term: object) -> rdflib.term.IdentifiedNode | rdflib.Literal:
    """Return any term in rdflib's, its lexical form kept as it is."""
    if not isinstance(term, ox.Literal):
        return node(term)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    # A plain literal stays plain: rdflib does not hold "x" and "x"^^xsd:string for the same, as RDF 1.1 does.
    datatype = None if term.datatype.value == _STRING else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)
