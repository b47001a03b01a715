"""The embedded store: Oxigraph within this program, over one release."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, combinations, islice
from pathlib import Path
from typing import IO, TypeGuard, TypeVar

import pyoxigraph as ox

from twingraph.errors import (
    DamagedStoreError,
    IriError,
    QueryError,
    StoreError,
    UnknownGraphError,
    UnsupportedFunctionError,
)
from twingraph.rdf.default_graph import DefaultGraph
from twingraph.rdf.formats import Format
from twingraph.rdf.terms import Term
from twingraph.sparql.query import Query
from twingraph.sparql.rewrites import DatasetFacts, rewritten
from twingraph.sparql.syntax_errors import query_error
from twingraph.store.opening import SMALL, Opened, open_release
from twingraph.store.output_filters.language_tags import canonical_tags
from twingraph.store.output_filters.prefix_order import ordered_prefixes
from twingraph.store.output_filters.xml_text import readable_xml
from twingraph.store.unknown_functions import ask_with_unknown_functions

_RESULTS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_GRAPHS = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "trig": ox.RdfFormat.TRIG,
    "nquads": ox.RdfFormat.N_QUADS,
}
# These hold no prefixes, so that nothing need be known of a graph before it is written.
_WITHOUT_PREFIXES = {"ntriples", "nquads"}
# The prefixes of a graph that is written while it comes are those that its first triples use.
_FIRST_TRIPLES = 20_000
# So many queries, none of them longer, are kept as they were rewritten.
_MOST_TEXTS = 256
_LONG_TEXT = 20_000
# What the engine says of a block that it cannot read; everything else that it says begins otherwise.
_DAMAGE = re.compile(r"(?:Corruption|IO error): ")
_Answer = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
_EngineFormat = TypeVar("_EngineFormat", ox.RdfFormat, ox.QueryResultsFormat)


class EmbeddedStore:
    """Oxigraph over one release; ``base`` and ``namespaces`` are what queries may use undeclared.

    ``language_tags`` are those of the release that are not lower-case.
    """

    def __init__(
        self,
        base: str,
        namespaces: Mapping[str, str],
        default_graph: DefaultGraph = DefaultGraph.UNION,
        small: int = SMALL,
        language_tags: Sequence[str] = (),
    ) -> None:
        self._base, self._namespaces, self._small = base, dict(namespaces), small
        self._prefixes = _Prefixes(self._namespaces)
        self._language_tags = tuple(language_tags)
        self._as_union = default_graph == DefaultGraph.UNION
        self._opened = Opened(ox.Store(), ox.Store(), 0)
        self._graphs: tuple[str, ...] = ()
        self._datasets = _Datasets(self._opened.named)
        self._empty = ox.Store()
        self._known: dict[str, str] = {}
        self._meant: dict[str, str] = {}

    def load(self, release: Path, quads: int) -> None:
        """Take a release of so many ``quads``; raises StoreError."""
        opened = open_release(release, quads, self._small, as_union=self._as_union)
        self._graphs = tuple(sorted(graph.value for graph in opened.named.named_graphs()))
        self._opened, self._datasets = opened, _Datasets(opened.named)
        self._known, self._meant = {}, {}

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the answer to a query; raises QueryError or StoreError."""
        self._refuse_unknown_graphs(query)
        try:
            with self._finished(format_, output) as target:
                self._answer(query, format_, target)
        except SyntaxError as error:
            raise query_error(error, query.text, self._namespaces) from error
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

    def describe(self, iri: str, format_: Format, output: IO[bytes]) -> None:
        """Write the statements of which a thing is the subject."""
        try:
            subject = ox.NamedNode(iri)
        except ValueError as error:
            raise IriError(iri, str(error)) from error
        triples = {
            ox.Triple(q.subject, q.predicate, q.object)
            for q in self._opened.default.quads_for_pattern(subject, None, None)
        }
        with self._finished(format_, output) as target:
            self._write(sorted(triples, key=str), format_, target)

    def graphs(self) -> tuple[str, ...]:
        """Return the IRIs of the named graphs, sorted."""
        return self._graphs

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
        # A result must be serialized on the thread that asked for it: elsewhere it aborts the process.
        whole = query.default_graphs is None and query.named_graphs is None
        default, named = query.default_graphs or (), query.named_graphs or ()
        store, merged = (self._opened.answering(query.text), default) if whole else self._datasets.open(default, named)
        prefixes = self._prefixes.mentioned(query.text)
        ask = partial(
            ask_with_unknown_functions,
            store,
            base_iri=self._base,
            prefixes=prefixes,
            default_graph=None if whole else [ox.NamedNode(iri) if iri else ox.DefaultGraph() for iri in merged],
            named_graphs=None if whole else [ox.NamedNode(iri) for iri in named],
        )
        # An empty store tells which variables are in scope, and has nothing to look for.
        empty = partial(ask_with_unknown_functions, self._empty, base_iri=self._base, prefixes=prefixes)
        graphs = self._graphs if whole else tuple(dict.fromkeys(named))
        known = self._known if whole else {}
        facts = DatasetFacts(
            graphs,
            self._language_tags,
            ask=lambda text: bool(ask(text)),
            columns=partial(_columns, empty),
            values=partial(_values, ask),
            merged=whole and self._as_union,
            known=known,
        )
        answer = _ask(query.text, self._rewritten(query.text, facts, remember=whole), ask)
        try:
            if not isinstance(answer, ox.QueryTriples):
                answer.serialize(output, format=_known(_RESULTS, format_))
            elif format_.name in _WITHOUT_PREFIXES:
                answer.serialize(output, format=_known(_GRAPHS, format_))
            else:
                self._write(answer, format_, output)
        except OSError as error:
            # A query can make terms that are not for every format: those of RDF 1.2.
            if "does not support" in str(error):
                raise QueryError(f"the answer cannot be given as {format_.name}: {error}") from error
            raise

    def _rewritten(self, text: str, facts: DatasetFacts, *, remember: bool) -> str:
        """Return the query as the engine is asked it, the last ones from memory: a long one takes a millisecond."""
        if not remember or len(text) > _LONG_TEXT:
            return rewritten(text, facts)
        meant = self._meant.get(text)
        if meant is None:
            if len(self._meant) >= _MOST_TEXTS:
                self._meant.clear()
            meant = self._meant[text] = rewritten(text, facts)
        return meant

    def _write(self, triples: Iterable[ox.Triple], format_: Format, output: IO[bytes]) -> None:
        coming = iter(triples)
        first = tuple(islice(coming, _FIRST_TRIPLES))
        prefixes = _used(self._namespaces, first)
        ox.serialize(chain(first, coming), output, format=_known(_GRAPHS, format_), prefixes=prefixes)

    def _refuse_unknown_graphs(self, query: Query) -> None:
        for iri in (*(query.default_graphs or ()), *(query.named_graphs or ())):
            if iri not in self._graphs:
                raise UnknownGraphError(
                    f"no graph of this release is called <{iri}>; nothing is fetched from elsewhere"
                )


