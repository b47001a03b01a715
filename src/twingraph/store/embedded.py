"""The embedded store: Oxigraph within this program, over one release."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from twingraph.store.output_filters.language_tags import canonical_tags
from twingraph.store.output_filters.prefix_order import ordered_prefixes
from twingraph.store.output_filters.xml_text import readable_xml

# The prefixes of a graph that is written while it comes are those that its first triples use.
_FIRST_TRIPLES = 20_000
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

    def load(self, release: Path, quads: int) -> None:
        """Take a release of so many ``quads``; raises StoreError."""
        opened = open_release(release, quads, self._small, as_union=self._as_union)
        self._graphs = tuple(sorted(graph.value for graph in opened.named.named_graphs()))
        self._opened, self._datasets = opened, Datasets(opened.named)
        self._known = {}

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the answer to a query; raises QueryError or StoreError."""
        self._refuse_unknown_graphs(query)
        try:
            with self._finished(format_, output) as target:
                self._answer(query, format_, target)
        except SyntaxError as error:
            raise query_error(error, query.text) from error
        except (RuntimeError, OSError) as error:
            if _DAMAGE.match(str(error)):
                raise DamagedStoreError("the store on the disk is damaged or cannot be read") from error
            if isinstance(error, OSError):
                raise StoreError(f"the query could not be answered: {error}") from error
            # The query is well formed and asks for what there is not.
            failure = UnsupportedFunctionError if "function" in str(error) else QueryError
            raise failure(str(error)) from error
        except ValueError as error:
            raise StoreError(f"the query could not be answered: {error}") from error

    def health(self) -> int:
        """Return the number of quads of the release, after asking the engine; raises StoreError."""
        try:
            self._opened.default.query("ASK {}")
            self._opened.named.query("ASK {}")
        except OSError as error:
            raise StoreError(f"the store does not answer: {error}") from error
        return self._opened.quads

    @contextmanager
    def _finished(self, format_: Format, output: IO[bytes]) -> Iterator[IO[bytes]]:
        """Yield what the engine may write into, that prefixes have an order, tags their case, and XML can be read."""
        with (
            readable_xml(output, format_) as readable,
            canonical_tags(readable, format_, self._language_tags) as tagged,
            ordered_prefixes(tagged, format_) as target,
        ):
            yield target

    def _answer(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        ask_dataset, facts = self._dataset(query)
        answer = _ask_rewritten(query.text, rewritten(query.text, facts), ask_dataset)
        # A result must be serialized on the thread that asked for it: elsewhere it aborts the process.
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
    """Ask a query as it was rewritten; one with an error is asked as it stands, so that the error has its place."""
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
