"""The statements of a release with their terms as written, which the engine's store does not preserve.

``quads.nq.gz`` has all of them as canonical N-Quads, sorted, and ``graphs.nt.gz`` the triples of each graph as sorted
canonical N-Triples, graph after graph. Both consist of gzip members, and the index beside each, a line for an entry,
says which bytes to read: for a subject one member or two, for a graph its part of the file.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import pyoxigraph as ox

from twingraph.errors import DamagedStoreError
from twingraph.rdf.formats import Format
from twingraph.rdf.gzip_members import Extent, read_members, unpacked
from twingraph.store.graph_output import write_lines

QUADS, QUADS_INDEX = "quads.nq.gz", "quads.nq.index"
GRAPHS, GRAPHS_INDEX = "graphs.nt.gz", "graphs.nt.index"
EXACT_FILES = (QUADS, QUADS_INDEX, GRAPHS, GRAPHS_INDEX)
# What stands in the index for the default graph.
_DEFAULT = b"default"


class SubjectEntry(NamedTuple):
    """A member of ``quads.nq.gz``, and the subject of its first line in N-Quads."""

    extent: Extent
    subject: bytes


class GraphEntry(NamedTuple):
    """The part of ``graphs.nt.gz`` with a graph, the number of its triples and their size (bytes) in N-Triples."""

    extent: Extent
    triples: int
    size: int


@dataclass(frozen=True)
class ExactStatements:
    """The statements of the release in ``directory``; ``graphs`` are its graphs, the default graph as ``""``.

    It takes some 200 bytes of memory for each graph and each member, of which a million quads have a thousand.
    """

    directory: Path
    graphs: Mapping[str, GraphEntry]
    _subjects: tuple[bytes, ...]
    _members: tuple[Extent, ...]

    @classmethod
    def open(cls, directory: Path) -> "ExactStatements":
        """Read the indexes of a release; raises OSError, and ValueError when they are damaged."""
        entries = read_subjects(directory)
        return cls(
            directory,
            read_graphs(directory),
            tuple(entry.subject + b" " for entry in entries),
            tuple(entry.extent for entry in entries),
        )

    def about(self, subject: ox.NamedNode | ox.BlankNode) -> Iterator[bytes]:
        """Yield the statements about a subject as lines of N-Quads, sorted, in blocks; none for one that is not there.

        Raises what `read_members` does.
        """
        return self.beginning_with(f"{subject} ".encode())

    def beginning_with(self, start: bytes) -> Iterator[bytes]:
        """Yield the lines that begin with these bytes, sorted, in blocks; raises what `read_members` does."""
        first = bisect_left(self._subjects, start)
        # They may begin in the member before the first one that begins with them.
        for number in range(max(first - 1, 0), len(self._members)):
            if number >= first and not self._subjects[number].startswith(start):
                return
            content = b"".join(read_members(self.directory / QUADS, self._members[number]))
            if found := _beginning_with(start, content):
                yield found

    def near(self, start: bytes) -> Iterator[bytes]:
        """Yield the subjects of the lines around the place where one that begins with these bytes would be.

        Raises what `read_members` does.
        """
        place = max(bisect_left(self._subjects, start) - 1, 0)
        for content in read_members(self.directory / QUADS, self._members[place]) if self._members else ():
            yield from dict.fromkeys(line.partition(b" ")[0] for line in content.split(b"\n")[:-1])

    def triples(self, graph: str) -> Iterator[bytes]:
        """Yield the triples of a graph as lines of N-Triples, sorted, in blocks; raises KeyError for an unknown graph.

        Otherwise raises what `read_members` does.
        """
        return read_members(self.directory / GRAPHS, self.graphs[graph].extent)


class GraphFile:
    """The open file of the graphs of a release, so that they can be read even when the release has been removed.

    ``namespaces`` and ``tags`` are as for `write_lines`. A release of an earlier form has no such file.
    """

    def __init__(self, release: Path, namespaces: Mapping[str, str], tags: Sequence[str]) -> None:
        self._namespaces, self._tags = namespaces, tags
        path = release / GRAPHS
        self._file = path.open("rb") if path.exists() else None

    def write(self, extent: Extent, format_: Format, output: IO[bytes]) -> None:
        """Write the graph in a part of the file; raises QueryError as `write_lines` does, and DamagedStoreError."""
        write_lines(self._read(extent), format_, self._namespaces, self._tags, output)

    def _read(self, extent: Extent) -> Iterator[bytes]:
        if self._file is None:
            raise DamagedStoreError("the release has no file of its graphs")
        try:
            yield from unpacked(self._file, extent)
        except (OSError, EOFError, zlib.error) as error:
            raise DamagedStoreError("the file of the graphs is damaged or cannot be read") from error


def read_subjects(directory: Path) -> tuple[SubjectEntry, ...]:
    """Read the index of the quads, in their order; raises OSError, and ValueError when it is damaged."""
    rows = (line.split(b" ", 2) for line in _lines(directory / QUADS_INDEX))
    return tuple(SubjectEntry(Extent(int(start), int(end)), subject) for start, end, subject in rows)


def read_graphs(directory: Path) -> dict[str, GraphEntry]:
    """Read the index of the graphs; raises OSError, and ValueError when it is damaged."""
    rows = (line.split(b" ", 4) for line in _lines(directory / GRAPHS_INDEX))
    return {
        "" if name == _DEFAULT else name[1:-1].decode(): GraphEntry(
            Extent(int(start), int(end)), int(triples), int(size)
        )
        for start, end, triples, size, name in rows
    }


def write_subjects(directory: Path, entries: Iterable[SubjectEntry]) -> None:
    """Write the index of the quads."""
    lines = (b"%d %d %b\n" % (*entry.extent, entry.subject) for entry in entries)
    (directory / QUADS_INDEX).write_bytes(b"".join(lines))


def write_graphs(directory: Path, entries: Mapping[str, GraphEntry]) -> None:
    """Write the index of the graphs."""
    names = (b"<%b>" % name.encode() if name else _DEFAULT for name in entries)
    lines = (
        b"%d %d %d %d %b\n" % (*extent, triples, size, name)
        for name, (extent, triples, size) in zip(names, entries.values(), strict=True)
    )
    (directory / GRAPHS_INDEX).write_bytes(b"".join(lines))


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


def _beginning_with(start: bytes, lines: bytes) -> bytes:
    """Return those of sorted lines that begin so."""
    first = 0 if lines.startswith(start) else lines.find(b"\n" + start) + 1
    if not first and not lines.startswith(start):
        return b""
    last = lines.rfind(b"\n" + start) + 1
    return lines[first : lines.index(b"\n", last or first) + 1]
