"""A store in memory over all statements, for the queries of rules and checks."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from twingraph.errors import QueryError
from twingraph.processes import trim_memory
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import Term
from twingraph.sparql.query import read_query
from twingraph.sparql.syntax_errors import query_error


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a SELECT with its ``columns``; a constructed statement or the answer of an ASK is an empty row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


class WorkingStore:
    """A store in memory over some statements, which can be unloaded and is loaded again on next use."""

    def __init__(self, lines: NQuads) -> None:
        self._lines = lines
        self._store: ox.Store | None = load(lines)

    @property
    def store(self) -> ox.Store:
        """The store."""
        if self._store is None:
            self._store = load(self._lines)
        return self._store

    def append(self, lines: NQuads) -> None:
        """Record that these statements have been added to the store, so that it has them when it is loaded again."""
        self._lines += lines

    def unload(self) -> None:
        """Free the memory of the store."""
        self._store = None
        trim_memory()


def load(quads: Iterable[ox.Quad]) -> ox.Store:
    """Return a store in memory that holds the quads."""
    store = ox.Store()
    store.bulk_extend(quads)
    return store


def run_query(store: ox.Store, text: str, iris: Iris, limit: int | None = None) -> QueryResult:
    """Run a query over the union of all graphs, with the publication's prefixes, and return at most ``limit`` rows.

    Raises QueryError, with line and column, when the query is malformed, fails or asks another server.
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
        raise query_error(error, text) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(str(error)) from error


def _text(term: Term | None) -> str | None:
    return None if term is None else str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value
