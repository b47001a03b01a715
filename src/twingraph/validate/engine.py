"""One engine over all statements, for the queries that validation asks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox

from twingraph.errors import QueryError
from twingraph.iris import Iris
from twingraph.query_text import read_query
from twingraph.terms import Term

_PLACE = re.compile(r"error at (?P<line>\d+):(?P<column>\d+): (?P<reason>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: the rows of a SELECT with its ``columns``; a statement or a yes or no is a row without any."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


def load(quads: Iterable[ox.Quad]) -> ox.Store:
    """Return a store in memory that holds the quads."""
    store = ox.Store()
    store.bulk_extend(quads)
    return store


def ask(store: ox.Store, text: str, iris: Iris) -> Answer:
    """Answer a query over the union of all graphs, with the publication's prefixes.

    Raises QueryError, with line and column, when the query is malformed, fails or asks another server.
    """
    read_query(text, iris.namespaces, iris.base)
    try:
        answer = store.query(text, base_iri=iris.base, prefixes=dict(iris.namespaces), use_default_graph_as_union=True)
        if isinstance(answer, ox.QuerySolutions):
            columns = tuple(variable.value for variable in answer.variables)
            return Answer(columns, tuple(tuple(map(_text, row)) for row in answer))
        return Answer((), ((),) if isinstance(answer, ox.QueryBoolean) else tuple(() for _ in answer))
    except SyntaxError as error:
        raise _malformed(error) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(str(error)) from error


def _malformed(error: SyntaxError) -> QueryError:
    match = _PLACE.match(str(error))
    if match is None:
        return QueryError(str(error))
    reason = "a prefix is not declared" if "Prefix not found" in match["reason"] else match["reason"]
    return QueryError(reason, int(match["line"]), int(match["column"]))


def _text(term: Term | None) -> str | None:
    return None if term is None else str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value
