"""One engine over all statements, for the queries that validation asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from twingraph.errors import QueryError
from twingraph.memory import give_back
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import Lines
from twingraph.rdf.terms import Term
from twingraph.sparql.query import read_query
from twingraph.sparql.syntax_errors import query_error


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: the rows of a SELECT with its ``columns``; a statement or a yes or no is a row without any."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


class Engine:
    """A store in memory over some statements, which can be forgotten and is then loaded anew when it is asked for."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._store: ox.Store | None = load(lines)

    @property
    def store(self) -> ox.Store:
        """The store."""
        if self._store is None:
            self._store = load(self._lines)
        return self._store

    def holds(self, lines: Lines) -> None:
        """Know that these statements, too, have come into the store."""
        self._lines += lines

    def forget(self) -> None:
        """Give the memory of the store back."""
        self._store = None
        give_back()


def load(quads: Iterable[ox.Quad]) -> ox.Store:
    """Return a store in memory that holds the quads."""
    store = ox.Store()
    store.bulk_extend(quads)
    return store


def ask(store: ox.Store, text: str, iris: Iris, most: int | None = None) -> Answer:
    """Answer a query over the union of all graphs, with the publication's prefixes; of its rows ``most`` at most.

    Raises QueryError, with line and column, when the query is malformed, fails or asks another server.
    """
    read_query(text, iris.namespaces, iris.base)
    try:
        answer = store.query(text, base_iri=iris.base, prefixes=dict(iris.namespaces), use_default_graph_as_union=True)
        if isinstance(answer, ox.QuerySolutions):
            columns = tuple(variable.value for variable in answer.variables)
            return Answer(columns, tuple(tuple(map(_text, row)) for row in islice(answer, most)))
        return Answer((), ((),) if isinstance(answer, ox.QueryBoolean) else tuple(() for _ in islice(answer, most)))
    except SyntaxError as error:
        raise query_error(error, text, iris.namespaces) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(str(error)) from error


def _text(term: Term | None) -> str | None:
    return None if term is None else str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value
