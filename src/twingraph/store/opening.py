"""Opening a release for the engine: in memory when it is small, else read-only where it lies.

Where the default graph is the union of all graphs, their merge, each statement once, is a store of its own in memory:
beside the named graphs it would make every question slower by a half. What asks for named graphs is asked of a second
store, which has both; that one is in memory too when there is room, else where the release lies.
"""

import gzip
import re
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox

from twingraph.errors import StoreError
from twingraph.rdf.nquads import without_graph_names
from twingraph.rdf.terms import MERGE

# Memory is two to six times faster and costs 0.4 GB for a million quads, of which it holds each once or three times.
IN_MEMORY_QUADS = 2_000_000
# How often a quad is held in memory when named graphs and their merge are there, beside the merge alone.
_COPIES = 3
_PIECE = 1 << 20
# The keyword, wherever it may be: what follows it is a variable or a name. A text that only looks like it loses time.
# A prefix may begin with letters that are none to Python, such as U+200C.
_GRAPH = re.compile(r"GRAPH(?:\s|\#[^\n\r]*)*+(?:[?$<:\w]|[^\x00-\x7f])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opened:
    """A release, opened: where its default graph is asked, where its named graphs are too, and how many quads it is."""

    default: ox.Store
    named: ox.Store
    quads: int

    def answering(self, text: str) -> ox.Store:
        """Return the store to ask a query that names no dataset."""
        return self.named if _GRAPH.search(text) else self.default


def reads_store(quads: int, small: int, *, as_union: bool) -> bool:
    """Tell whether a release of so many ``quads`` is asked where it lies, or a part of it."""
    return (_COPIES if as_union else 1) * quads > small


def open_release(release: Path, quads: int, small: int, *, as_union: bool) -> Opened:
    """Return a release of so many ``quads``, in memory when they are not more than ``small``; raises StoreError."""
    try:
        opened = _open(release, quads, small, as_union=as_union)
        has_graphs = as_union and next(iter(opened.named.named_graphs()), None)
        if has_graphs and not next(opened.named.quads_for_pattern(None, None, None, ox.DefaultGraph()), None):
            raise StoreError(f"the release {release.name} has no merge of its graphs: build it anew")
    except (OSError, EOFError, SyntaxError, ValueError, RuntimeError) as error:
        raise StoreError(f"the release {release.name} cannot be loaded: {error}") from error
    return opened


def _open(release: Path, quads: int, small: int, *, as_union: bool) -> Opened:
    if quads > small:
        stored = _stored(release)
        return Opened(stored, stored, quads)
    if not as_union:
        store = _in_memory(release)
        return Opened(store, store, len(store))
    merge, count = _merge(release)
    if _COPIES * quads > small:
        return Opened(merge, _stored(release), count)
    named = _in_memory(release)
    named.update(MERGE)
    return Opened(merge, named, count)


def _stored(release: Path) -> ox.Store:
    return ox.Store.read_only(str(release / "store"))


def _in_memory(release: Path) -> ox.Store:
    store = ox.Store()
    with gzip.open(release / "quads.nq.gz") as quads:
        store.bulk_load(cast(IO[bytes], quads), format=ox.RdfFormat.N_QUADS)
    return store


def _merge(release: Path) -> tuple[ox.Store, int]:
    """Return the merge of a release's graphs in a store, and how many quads they have together."""
    store = ox.Store()
    with gzip.open(release / "quads.nq.gz") as packed, BufferedReader(cast(RawIOBase, packed)) as quads:
        lines = _Triples(cast(IO[bytes], quads))
        store.bulk_load(cast(IO[bytes], lines), format=ox.RdfFormat.N_TRIPLES)
    return store, lines.count


class _Triples:
    """A binary file of N-Quads, to be read as N-Triples."""

    def __init__(self, quads: IO[bytes]) -> None:
        self._quads, self._ready = quads, b""
        self.count = 0

    def read(self, size: int) -> bytes:
        """Return so many bytes at most, none at the end."""
        if not self._ready:
            lines = self._quads.readlines(_PIECE)
            self.count += len(lines)
            self._ready = without_graph_names(b"".join(lines))
        ready, self._ready = self._ready[:size], self._ready[size:]
        return ready
