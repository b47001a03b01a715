"""All statements in an engine in memory, for the queries of rules and checks, in a process of its own.

A query that runs cannot be interrupted, and one that gets no memory ends its process. So the engine is not in this
process, and the one that has it is ended at the limits of a query; the next query starts another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import cast

import pyoxigraph as ox

from twingraph.child_process import ChildProcess
from twingraph.errors import (
    LimitError,
    MemoryLimitError,
    QueryError,
    QueryTimeoutError,
    StoreError,
    WorkerLostError,
)
from twingraph.publication.files import QueryFile
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import Term
from twingraph.settings import CheckLimits
from twingraph.sparql.query import read_query
from twingraph.sparql.syntax_errors import query_error

_MODULE = "twingraph.publication.query_process"


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a SELECT with its ``columns``; a constructed statement or the answer of an ASK is an empty row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Load:
    """The request to load statements, and to use so many bytes of memory more at most afterwards."""

    lines: NQuads
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Derive:
    """The request to apply a rule, and to add what it derives to the store, in the named graph ``graph``."""

    rule: QueryFile
    iris: Iris
    graph: str


@dataclass(frozen=True, slots=True)
class Select:
    """The request to run a query and return at most ``limit`` rows."""

    text: str
    iris: Iris
    limit: int | None


class WorkingStore:
    """A store of statements that queries are run on, each within the limits; it is loaded when it is first used."""

    def __init__(self, iris: Iris, limits: CheckLimits) -> None:
        self._iris, self._limits = iris, limits
        self._lines = NQuads()
        self._process: ChildProcess | None = None
        self._is_loaded = self._is_closed = False

    def start(self) -> None:
        """Start the process, which takes a while to be ready, without waiting for it."""
        if self._is_closed:
            raise StoreError("the check has been ended")
        self._process, self._is_loaded = ChildProcess(_MODULE), False

    def load(self, lines: NQuads) -> None:
        """Load these statements, the first ones."""
        self._lines = lines
        self._loaded()

    def append(self, lines: NQuads) -> None:
        """Record what `derive` has added to the store, so that it is there when the store is loaded again."""
        self._lines += lines

    def derive(self, rule: QueryFile, graph: str) -> NQuads:
        """Return what a rule derives that the store does not have yet, in the named graph ``graph``; add it there.

        Raises QueryError when the rule is malformed or no CONSTRUCT query, LimitError when it exceeds a limit.
        """
        return cast(NQuads, self._request(Derive(rule, self._iris, graph)))

    def query(self, text: str, limit: int | None = None) -> QueryResult:
        """Run a query as `run_query` does; raises QueryError, and LimitError when it exceeds a limit."""
        return cast(QueryResult, self._request(Select(text, self._iris, limit)))

    def unload(self) -> None:
        """End the process, and so free its memory."""
        if self._process:
            self._process.kill()
        self._process = None

    def close(self) -> None:
        """End the process for good: a query that waits for it in another thread fails, and no other is started."""
        self._is_closed = True
        self.unload()

    def _request(self, message: Derive | Select) -> object:
        process = self._loaded()
        try:
            reply = process.request(message, self._limits.query_seconds, self._limits.memory_bytes)
        except (LimitError, StoreError):
            self._process = None
            raise
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _loaded(self) -> ChildProcess:
        if self._process is None:
            self.start()
        process = cast(ChildProcess, self._process)
        if not self._is_loaded:
            process.request(Load(self._lines, self._limits.memory_bytes))
            self._is_loaded = True
        return process


def stopped(what: str, error: LimitError | WorkerLostError) -> str:
    """Return how a ``what`` (rule, check, saved query) was ended at a limit, or ended its process."""
    match error:
        case QueryTimeoutError():
            return f"the {what} ran for {error.seconds:g} seconds, the limit (check_limits.query_seconds)"
        case MemoryLimitError():
            return f"the {what} needed more than {error.limit:,} bytes of memory, the limit (check_limits.memory_bytes)"
    return f"the {what} could not be run: {error}"


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
        raise query_error(error, text, iris.namespaces) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(str(error)) from error


def _text(term: Term | None) -> str | None:
    return None if term is None else str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value
