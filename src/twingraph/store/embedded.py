"""The embedded store: Oxigraph within this program, over one release.

A release of up to SMALL quads is held in memory, a larger one is opened read-only where it lies.
"""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeGuard, TypeVar, cast

import pyoxigraph as ox

from twingraph.engine_errors import query_error
from twingraph.errors import IriError, QueryError, StoreError
from twingraph.formats import Format
from twingraph.query_text import Query
from twingraph.settings import DefaultGraph
from twingraph.terms import Term

# Memory is two to six times faster and costs 0.4 GB for a million quads.
SMALL = 2_000_000
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
_EngineFormat = TypeVar("_EngineFormat", ox.RdfFormat, ox.QueryResultsFormat)


class EmbeddedStore:
    """Oxigraph over one release; ``base`` and ``namespaces`` are what queries may use undeclared."""

    def __init__(
        self,
        base: str,
        namespaces: Mapping[str, str],
        default_graph: DefaultGraph = DefaultGraph.UNION,
        small: int = SMALL,
    ) -> None:
        self._base, self._namespaces, self._small = base, dict(namespaces), small
        self._as_union = default_graph == DefaultGraph.UNION
        self._store = ox.Store()
        self._graphs: frozenset[str] = frozenset()

    def load(self, release: Path, quads: int) -> None:
        """Take a release of so many ``quads``; raises StoreError."""
        try:
            store = _in_memory(release) if quads <= self._small else ox.Store.read_only(str(release / "store"))
            graphs = frozenset(graph.value for graph in store.named_graphs())
        except (OSError, EOFError, SyntaxError, ValueError) as error:
            raise StoreError(f"the release {release.name} cannot be loaded: {error}") from error
        self._store, self._graphs = store, graphs

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the answer to a query; raises QueryError or StoreError."""
        self._refuse_unknown_graphs(query)
        try:
            self._answer(query, format_, output)
        except SyntaxError as error:
            raise query_error(error, query.text) from error
        except (OSError, ValueError, RuntimeError) as error:
            raise StoreError(f"the query could not be answered: {error}") from error

    def describe(self, iri: str, format_: Format, output: IO[bytes]) -> None:
        """Write the statements of which a thing is the subject."""
        try:
            subject = ox.NamedNode(iri)
        except ValueError as error:
            raise IriError(iri, str(error)) from error
        triples = {
            ox.Triple(q.subject, q.predicate, q.object) for q in self._store.quads_for_pattern(subject, None, None)
        }
        self._write(sorted(triples, key=str), format_, output)

    def graphs(self) -> tuple[str, ...]:
        """Return the IRIs of the named graphs, sorted."""
        return tuple(sorted(self._graphs))

    def health(self) -> int:
        """Return the number of quads, after asking the engine; raises StoreError."""
        try:
            self._store.query("ASK {}")
            return len(self._store)
        except OSError as error:
            raise StoreError(f"the store does not answer: {error}") from error

    def _answer(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        # A result must be serialized on the thread that asked for it: elsewhere it aborts the process.
        whole = query.default_graphs is None and query.named_graphs is None
        answer = self._store.query(
            query.text,
            base_iri=self._base,
            prefixes=self._namespaces,
            # Given together with a dataset, the union would win over it.
            use_default_graph_as_union=whole and self._as_union,
            default_graph=None if whole else [ox.NamedNode(iri) for iri in query.default_graphs or ()],
            named_graphs=None if whole else [ox.NamedNode(iri) for iri in query.named_graphs or ()],
        )
        if isinstance(answer, ox.QueryTriples):
            self._write(tuple(answer), format_, output)
        else:
            answer.serialize(output, format=_known(_RESULTS, format_))

    def _write(self, triples: Sequence[ox.Triple], format_: Format, output: IO[bytes]) -> None:
        prefixes = _used(self._namespaces, triples)
        ox.serialize(triples, output, format=_known(_GRAPHS, format_), prefixes=prefixes)

    def _refuse_unknown_graphs(self, query: Query) -> None:
        for iri in (*(query.default_graphs or ()), *(query.named_graphs or ())):
            if iri not in self._graphs:
                raise QueryError(f"no graph of this release is called <{iri}>; nothing is fetched from elsewhere")


def _in_memory(release: Path) -> ox.Store:
    store = ox.Store()
    with gzip.open(release / "quads.nq.gz") as quads:
        store.bulk_load(cast(IO[bytes], quads), format=ox.RdfFormat.N_QUADS)
    return store


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
