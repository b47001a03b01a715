"""The engine's stores for a release, and which of them answers for which dataset.

A release is loaded into memory when it is small, and else read from disk. Where the default graph is the union of all
graphs, their merge has a store of its own: in one store with the named graphs, queries would take 1.5 times as long.
Queries with GRAPH go to a second store, which has both; it is in memory too if there is room.

The engine's own union of graphs yields a triple once for each graph that contains it, where the specification has it
once (RDF 1.1 Semantics, section 4.1). Merges are therefore materialized, which also makes queries two to three times as
fast.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox

from twingraph.errors import StoreError
from twingraph.rdf.nquads import by_blank_nodes, labelled, without_graph_names
from twingraph.store.exact import QUADS

# Memory is two to six times as fast as disk, and takes 0.4 GB for a million quads; each is held once or three times.
IN_MEMORY_QUADS = 2_000_000
# In memory each quad is in the store of the merge, and as a quad and in the merge in that of the named graphs.
_COPIES = 3
_READ_BYTES = 1 << 20
_MERGE = "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"
# The keyword GRAPH before a variable or a name, also within strings and comments: a false match only costs time.
# Prefixes may begin with characters that are not \w in Python, such as U+200C.
_GRAPH = re.compile(r"GRAPH(?:\s|\#[^\n\r]*)*+(?:[?$<:\w]|[^\x00-\x7f])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open release: a store with its default graph, one that also has the named graphs, and the number of quads."""

    default: ox.Store
    named: ox.Store
    quads: int

    def answering(self, text: str) -> ox.Store:
        """Return the store that answers a query without dataset clauses."""
        return self.named if _GRAPH.search(text) else self.default


def reads_store(quads: int, memory_quads: int, *, as_union: bool) -> bool:
    """Return whether a release with this number of quads is read from disk, at least in part."""
    return (_COPIES if as_union else 1) * quads > memory_quads


def open_release(release: Path, quads: int, memory_quads: int, *, as_union: bool) -> Opened:
    """Open a release with this number of quads, in memory if there are at most ``memory_quads``; raises StoreError."""
    try:
        opened = _open(release, quads, memory_quads, as_union=as_union)
        has_graphs = as_union and next(iter(opened.named.named_graphs()), None)
        if has_graphs and not next(opened.named.quads_for_pattern(None, None, None, ox.DefaultGraph()), None):
            raise StoreError(f"the release {release.name} does not contain the merge of its graphs: rebuild it")
    except (OSError, EOFError, SyntaxError, ValueError, RuntimeError) as error:
        raise StoreError(f"the release {release.name} cannot be loaded: {error}") from error
    return opened


def _open(release: Path, quads: int, memory_quads: int, *, as_union: bool) -> Opened:
    if quads > memory_quads:
        stored = _on_disk(release)
        return Opened(stored, stored, quads)
    if not as_union:
        store = _in_memory(release)
        return Opened(store, store, len(store))
    merge, count = _merge(release)
    if _COPIES * quads > memory_quads:
        return Opened(merge, _on_disk(release), count)
    named = _in_memory(release)
    named.update(_MERGE)
    return Opened(merge, named, count)


def _on_disk(release: Path) -> ox.Store:
    return ox.Store.read_only(str(release / "store"))


def _in_memory(release: Path) -> ox.Store:
    store = ox.Store()
    _load(store, release, ox.RdfFormat.N_QUADS)
    return store


def _merge(release: Path) -> tuple[ox.Store, int]:
    """Return a store with the merge of a release's graphs, and the number of quads in them."""
    store = ox.Store()
    return store, _load(store, release, ox.RdfFormat.N_TRIPLES)


def _load(store: ox.Store, release: Path, as_: ox.RdfFormat) -> int:
    """Load the quads of a release, or their triples, and return the number of quads.

    The engine's loader replaces the labels of blank nodes, so statements with blank nodes are added as parsed quads.
    """
    is_merge = as_ == ox.RdfFormat.N_TRIPLES
    with gzip.open(release / QUADS) as packed:
        lines = _Unlabelled(_blocks(packed), as_triples=is_merge)
        store.bulk_load(cast(IO[bytes], lines), format=as_)
    if lines.has_others:
        with gzip.open(release / QUADS) as packed:
            quads = labelled(_blocks(packed), union=False)
            store.bulk_extend(ox.Quad(*quad.triple) if is_merge else quad for quad in quads)
    return lines.count


def _blocks(packed: gzip.GzipFile) -> Iterator[bytes]:
    """Yield the lines of a file in blocks."""
    while block := packed.read(_READ_BYTES):
        yield block + packed.readline()


class _Unlabelled:
    """A binary file of those lines that have no blank nodes, as N-Quads or as N-Triples; ``count`` is that of all."""

    def __init__(self, blocks: Iterator[bytes], *, as_triples: bool) -> None:
        self._blocks, self._as_triples = blocks, as_triples
        self._ready, self._read = b"", 0
        self.count, self.has_others = 0, False

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        while self._read == len(self._ready):
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._read, self._ready = 0, self._lines(block)
        start, self._read = self._read, min(self._read + size, len(self._ready))
        return self._ready[start : self._read]

    def _lines(self, block: bytes) -> bytes:
        self.count += block.count(b"\n")
        lines, others = by_blank_nodes(block)
        self.has_others = self.has_others or bool(others)
        return without_graph_names(lines) if self._as_triples else lines


class Datasets:
    """The datasets of queries with FROM, in which a triple that is in several graphs counts once."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._overlaps: dict[tuple[str, str], bool] = {}
        self._last: tuple[object, ox.Store] = ((), ox.Store())

    def open(self, default: tuple[str, ...], named: tuple[str, ...]) -> tuple[ox.Store, tuple[str, ...]]:
        """Return a store, and the graphs in it that make up the default graph; an empty name is its own default graph.

        Where no two graphs share a triple, the engine's own union is right. Otherwise they are merged in another store,
        which is kept for the next query with the same dataset.
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
