"""Statements as lines of N-Quads, in memory or in files, that can be read any number of times.

A quad takes some 700 bytes of memory as an object, 200 as a line, and none in a file; and most questions about all
statements are answered several times as fast from the bytes of lines as from parsed quads.
"""

import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import pyoxigraph as ox

_BLOCK_BYTES = 1 << 20
_BATCH_QUADS = 50_000
# A line with a blank node as subject, object or graph name, or in an object that is a triple. Predicates are not blank
# nodes, and literals end with a quotation mark, a language tag or a datatype. Some text in literals matches as well.
_BLANK = re.compile(rb"^(?:_:.*|\S+ \S+ (?:_:.*|<<\(.* _:.*|.* _:\S+ \.))\n", re.MULTILINE)

Row = tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Part:
    """Whole lines: the bytes from ``start`` to ``end`` of a file or of bytes in memory."""

    source: Path | bytes
    start: int
    end: int

    def followed_by(self, other: "_Part") -> "_Part | None":
        """Return both as one part if they are adjacent in the same file."""
        is_next = isinstance(self.source, Path) and self.source == other.source and self.end == other.start
        return _Part(self.source, self.start, other.end) if is_next else None

    def blocks(self) -> Iterator[bytes]:
        with io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb") as file:
            file.seek(self.start)
            left = self.end - self.start
            while left:
                block = file.read(min(_BLOCK_BYTES, left))
                block = block if block.endswith(b"\n") else block + file.readline()
                left -= len(block)
                yield block


@dataclass(frozen=True)
class NQuads(Collection[ox.Quad]):
    """A sequence of lines; iterating over it parses them, with order, repetitions and lexical forms preserved."""

    parts: tuple[_Part, ...] = ()
    count: int = 0

    @classmethod
    def of(cls, quads: Iterable[ox.Quad]) -> "NQuads":
        """Return quads as lines in memory."""
        return NQuadsWriter().add(quads)

    @classmethod
    def in_file(cls, path: Path) -> "NQuads":
        """Return the lines of a file that consists of them, without comments."""
        whole = cls((_Part(path, 0, path.stat().st_size),))
        return cls(whole.parts, sum(block.count(b"\n") for block in whole.blocks()))

    def __add__(self, other: "NQuads") -> "NQuads":
        joined = self.parts[-1].followed_by(other.parts[0]) if self.parts and other.parts else None
        parts = (*self.parts[:-1], joined, *other.parts[1:]) if joined else (*self.parts, *other.parts)
        return NQuads(parts, self.count + other.count)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[ox.Quad]:
        for block in self.blocks():
            yield from ox.parse(block, format=ox.RdfFormat.N_QUADS)

    def __contains__(self, quad: object) -> bool:
        return any(one == quad for one in self)

    def blocks(self) -> Iterator[bytes]:
        """Yield the lines in blocks of about a megabyte."""
        for part in self.parts:
            yield from part.blocks()

    def may_have_blank_nodes(self) -> bool:
        """Return whether there are blank nodes, or at least text in literals that looks like one."""
        return any(by_blank_nodes(block)[1] for block in self.blocks())

    def stored(self, directory: Path) -> "NQuads":
        """Return the same lines, all of them in files; lines in memory are written to one in ``directory``."""
        if all(isinstance(part.source, Path) for part in self.parts):
            return self
        path = directory / "lines.nq"
        with path.open("wb") as file:
            file.writelines(self.blocks())
            return NQuads((_Part(path, 0, file.tell()),), self.count)

    def rows(self) -> Iterator[list[Row]]:
        """Yield the terms of each line, in N-Quads, in blocks of lines; the default graph has an empty name."""
        for block in self.blocks():
            yield rows_of(block)

    def by_graphs(self, graphs: Collection[str]) -> tuple["NQuads", "NQuads"]:
        """Return the lines in these named graphs, and all others, in memory."""
        names = {f"<{graph}>".encode() for graph in graphs}
        within, outside = NQuadsWriter(), NQuadsWriter()
        for block in self.blocks():
            lines = block.split(b"\n")[:-1]
            pairs = [(line, graph in names) for line, graph in zip(lines, triples_and_graphs(block)[1], strict=True)]
            within.add_blocks([b"".join(b"%b\n" % line for line, is_within in pairs if is_within)])
            outside.add_blocks([b"".join(b"%b\n" % line for line, is_within in pairs if not is_within)])
        return within.lines, outside.lines

    def with_predicates(self, predicates: Iterable[str]) -> Iterator[ox.Quad]:
        """Yield the quads with these predicates, in the order of the lines."""
        names = b"|".join(re.escape(name.encode()) for name in predicates)
        pattern = re.compile(b" <(?:%b)> " % names)
        for block in self.blocks():
            yield from ox.parse(b"".join(_matching(pattern, block)), format=ox.RdfFormat.N_QUADS)


