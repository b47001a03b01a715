"""Canonical N-Quads: one line for each quad, sorted by code point, the same bytes for the same quads.

The lines follow RDF Dataset Canonicalization (RDFC-1.0), section 5, save that language tags keep their
recommended case; published data has no blank nodes, so their labels need no canonical form.
"""

import heapq
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby, islice
from pathlib import Path

import pyoxigraph as ox

from twingraph.rdf.iris import canonical_language
from twingraph.rdf.nquads import NQuads

# A language tag that may have to be cased. Within a literal a line's end is escaped, so what stands
# before the end of a line, or before the graph there, is the end of the object itself.
_TAG = re.compile(rb""""@([a-z]*[A-Z-][A-Za-z0-9-]*)(?= (?:(?:<[^<>"\s]*>|_:\S+) )?\.\n)""")
# Level 9 takes three times as long for files that are hardly smaller.
_LEVEL = 6
# What zlib calls the gzip format; the header that it then writes has neither name nor time.
_GZIP = 16 + zlib.MAX_WBITS
# How many bytes are sorted in memory at once, where they take about four times as much.
_AT_ONCE = 250_000_000
_BATCH = 20_000


def canonical_nquads(quads: Iterable[ox.Quad]) -> bytes:
    """Return the quads as canonical N-Quads in UTF-8, each once."""
    return b"".join(_sorted(NQuads.of(quads).blocks()))


def write_canonical(lines: NQuads, path: Path, at_once: int = _AT_ONCE) -> NQuads:
    """Write lines as canonical N-Quads in UTF-8, each once, into a file, and return them as they stand there.

    What is more than so many bytes is sorted piece by piece, in files beside it, which are merged and removed.
    """
    with ExitStack() as stack:
        pieces = []
        for number, blocks in enumerate(_pieces(lines.blocks(), at_once)):
            piece = path.with_name(f"{path.name}.{number}")
            stack.callback(piece.unlink, missing_ok=True)
            _write(piece, _sorted(blocks))
            pieces.append(piece)
        if len(pieces) == 1:
            pieces[0].replace(path)
        else:
            _write(path, _merged([stack.enter_context(piece.open("rb")) for piece in pieces]))
    return NQuads.in_file(path)


def compress(content: bytes) -> bytes:
    """Return the content as gzip with no name and no time in it, so that the same content gives the same bytes."""
    return b"".join(compressed([content]))


def compressed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield some content as gzip with no name and no time in it, block by block."""
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for block in blocks:
        yield engine.compress(block)
    yield engine.flush()


def _sorted(blocks: Iterable[bytes]) -> Iterator[bytes]:
    lines: set[bytes] = set()
    for block in blocks:
        lines.update(_TAG.sub(_canonical, block).split(b"\n"))
    # The order of bytes in UTF-8 is that of code points; the last line ends as the others do.
    ordered = iter(sorted(lines - {b""}))
    while batch := list(islice(ordered, _BATCH)):
        yield b"\n".join([*batch, b""])


def _pieces(blocks: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Yield the blocks in lists of about so many bytes, one at least."""
    piece: list[bytes] = []
    left = size
    for block in blocks:
        piece.append(block)
        left -= len(block)
        if left <= 0:
            yield piece
            piece, left = [], size
    if piece:
        yield piece


def _merged(files: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    each = (line for line, _ in groupby(heapq.merge(*files)))
    while batch := list(islice(each, _BATCH)):
        yield b"".join(batch)


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(blocks)


def _canonical(tag: re.Match[bytes]) -> bytes:
    return b'"@' + canonical_language(tag[1].decode()).encode()
