"""Writing the statements of a release as written: all of them, sorted, and graph by graph; see `store/exact.py`."""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from twingraph.rdf.gzip_members import MEMBER_BYTES, Extent, Member, members
from twingraph.rdf.nquads import NQuads, triples_and_graphs, without_graph_names
from twingraph.rdf.terms import DefaultGraph
from twingraph.store.exact import GRAPHS, QUADS, GraphEntry, SubjectEntry, write_graphs, write_subjects

# How many bytes of triples are held in memory before they are written to the file from which they are collected.
_HELD_BYTES = 64_000_000


def write_quads(lines: NQuads, directory: Path, member_bytes: int = MEMBER_BYTES) -> str:
    """Write canonical lines and their index; return the SHA-256 of the lines in hexadecimal."""
    digest = sha256()
    with (directory / QUADS).open("wb") as file:
        packed = members(_hashed(lines.blocks(), digest.update), member_bytes)
        written = [(_write(file, member), member.first.partition(b" ")[0]) for member in packed]
    write_subjects(directory, (SubjectEntry(extent, subject) for extent, subject in written))
    return digest.hexdigest()


def write_triples(
    lines: NQuads,
    graphs: Collection[str],
    default_graph: DefaultGraph,
    directory: Path,
    work: Path,
    held_bytes: int = _HELD_BYTES,
) -> None:
    """Write the triples of each graph of canonical lines, the default graph's first, and their index.

    ``graphs`` are the graphs that the lines name, the default graph as ``""``. What exceeds ``held_bytes`` is kept in a
    file in ``work`` until it is sorted by graph. The union of a single graph is written once.
    """
    is_union, named = default_graph == DefaultGraph.UNION, sorted(name for name in graphs if name)
    entries: dict[str, GraphEntry] = {}
    with (directory / GRAPHS).open("wb") as file, _Sorter(work / "graphs.nt", held_bytes) as sorter:
        if is_union and len(graphs) <= 1:
            entries[""] = _written(file, map(without_graph_names, lines.blocks()))
            write_graphs(directory, dict.fromkeys(("", *named), entries[""]))
            return
        split = map(triples_and_graphs, lines.blocks())
        if is_union:
            entries[""] = _written(file, _merged(_added(split, sorter)))
        else:
            for _ in _added(split, sorter):
                pass
        for name in named if is_union else ("", *named):
            entries[name] = _written(file, sorter.triples(f"<{name}>".encode() if name else b""))
    write_graphs(directory, entries)


class _Sorter:
    """Collects lines by graph, in memory and in the file ``path``, which is removed in the end."""

    def __init__(self, path: Path, held_bytes: int) -> None:
        self._path, self._held_bytes = path, held_bytes
        self._file = path.open("w+b")
        self._held: dict[bytes, list[bytes]] = {}
        self._size = 0
        # The position and the size of each part of a graph in the file.
        self._parts: dict[bytes, array[int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._path.unlink()

    def add(self, triples: Iterable[bytes], graphs: Iterable[bytes]) -> None:
        """Add triples without the end of a line, each to its graph."""
        held = self._held
        for triple, graph in zip(triples, graphs, strict=True):
            if graph in held:
                held[graph].append(triple)
            else:
                held[graph] = [triple]
            self._size += len(triple)
        if self._size > self._held_bytes:
            self._store()

    def triples(self, graph: bytes) -> Iterator[bytes]:
        """Yield the lines of a graph in the order in which they were added, in blocks."""
        parts = iter(self._parts.get(graph, ()))
        for start, size in zip(parts, parts, strict=True):
            self._file.seek(start)
            yield self._file.read(size)
        if graph in self._held:
            yield _lines(self._held[graph])

    def _store(self) -> None:
        for graph, triples in self._held.items():
            start = self._file.tell()
            self._file.write(_lines(triples))
            self._parts.setdefault(graph, array("q")).extend((start, self._file.tell() - start))
        self._held, self._size = {}, 0


def _added(split: Iterable[tuple[list[bytes], list[bytes]]], sorter: _Sorter) -> Iterator[list[bytes]]:
    """Add each block to the sorter, and yield its triples."""
    for triples, graphs in split:
        sorter.add(triples, graphs)
        yield triples


def _merged(blocks: Iterable[list[bytes]]) -> Iterator[bytes]:
    """Yield each triple once; equal ones follow one another, since lines that differ by their graph do."""
    last = b""
    for triples in blocks:
        yield _lines([triple for before, triple in zip([last, *triples], triples, strict=False) if before != triple])
        last = triples[-1]


def _lines(triples: Iterable[bytes]) -> bytes:
    return b" .\n".join([*triples, b""])


def _written(file: IO[bytes], blocks: Iterable[bytes]) -> GraphEntry:
    """Write the triples of a graph and return their entry in the index."""
    start, triples, size = file.tell(), 0, 0
    for member in members(blocks):
        _write(file, member)
        triples += member.lines
        size += member.size
    return GraphEntry(Extent(start, file.tell()), triples, size)


def _write(file: IO[bytes], member: Member) -> Extent:
    start = file.tell()
    return Extent(start, start + file.write(member.packed))


def _hashed(blocks: Iterable[bytes], update: Callable[[bytes], object]) -> Iterator[bytes]:
    for block in blocks:
        update(block)
        yield block
