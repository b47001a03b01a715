"""Canonical N-Quads: one line for each quad, sorted by code point; isomorphic datasets have the same bytes.

Labels of blank nodes and the form of lines are those of RDF Dataset Canonicalization (RDFC-1.0, sections 4 and 5),
except that language tags keep their recommended case. Labels depend only on the quads with blank nodes, so only those
are canonicalized: by the engine, and in a process of its own (``python -m twingraph.rdf.canonical``), because it cannot
be interrupted and there are datasets for which it would take years (RDFC-1.0, section 7.1).
"""

import heapq
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby, islice
from pathlib import Path

import pyoxigraph as ox

from twingraph.errors import ReleaseError
from twingraph.processes import command, exit_with_parent
from twingraph.rdf.iris import canonical_language
from twingraph.rdf.look_alikes import look_alikes
from twingraph.rdf.nquads import NQuads, by_blank_nodes

# A language tag whose case may have to change. Ends of lines are escaped within literals, so a tag before the end of a
# line, or before the graph name there, is that of the object.
_TAG = re.compile(rb""""@([a-z]*[A-Z-][A-Za-z0-9-]*)(?= (?:(?:<[^<>"\s]*>|_:\S+) )?\.\n)""")
# Time limit for labelling blank nodes; 100,000 ordinary ones take some seconds.
_LABELLING_SECONDS = 60.0
# Bytes that are sorted in memory at a time; they take about four times as much.
_SORTED_BYTES = 250_000_000
_BATCH_LINES = 20_000


def write_canonical(
    lines: NQuads, path: Path, sorted_bytes: int = _SORTED_BYTES, seconds: float = _LABELLING_SECONDS
) -> NQuads:
    """Write lines to a file as canonical N-Quads in UTF-8, each once, and return those of the file.

    More than ``sorted_bytes`` are sorted in runs, in files beside ``path`` that are then merged and removed. Raises
    ReleaseError when labelling the blank nodes takes longer than ``seconds``.
    """
    with ExitStack() as stack:
        runs = []
        for number, blocks in enumerate(_runs(_labelled(lines, seconds), sorted_bytes)):
            run = path.with_name(f"{path.name}.{number}")
            stack.callback(run.unlink, missing_ok=True)
            _write(run, _sorted(blocks))
            runs.append(run)
        if len(runs) == 1:
            runs[0].replace(path)
        else:
            _write(path, _merged([stack.enter_context(run.open("rb")) for run in runs]))
    return NQuads.in_file(path)


def main() -> None:
    """Canonicalize the N-Quads on standard input and write them, in any order, to standard output."""
    exit_with_parent()
    dataset = ox.Dataset(ox.parse(sys.stdin.buffer, format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    ox.serialize(dataset, sys.stdout.buffer, format=ox.RdfFormat.N_QUADS)


def _labelled(lines: NQuads, seconds: float) -> Iterator[bytes]:
    """Yield the lines with canonical labels of blank nodes, in blocks and in another order."""
    with_blank_nodes = []
    for block in lines.blocks():
        without, found = by_blank_nodes(block)
        with_blank_nodes.append(found)
        yield without
    if any(with_blank_nodes):
        try:
            process = subprocess.run(
                command("twingraph.rdf.canonical"),
                input=b"".join(with_blank_nodes),
                stdout=subprocess.PIPE,
                timeout=seconds,
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            why = look_alikes(b"".join(with_blank_nodes))
            reason = f"no canonical labels within {seconds:g} seconds: {why}; use IRIs for them"
            raise ReleaseError("blank nodes", reason) from error
        except subprocess.CalledProcessError as error:
            reason = f"the process that labels them ended with {error.returncode}"
            raise ReleaseError("blank nodes", reason) from error
        yield process.stdout


def _sorted(blocks: Iterable[bytes]) -> Iterator[bytes]:
    lines: set[bytes] = set()
    for block in blocks:
        lines.update(_TAG.sub(_canonical, block).split(b"\n"))
    # UTF-8 sorts by bytes as Unicode does by code points.
    ordered = iter(sorted(lines - {b""}))
    while batch := list(islice(ordered, _BATCH_LINES)):
        yield b"\n".join([*batch, b""])


def _runs(blocks: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Group blocks into lists of about ``size`` bytes."""
    run: list[bytes] = []
    left = size
    for block in blocks:
        run.append(block)
        left -= len(block)
        if left <= 0:
            yield run
            run, left = [], size
    if run:
        yield run


def _merged(files: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    each = (line for line, _ in groupby(heapq.merge(*files)))
    while batch := list(islice(each, _BATCH_LINES)):
        yield b"".join(batch)


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(blocks)


def _canonical(tag: re.Match[bytes]) -> bytes:
    return b'"@' + canonical_language(tag[1].decode()).encode()


if __name__ == "__main__":
    main()
