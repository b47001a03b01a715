"""The store in memory that rules and checks query, and the statements that rules derive.

Rules are SPARQL CONSTRUCT queries, run in the order of their names. Each sees the union of all graphs, and what earlier
rules derived. Statements that no file makes go into the graph of derived statements. Rules may call functions on EDTF
literals::

    BIND(<urn:x-twingraph:function:earliest>(?edtf) AS ?day)

They return an ``xsd:date``; for an interval that is open at that end the variable stays unbound.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from twingraph.errors import DateError, QueryError
from twingraph.processes import trim_memory
from twingraph.publication.query_files import QueryFile
from twingraph.rdf.edtf import EDTF, bounds
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.terms import XSD, Term
from twingraph.sparql.query import read_query
from twingraph.sparql.syntax_errors import query_error


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The columns and rows of a SELECT; for CONSTRUCT and ASK one empty row for each triple or for the answer."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


class WorkingStore:
    """A store in memory that can be unloaded, and is loaded again when it is next used."""

    def __init__(self, lines: NQuads) -> None:
        self._lines = lines
        self._store: ox.Store | None = load(lines)

    @property
    def store(self) -> ox.Store:
        """The store, loaded if necessary."""
        if self._store is None:
            self._store = load(self._lines)
        return self._store

    def append(self, lines: NQuads) -> None:
        """Record that statements have been added to the store, so that loading it again includes them."""
        self._lines += lines

    def unload(self) -> None:
        """Free the store's memory."""
        self._store = None
        trim_memory()


def load(quads: Iterable[ox.Quad]) -> ox.Store:
    """Return a store in memory with the quads."""
    store = ox.Store()
    store.bulk_extend(quads)
    return store


def run_query(store: ox.Store, text: str, iris: Iris, limit: int | None = None) -> QueryResult:
    """Run a query over the union of all graphs, with the publication's prefixes, and return at most ``limit`` rows.

    Raises QueryError, with line and column, when the query is malformed, fails or uses SERVICE.
    """
    read_query(text, iris.namespaces, iris.base)
    try:
        result = store.query(text, base_iri=iris.base, prefixes=dict(iris.namespaces), use_default_graph_as_union=True)
        if isinstance(result, ox.QuerySolutions):
            columns = tuple(variable.value for variable in result.variables)
            return QueryResult(columns, tuple(tuple(map(_text, row)) for row in islice(result, limit)))
        return QueryResult(
            (), ((),) if isinstance(result, ox.QueryBoolean) else tuple(() for _ in islice(result, limit))
        )
    except SyntaxError as error:
        raise query_error(error, text, iris.namespaces) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(str(error)) from error


def _text(term: Term | None) -> str | None:
    return None if term is None else str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value


def derive(rules: Iterable[QueryFile], store: ox.Store, iris: Iris, graph: str, path: Path | None = None) -> NQuads:
    """Apply the rules and return the derived statements, each once, in the named graph ``graph``.

    The statements are added to the store, and written to the file ``path`` or, without one, kept in memory. Raises
    QueryError, with the rule's path, when a rule is malformed or not a CONSTRUCT query.
    """
    writer = NQuadsWriter(path)
    for rule in rules:
        store.bulk_extend(writer.add_triples(_new(store, rule, iris), graph))
    return writer.lines


def _new(store: ox.Store, rule: QueryFile, iris: Iris) -> list[ox.Triple]:
    """Return the triples that a rule constructs and the store does not contain."""
    triples = dict.fromkeys(_construct(store, rule, iris))
    predicates = {triple.predicate for triple in triples}
    known = {quad.triple for predicate in predicates for quad in store.quads_for_pattern(None, predicate, None)}
    return [triple for triple in triples if triple not in known]


def _construct(store: ox.Store, rule: QueryFile, iris: Iris) -> ox.QueryTriples:
    try:
        answer = store.query(
            rule.text,
            base_iri=iris.base,
            prefixes=dict(iris.namespaces),
            use_default_graph_as_union=True,
            custom_functions=_FUNCTIONS,
        )
    except SyntaxError as error:
        found = query_error(error, rule.text, iris.namespaces)
        raise QueryError(f"{rule.path}: {found.message}", found.line, found.column) from error
    if not isinstance(answer, ox.QueryTriples):
        raise QueryError(f"{rule.path}: a rule has to be a CONSTRUCT query")
    return answer


def _literal(term: Term, end: str) -> ox.Literal | None:
    if not isinstance(term, ox.Literal) or term.datatype.value != EDTF:
        return None
    try:
        day: date | None = getattr(bounds(term.value), end)
    except DateError:  # the check of literals reports it with file and line
        return None
    return None if day is None else ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD + "date"))


_FUNCTIONS: dict[ox.NamedNode, Callable[..., Term | None]] = {
    ox.NamedNode("urn:x-twingraph:function:earliest"): lambda term: _literal(term, "earliest"),
    ox.NamedNode("urn:x-twingraph:function:latest"): lambda term: _literal(term, "latest"),
}