class NQuadsWriter:
    """Writes quads as lines, to the file ``path`` or, without one, to memory.

    Lines are serialized into a ``buffer`` for each block; one that raises an error ends the writing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._written = path, NQuads()
        if path:
            path.touch()

    @property
    def lines(self) -> NQuads:
        """Everything written so far."""
        return self._written

    def add(self, quads: Iterable[ox.Quad], buffer: Callable[[], io.BytesIO] = io.BytesIO) -> NQuads:
        """Write quads and return their lines; if the iterator raises an error, none of them is written."""
        return self._write(_serialized(quads, ox.RdfFormat.N_QUADS, buffer))

    def add_triples(
        self,
        triples: Iterable[ox.Quad] | Iterable[ox.Triple],
        graph: str,
        buffer: Callable[[], io.BytesIO] = io.BytesIO,
    ) -> NQuads:
        """Write triples in a named graph, or in the default graph if the name is empty, as `add` does."""
        # Ends of lines are escaped within literals, so this replaces nothing else.
        end = f" <{graph}> .\n".encode() if graph else b" .\n"
        return self._write(
            block.replace(b" .\n", end) for block in _serialized(triples, ox.RdfFormat.N_TRIPLES, buffer)
        )

    def add_lines(self, lines: NQuads) -> NQuads:
        """Write lines as they are, and return them."""
        return self._write(lines.blocks())

    def add_blocks(self, blocks: Iterable[bytes]) -> NQuads:
        """Write blocks of whole lines, and return them."""
        return self._write(blocks)

    def _write(self, blocks: Iterable[bytes]) -> NQuads:
        written = _in_file(self._path, blocks) if self._path else _in_memory(blocks)
        self._written += written
        return written


def terms(written: Iterable[bytes]) -> Iterator[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple]:
    """Parse terms in N-Quads."""
    every = iter(written)
    while batch := tuple(islice(every, _BATCH_QUADS)):
        text = b"".join([b"<urn:x> <urn:x> %b .\n" % term for term in batch])
        yield from (quad.object for quad in ox.parse(text, format=ox.RdfFormat.N_TRIPLES))


def _matching(pattern: re.Pattern[bytes], block: bytes) -> Iterator[bytes]:
    """Yield the lines in which the pattern matches at the first space, which precedes the predicate."""
    for match in pattern.finditer(block):
        start = block.rfind(b"\n", 0, match.start()) + 1
        if block.find(b" ", start) == match.start():
            yield block[start : block.find(b"\n", match.end()) + 1]


def rows_of(block: bytes) -> list[Row]:
    """Return the terms of each line, in N-Quads; the default graph has an empty name."""
    lines = block.split(b" .\n")[:-1]
    pairs = zip(lines, _triples(lines), strict=True)
    split = ((line, triple, triple.split(b" ", 2)) for line, triple in pairs)
    return [(subject, predicate, value, line[len(triple) + 1 :]) for line, triple, (subject, predicate, value) in split]


def by_blank_nodes(block: bytes) -> tuple[bytes, bytes]:
    """Return the lines without blank nodes, and the others; a few without may be among these, always the same ones."""
    if b"_:" not in block:
        return block, b""
    return _BLANK.sub(b"", block), b"".join(_BLANK.findall(block))


def labelled(blocks: Iterable[bytes], *, union: bool) -> Iterator[ox.Quad]:
    """Parse the lines with blank nodes, whose labels are preserved; with ``union`` each also for the default graph."""
    for block in blocks:
        for quad in ox.parse(by_blank_nodes(block)[1], format=ox.RdfFormat.N_QUADS):
            yield quad
            if union:
                yield ox.Quad(quad.subject, quad.predicate, quad.object)


def triples_and_graphs(block: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the triple of each line in N-Triples, without its end, and its graph; the default graph has no name."""
    lines = block.split(b" .\n")[:-1]
    triples = list(_triples(lines))
    return triples, [line[len(triple) + 1 :] for line, triple in zip(lines, triples, strict=True)]


def without_graph_names(block: bytes) -> bytes:
    """Return lines of N-Quads as N-Triples, with repetitions."""
    return b" .\n".join([*_triples(block.split(b" .\n")[:-1]), b""])


def _triples(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield each line without its graph; there is one space between terms, as the engine writes them."""
    for line in lines:
        triple, _, last = line.rpartition(b" ")
        # What follows the last space is the end of a literal if there is a quotation mark in it, and the object of a
        # triple if there is only one other space.
        has_graph = last[0] in b"<_" and b'"' not in last and triple.count(b" ") > 1
        yield triple if has_graph else line


def _serialized(
    quads: Iterable[ox.Quad] | Iterable[ox.Triple], format_: ox.RdfFormat, buffer: Callable[[], io.BytesIO]
) -> Iterator[bytes]:
    every = cast("Iterator[ox.Quad]", iter(quads))  # `serialize` is typed for one or the other
    while True:
        output = buffer()
        ox.serialize(islice(every, _BATCH_QUADS), output, format=format_)
        if not output.tell():
            return
        yield output.getvalue()


def _in_memory(blocks: Iterable[bytes]) -> NQuads:
    content = b"".join(blocks)
    return NQuads((_Part(content, 0, len(content)),), content.count(b"\n"))


def _in_file(path: Path, blocks: Iterable[bytes]) -> NQuads:
    with path.open("r+b") as file:
        start, count = file.seek(0, io.SEEK_END), 0
        try:
            for block in blocks:
                count += block.count(b"\n")
                file.write(block)
        except BaseException:  # whatever the iterator raises, or an interrupt: half of the quads must not stay
            file.truncate(start)
            raise
        return NQuads((_Part(path, start, file.tell()),), count)