def _ask(text: str, meant: str, ask: Callable[[str], _Answer]) -> _Answer:
    """Ask what is meant; what is no query is asked as it stands, so that errors name its places."""
    try:
        return ask(meant)
    except SyntaxError:
        if meant == text:
            raise
    return ask(text)


def _columns(ask: Callable[[str], _Answer], text: str) -> tuple[str, ...]:
    answer = ask(text)
    return tuple(one.value for one in answer.variables) if isinstance(answer, ox.QuerySolutions) else ()


def _values(ask: Callable[[str], _Answer], text: str) -> tuple[str, ...]:
    answer = ask(text)
    rows = (row[0] for row in answer) if isinstance(answer, ox.QuerySolutions) else ()
    return tuple(term.value for term in rows if isinstance(term, ox.NamedNode | ox.Literal))


class _Prefixes:
    """The prefixes that queries may use: the engine takes longer to read them all than to answer a look-up."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._marks = tuple((f"{prefix}:", prefix, namespace) for prefix, namespace in namespaces.items())

    def mentioned(self, text: str) -> dict[str, str]:
        """Return those that a query may mention."""
        # Any letter may be written as an escape.
        escaped = "\\u" in text or "\\U" in text
        return {prefix: namespace for mark, prefix, namespace in self._marks if escaped or mark in text}


class _Datasets:
    """The datasets that queries name (FROM), in which a triple that several graphs hold counts once."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._overlaps: dict[tuple[str, str], bool] = {}
        self._last: tuple[object, ox.Store] = ((), ox.Store())

    def open(self, default: tuple[str, ...], named: tuple[str, ...]) -> tuple[ox.Store, tuple[str, ...]]:
        """Return where to ask, and the graphs that make up the default graph there; an empty name is its own.

        The engine gives a triple once for each graph. Where graphs share none, it may be asked itself; else their
        merge is made in a store apart, which is kept for the next query over the same dataset.
        """
        graphs = tuple(dict.fromkeys(default))
        if not any(self._overlap(*sorted(pair)) for pair in combinations(graphs, 2)):
            return self._store, graphs
        key = (frozenset(graphs), frozenset(named))
        if self._last[0] != key:
            self._last = (key, self._merge(graphs, named))
        return self._last[1], ("",)

    def _overlap(self, one: str, other: str) -> bool:
        if (one, other) not in self._overlaps:
            test = f"ASK {{ GRAPH <{one}> {{ ?s ?p ?o }} GRAPH <{other}> {{ ?s ?p ?o }} }}"
            self._overlaps[one, other] = bool(self._store.query(test))
        return self._overlaps[one, other]

    def _merge(self, default: tuple[str, ...], named: tuple[str, ...]) -> ox.Store:
        merge = ox.Store()
        for iri in default:
            merge.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in self._quads(iri))
        for iri in named:
            merge.bulk_extend(self._quads(iri))
        return merge

    def _quads(self, iri: str) -> Iterator[ox.Quad]:
        return self._store.quads_for_pattern(None, None, None, ox.NamedNode(iri))


def _used(namespaces: Mapping[str, str], triples: Iterable[ox.Triple]) -> dict[str, str]:
    """Return the prefixes that some IRI in the triples needs: a reader wants no others."""
    terms = {term for one in triples for term in (one.subject, one.predicate, one.object)}
    iris = {term.value if isinstance(term, ox.NamedNode) else term.datatype.value for term in terms if _has_iri(term)}
    stems = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for iri in iris}
    return {prefix: namespace for prefix, namespace in namespaces.items() if namespace in stems}


def _has_iri(term: Term) -> TypeGuard[ox.NamedNode | ox.Literal]:
    return isinstance(term, ox.NamedNode | ox.Literal)


def _known(formats: Mapping[str, _EngineFormat], format_: Format) -> _EngineFormat:
    if format_.name not in formats:
        raise QueryError(f"the answer to this query cannot be given as {format_.name}; it can as {', '.join(formats)}")
    return formats[format_.name]
