"""The store in memory that rules and checks query, and the statements that rules derive.

Rules are SPARQL CONSTRUCT queries, run in the order of their names. Each sees the union of all graphs, and what earlier
rules derived. Statements that no file makes go into the graph of derived statements. Rules may call functions on EDTF
literals::

    BIND(<urn:x-twingraph:function:earliest>(?edtf) AS ?day)

They return an ``xsd:date``; for an interval that is open at that end the variable stays unbound.

A query that runs cannot be interrupted, and one that gets no memory ends its process. So the store is in a process of
its own, which is ended at the limits of a query; the next query starts another.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import cast

import pyoxigraph as ox

from twingraph.child_process import ChildProcess
from twingraph.errors import (
    DateError,
    LimitError,
    MemoryLimitError,
    QueryError,
    QueryTimeoutError,
    StoreError,
    WorkerLostError,
)
from twingraph.publication.query_files import QueryFile
from twingraph.rdf.edtf import EDTF, bounds
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.terms import XSD, Term
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
    """The request to load statements, and to use so many bytes of memory more at most afterwards; None: as before."""

    lines: NQuads
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Derive:
    """The request to apply a rule, and to add what it derives to the store, in the named graph ``graph``.

    With an ``example``, the rule is applied to its statements too, and nothing is added.
    """

    rule: QueryFile
    iris: Iris
    graph: str
    example: NQuads | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """The request to run a query, on the statements of an ``example`` too, and return at most ``limit`` rows."""

    text: str
    iris: Iris
    limit: int | None
    example: NQuads = field(default_factory=NQuads)


class WorkingStore:
    """A store of statements that queries are run on, each within the limits; it is loaded when it is first used."""

    def __init__(self, iris: Iris, limits: CheckLimits) -> None:
        self._iris, self._limits = iris, limits
        self._lines, self._hidden = NQuads(), frozenset[str]()
        self._process: ChildProcess | None = None
        self._is_loaded = self._is_closed = False

    def start(self) -> None:
        """Start the process, which takes a while to be ready, without waiting for it."""
        if self._is_closed:
            raise StoreError("the check has been ended")
        self._process, self._is_loaded = ChildProcess(_MODULE), False

    def load(self, lines: NQuads) -> None:
        """Load these statements in place of any others."""
        if self._is_loaded:
            self.unload()
        self._lines = lines
        self._loaded()

    def hide(self, graphs: Collection[str]) -> None:
        """Leave out the statements in these named graphs, and in no others, from now on."""
        before, self._hidden = self._hidden, frozenset(graphs)
        if not self._is_loaded or before == self._hidden:
            return
        if self._hidden - before:
            self.unload()
            return
        revealed, _ = self._lines.by_graphs(before - self._hidden)
        cast(ChildProcess, self._process).request(Load(revealed))

    def append(self, lines: NQuads) -> None:
        """Have these statements in the store whenever it is loaded; what `derive` has added is in it already."""
        self._lines += lines

    def derive(self, rule: QueryFile, graph: str) -> NQuads:
        """Return what a rule derives that the store does not have yet, in the named graph ``graph``; add it there.

        Raises QueryError when the rule is malformed or no CONSTRUCT query, LimitError when it exceeds a limit.
        """
        return cast(NQuads, self._request(Derive(rule, self._iris, graph)))

    def query(self, text: str, limit: int | None = None) -> QueryResult:
        """Run a query as `run_query` does; raises QueryError, and LimitError when it exceeds a limit."""
        return cast(QueryResult, self._request(Select(text, self._iris, limit)))

    def derive_from(self, example: NQuads, rule: QueryFile, graph: str) -> NQuads:
        """Return what `derive` would if the store had the statements of an example too; nothing is added."""
        return cast(NQuads, self._request(Derive(rule, self._iris, graph, example)))

    def query_with(self, example: NQuads, text: str) -> QueryResult:
        """Run a query as `query` does, as if the store had the statements of an example too."""
        return cast(QueryResult, self._request(Select(text, self._iris, None, example)))

    def unload(self) -> None:
        """End the process, and so free its memory."""
        if self._process:
            self._process.kill()
        self._process, self._is_loaded = None, False

    def close(self) -> None:
        """End the process for good: a query that waits for it in another thread fails, and no other is started."""
        self._is_closed = True
        self.unload()

    def _request(self, message: Derive | Select) -> object:
        process = self._loaded()
        try:
            reply = process.request(message, self._limits.query_seconds, self._limits.memory_bytes)
        except (LimitError, StoreError):
            self._process, self._is_loaded = None, False
            raise
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _loaded(self) -> ChildProcess:
        if self._process is None:
            self.start()
        process = cast(ChildProcess, self._process)
        if not self._is_loaded:
            visible = self._lines.by_graphs(self._hidden)[1] if self._hidden else self._lines
            process.request(Load(visible, self._limits.memory_bytes))
            self._is_loaded = True
        return process


def stopped(what: str, error: LimitError | WorkerLostError, setting: str = "query_seconds") -> str:
    """Return how a ``what`` (rule, check, saved query, shape) was ended at a limit, or ended its process.

    ``setting`` is the limit of its time.
    """
    match error:
        case QueryTimeoutError():
            return f"the {what} ran for {error.seconds:g} seconds, the limit (check_limits.{setting})"
        case MemoryLimitError():
            return f"the {what} needed more than {error.limit:,} bytes of memory, the limit (check_limits.memory_bytes)"
    return f"the {what} could not be run: {error}"


def load(quads: Iterable[ox.Quad]) -> ox.Store:
    """Return a store in memory with the quads."""
    store = ox.Store()
    store.bulk_extend(quads)
    return store


@contextmanager
def extended(store: ox.Store, quads: Iterable[ox.Quad]) -> Iterator[None]:
    """Have the quads in a store for as long as the context lasts."""
    new = [quad for quad in quads if quad not in store]
    store.extend(new)
    try:
        yield
    finally:
        for quad in new:
            store.remove(quad)


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
    try:
        triples = dict.fromkeys(_construct(store, rule, iris))
    except QueryError as error:
        raise type(error)(f"{rule.path}: {error.message}", error.line, error.column) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(f"{rule.path}: {error}") from error
    predicates = {triple.predicate for triple in triples}
    known = {quad.triple for predicate in predicates for quad in store.quads_for_pattern(None, predicate, None)}
    return [triple for triple in triples if triple not in known]


def _construct(store: ox.Store, rule: QueryFile, iris: Iris) -> ox.QueryTriples:
    read_query(rule.text, iris.namespaces, iris.base)
    try:
        answer = store.query(
            rule.text,
            base_iri=iris.base,
            prefixes=dict(iris.namespaces),
            use_default_graph_as_union=True,
            custom_functions=_FUNCTIONS,
        )
    except SyntaxError as error:
        raise query_error(error, rule.text, iris.namespaces) from error
    if not isinstance(answer, ox.QueryTriples):
        raise QueryError("a rule has to be a CONSTRUCT query", 1, 1)
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
