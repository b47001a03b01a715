"""Canonical N-Quads: one line for each quad, sorted by code point, the same bytes for isomorphic datasets.

Blank nodes are labelled, and lines written, as RDF Dataset Canonicalization (RDFC-1.0, sections 4 and 5) says, except
that language tags keep their recommended case. Labels depend only on the quads with blank nodes, so only those are
canonicalized: by the engine, in a process of its own, because a dataset can be made for which it takes years (RDFC-1.0,
section 7.1) and it cannot be interrupted. Run as a module, ``python -m twingraph.rdf.canonical``, this is that process.
"""

import heapq
import re
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby, islice
from pathlib import Path

import pyoxigraph as ox

from twingraph.errors import ReleaseError
from twingraph.processes import command, exit_with_parent
from twingraph.rdf.iris import canonical_language
from twingraph.rdf.nquads import NQuads

# A language tag that may have to be cased. Within a literal a line's end is escaped, so what stands
# before the end of a line, or before the graph there, is the end of the object itself.
_TAG = re.compile(rb""""@([a-z]*[A-Z-][A-Za-z0-9-]*)(?= (?:(?:<[^<>"\s]*>|_:\S+) )?\.\n)""")
# A line with a blank node as its subject, object or graph; a predicate is none, and a literal ends with a quotation
# mark, a language tag or a datatype.
_BLANK = re.compile(rb"^(?:_:.*|\S+ \S+ (?:_:.*|.* _:\S+ \.))\n", re.MULTILINE)
# How long the labels of blank nodes may take to compute; 100,000 ordinary ones take some seconds.
_SECONDS = 60.0
# Level 9 takes three times as long for files that are hardly smaller.
_LEVEL = 6
# What zlib calls the gzip format; the header that it then writes has neither name nor time.
_GZIP = 16 + zlib.MAX_WBITS
# How many bytes are sorted in memory at once, where they take about four times as much.
_AT_ONCE = 250_000_000
_BATCH = 20_000


def write_canonical(lines: NQuads, path: Path, at_once: int = _AT_ONCE, seconds: float = _SECONDS) -> NQuads:
    """Write lines as canonical N-Quads in UTF-8, each once, into a file, and return them as they stand there.

    Beyond ``at_once`` bytes they are sorted piece by piece, in files beside ``path``, which are merged and removed.
    Raises ReleaseError when labelling the blank nodes takes longer than ``seconds``.
    """
    with ExitStack() as stack:
        pieces = []
        for number, blocks in enumerate(_pieces(_labelled(lines, seconds), at_once)):
            piece = path.with_name(f"{path.name}.{number}")
            stack.callback(piece.unlink, missing_ok=True)
            _write(piece, _sorted(blocks))
            pieces.append(piece)
        if len(pieces) == 1:
            pieces[0].replace(path)
        else:
            _write(path, _merged([stack.enter_context(piece.open("rb")) for piece in pieces]))
    return NQuads.in_file(path)


def main() -> None:
    """Canonicalize the N-Quads on standard input, and write them, in any order, to standard output."""
    exit_with_parent()
    dataset = ox.Dataset(ox.parse(sys.stdin.buffer, format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    ox.serialize(dataset, sys.stdout.buffer, format=ox.RdfFormat.N_QUADS)


def _labelled(lines: NQuads, seconds: float) -> Iterator[bytes]:
    """Yield the lines with canonical labels for blank nodes, in other order, block by block."""
    with_blank_nodes = []
    for block in lines.blocks():
        if found := _BLANK.findall(block):
            with_blank_nodes += found
            block = _BLANK.sub(b"", block)
        yield block
    if with_blank_nodes:
        try:
            process = subprocess.run(
                command("twingraph.rdf.canonical"),
                input=b"".join(with_blank_nodes),
                stdout=subprocess.PIPE,
                timeout=seconds,
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            reason = f"canonical labels were not found within {seconds:g} seconds"
            raise ReleaseError("blank nodes", f"{reason}: give the nodes IRIs") from error
        except subprocess.CalledProcessError as error:
            reason = f"not labelled, because the process that does it ended with {error.returncode}"
            raise ReleaseError("blank nodes", reason) from error
        yield process.stdout


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


if __name__ == "__main__":
    main()
