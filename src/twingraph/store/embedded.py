"""The embedded store: Oxigraph within this program, over one release."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from twingraph.errors import (
    DamagedStoreError,
    QueryError,
    StoreError,
    UnknownGraphError,
    UnsupportedFunctionError,
)
from twingraph.rdf.formats import GRAPHS, RESULTS, Format
from twingraph.rdf.terms import DefaultGraph
from twingraph.sparql.query import Query
from twingraph.sparql.rewrites import DatasetFacts, rewritten
from twingraph.sparql.syntax_errors import query_error
from twingraph.store.engine import Answer, Datasets, Prefixes, ask, used_prefixes
from twingraph.store.opening import IN_MEMORY_QUADS, Opened, open_release
from twingraph.store.output_filters import finished_output

# The prefixes of a graph that is written while it comes are those that its first triples use.
_FIRST_TRIPLES = 20_000
# So many rewritten queries, none of them longer, are remembered.
_MAX_TEXTS, _MAX_TEXT = 256, 20_000
# What the engine says of a block that it cannot read; everything else that it says begins otherwise.
_DAMAGE = re.compile(r"(?:Corruption|IO error): ")


class EmbeddedStore:
    """Oxigraph over one release; ``base`` and ``namespaces`` are what queries may use undeclared.

    ``language_tags`` are those of the release that are not lower-case.
    """

    def __init__(
        self,
        base: str,
        namespaces: Mapping[str, str],
        default_graph: DefaultGraph = DefaultGraph.UNION,
        small: int = IN_MEMORY_QUADS,
        language_tags: Sequence[str] = (),
    ) -> None:
        self._base, self._namespaces, self._small = base, dict(namespaces), small
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
        """Open a release of so many ``quads`` in place of the last; raises StoreError, and then nothing changes."""
        opened = open_release(release, quads, self._small, as_union=self._as_union)
        self._graphs = tuple(sorted(graph.value for graph in opened.named.named_graphs()))
        self._opened, self._datasets = opened, Datasets(opened.named)
        self._known, self._rewrites = {}, {}

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the answer to a query; raises QueryError or StoreError."""
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
            # The query is well formed and uses something that does not exist.
            failure = UnsupportedFunctionError if "function" in str(error) else QueryError
            raise failure(str(error)) from error
        except ValueError as error:
            raise StoreError(f"the query could not be answered: {error}") from error

    def health(self) -> int:
        """Return the number of quads of the release, after querying the engine; raises StoreError."""
        try:
            self._opened.default.query("ASK {}")
            self._opened.named.query("ASK {}")
        except OSError as error:
            raise StoreError(f"the store does not answer: {error}") from error
        return self._opened.quads

    def _answer(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        ask_dataset, facts = self._dataset(query)
        answer = _ask_rewritten(query.text, self._rewritten(query, facts), ask_dataset)
        # A result must be serialized on the thread that made it: elsewhere it aborts the process.
        try:
            self._serialize(answer, format_, output)
        except OSError as error:
            # A query can make terms that are not for every format: those of RDF 1.2.
            if "does not support" in str(error):
                raise QueryError(f"the answer cannot be given as {format_.name}: {error}") from error
            raise

    def _dataset(self, query: Query) -> tuple[Callable[[str], Answer], DatasetFacts]:
        """Return how to ask the dataset of a query, and what its rewriting may know of it."""
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
            # An empty store knows which variables are in scope, and finds nothing.
            columns=partial(_columns, partial(ask, self._empty, base_iri=self._base, prefixes=prefixes)),
            values=partial(_values, ask_dataset),
            merged=whole and self._as_union,
            known=self._known if whole else {},
        )

    def _rewritten(self, query: Query, facts: DatasetFacts) -> str:
        """Return the text for the engine, remembered: rewriting takes a third of the time of a saved query."""
        if query.default_graphs is not None or len(query.text) > _MAX_TEXT:
            return rewritten(query.text, facts)
        text = self._rewrites.get(query.text)
        if text is None:
            if len(self._rewrites) >= _MAX_TEXTS:
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
        first = tuple(islice(answer, _FIRST_TRIPLES))
        prefixes = used_prefixes(self._namespaces, first)
        ox.serialize(chain(first, answer), output, format=engine, prefixes=prefixes)

    def _refuse_unknown_graphs(self, query: Query) -> None:
        for iri in (*(query.default_graphs or ()), *(query.named_graphs or ())):
            if iri not in self._graphs:
                raise UnknownGraphError(
                    f"no graph of this release is called <{iri}>; nothing is fetched from elsewhere"
                )


def _ask_rewritten(text: str, new: str, ask: Callable[[str], Answer]) -> Answer:
    """Run a rewritten query, and the original where the new text is malformed, so that the error has its position."""
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
    return QueryError(f"the answer to this query cannot be given as {format_.name}; it can as {names}")
