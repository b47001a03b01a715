"""The embedded store: Oxigraph in this process, over one release."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from twingraph.errors import (
    DamagedStoreError,
    QueryError,
    StoreError,
    UnknownGraphError,
    UnsupportedFunctionError,
)
from twingraph.rdf.formats import GRAPHS, RESULTS, Format
from twingraph.rdf.terms import DefaultGraph, Term
from twingraph.sparql.query import Query
from twingraph.sparql.rewrites import DatasetFacts, rewritten
from twingraph.sparql.syntax_errors import query_error
from twingraph.store.datasets import IN_MEMORY_QUADS, Datasets, Opened, open_release
from twingraph.store.exact import ExactStatements
from twingraph.store.graph_output import refusing_unsupported, serialize_triples
from twingraph.store.output_filters import finished_output
from twingraph.store.statements import ReleaseStatements

Answer = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples

_UNKNOWN = re.compile(r"The custom function <(.+)> is not supported", re.DOTALL)
_MAX_UNKNOWN = 64
# Rewritten queries are cached: how many, and their greatest length.
_CACHED_REWRITES, _CACHED_LENGTH = 256, 20_000
# How the engine's messages begin when it cannot read a block.
_DAMAGE = re.compile(r"(?:Corruption|IO error): ")


class EmbeddedStore:
    """Oxigraph over one release; queries may use ``base`` and ``namespaces`` without declaring them.

    A release is loaded into memory if it has at most ``memory_quads``. ``language_tags`` are the tags in the release
    that are not lower-case.
    """

    def __init__(
        self,
        base: str,
        namespaces: Mapping[str, str],
        default_graph: DefaultGraph = DefaultGraph.UNION,
        memory_quads: int = IN_MEMORY_QUADS,
        language_tags: Sequence[str] = (),
    ) -> None:
        self._base, self._namespaces, self._memory_quads = base, dict(namespaces), memory_quads
        self._prefixes = Prefixes(self._namespaces)
        self._language_tags = tuple(language_tags)
        self._as_union = default_graph == DefaultGraph.UNION
        self._opened = Opened(ox.Store(), ox.Store(), 0)
        self._graphs: tuple[str, ...] = ()
        self._datasets = Datasets(self._opened.named)
        self._empty = ox.Store()
        self._known: dict[str, str] = {}
        self._rewrites: dict[str, str] = {}

    def load(self, release: Path, quads: int) -> None:
        """Open a release with this number of quads; when it raises StoreError, the last one stays open."""
        opened = open_release(release, quads, self._memory_quads, as_union=self._as_union)
        self._graphs = tuple(sorted(graph.value for graph in opened.named.named_graphs()))
        self._opened, self._datasets = opened, Datasets(opened.named)
        self._known, self._rewrites = {}, {}

    def statements(self, exact: ExactStatements, labels: Sequence[str]) -> ReleaseStatements:
        """Return the statements of the open release by patterns; ``labels`` are the properties for names."""
        return ReleaseStatements(exact, self._opened.named, labels, has_merge=self._as_union)

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the result of a query; raises QueryError, or StoreError when the engine fails."""
        self._refuse_unknown_graphs(query)
        try:
            with finished_output(output, format_, self._language_tags) as target:
                self._answer(query, format_, target)
        except SyntaxError as error:
            raise query_error(error, query.text, self._namespaces) from error
        except (RuntimeError, OSError) as error:
            if _DAMAGE.match(str(error)):
                raise DamagedStoreError("the store on the disk is damaged or cannot be read") from error
            if isinstance(error, OSError):
                raise StoreError(f"the query could not be answered: {error}") from error
            # The query is well-formed and uses something that does not exist.
            failure = UnsupportedFunctionError if "function" in str(error) else QueryError
            raise failure(str(error)) from error
        except ValueError as error:
            raise StoreError(f"the query could not be answered: {error}") from error

    def health(self) -> int:
        """Query the engine, and return the number of quads in the release; raises StoreError."""
        try:
            self._opened.default.query("ASK {}")
            self._opened.named.query("ASK {}")
        except OSError as error:
            raise StoreError(f"the store does not respond: {error}") from error
        return self._opened.quads

    def _answer(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        ask_dataset, facts = self._dataset(query)
        answer = _ask_rewritten(query.text, self._rewritten(query, facts), ask_dataset)
        # On another thread than that of the query, serializing the result aborts the process.
        with refusing_unsupported(format_):
            self._serialize(answer, format_, output)

    def _dataset(self, query: Query) -> tuple[Callable[[str], Answer], DatasetFacts]:
        """Return a function that queries the dataset of a query, and the facts about it that rewriting may use."""
        whole = query.default_graphs is None and query.named_graphs is None
        default, named = query.default_graphs or (), query.named_graphs or ()
        store, merged = (self._opened.answering(query.text), default) if whole else self._datasets.open(default, named)
        prefixes = self._prefixes.mentioned(query.text)
        ask_dataset = partial(
            ask,
            store,
            base_iri=self._base,
            prefixes=prefixes,
            default_graph=None if whole else [ox.NamedNode(iri) if iri else ox.DefaultGraph() for iri in merged],
            named_graphs=None if whole else [ox.NamedNode(iri) for iri in named],
        )
        return ask_dataset, DatasetFacts(
            self._graphs if whole else tuple(dict.fromkeys(named)),
            self._language_tags,
            ask=lambda text: bool(ask_dataset(text)),
            # On an empty store this costs next to nothing.
            columns=partial(_columns, partial(ask, self._empty, base_iri=self._base, prefixes=prefixes)),
            values=partial(_values, ask_dataset),
            merged=whole and self._as_union,
            known=self._known if whole else {},
        )

    def _rewritten(self, query: Query, facts: DatasetFacts) -> str:
        """Return the text for the engine, from a cache: rewriting takes a third of the time of a saved query."""
        if query.default_graphs is not None or len(query.text) > _CACHED_LENGTH:
            return rewritten(query.text, facts)
        text = self._rewrites.get(query.text)
        if text is None:
            if len(self._rewrites) >= _CACHED_REWRITES:
                self._rewrites.clear()
            text = self._rewrites[query.text] = rewritten(query.text, facts)
        return text

    def _serialize(self, answer: Answer, format_: Format, output: IO[bytes]) -> None:
        engine = format_.engine
        if not isinstance(answer, ox.QueryTriples):
            if not isinstance(engine, ox.QueryResultsFormat):
                raise _not_among(RESULTS, format_)
            answer.serialize(output, format=engine)
            return
        if not isinstance(engine, ox.RdfFormat):
            raise _not_among(GRAPHS, format_)
        if format_.prefixes is None:
            answer.serialize(output, format=engine)
            return
        serialize_triples(answer, format_, self._namespaces, output)

    def _refuse_unknown_graphs(self, query: Query) -> None:
        for iri in (*(query.default_graphs or ()), *(query.named_graphs or ())):
            if iri not in self._graphs:
                raise UnknownGraphError(f"this release has no graph <{iri}>, and nothing is fetched from elsewhere")


def _ask_rewritten(text: str, new: str, ask: Callable[[str], Answer]) -> Answer:
    """Run a rewritten query, or the original if the new text is malformed, so that errors have positions in that."""
    try:
        return ask(new)
    except SyntaxError:
        if new == text:
            raise
    return ask(text)


def _columns(ask: Callable[[str], Answer], text: str) -> tuple[str, ...]:
    answer = ask(text)
    return tuple(one.value for one in answer.variables) if isinstance(answer, ox.QuerySolutions) else ()


def _values(ask: Callable[[str], Answer], text: str) -> tuple[str, ...]:
    answer = ask(text)
    rows = (row[0] for row in answer) if isinstance(answer, ox.QuerySolutions) else ()
    return tuple(term.value for term in rows if isinstance(term, ox.NamedNode | ox.Literal))


def _not_among(offered: Iterable[Format], format_: Format) -> QueryError:
    names = ", ".join(one.name for one in offered)
    return QueryError(f"the result of this query cannot be written as {format_.name}, only as {names}")


def ask(store: ox.Store, text: str, **options: Any) -> Answer:
    """Run a query in a store, with the options of `ox.Store.query`; raises what that raises.

    Calling an unknown function is an error of the expression, not of the query (SPARQL 1.1, sections 17.3 and 17.6):
    BIND leaves its variable unbound, FILTER removes the solution, COALESCE tries the next expression. The engine
    rejects the query instead, and names the function; the query is repeated with a function of that name that never has
    a value.
    """
    unknown: dict[ox.NamedNode, Callable[..., Term | None]] = {}
    while True:
        try:
            return store.query(text, custom_functions=unknown, **options)
        except RuntimeError as error:
            named = _UNKNOWN.fullmatch(str(error))
            if not named or len(unknown) >= _MAX_UNKNOWN:
                raise
            unknown[ox.NamedNode(named[1])] = _no_value


def _no_value(*_: object) -> None:
    return None


class Prefixes:
    """Prefixes that queries may use undeclared: passing all of them to the engine takes longer than a look-up."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._marks = tuple((f"{prefix}:", prefix, namespace) for prefix, namespace in namespaces.items())

    def mentioned(self, text: str) -> dict[str, str]:
        """Return the prefixes that may occur in a query."""
        # Any letter can be written as a code point escape.
        escaped = "\\u" in text or "\\U" in text
        return {prefix: namespace for mark, prefix, namespace in self._marks if escaped or mark in text}
