"""Writing the store of a release, in a process of its own, while the publication is checked.

    python -m twingraph.release.store_writer DIRECTORY union|default

reads commands from standard input, one on each line. ``load PATH`` loads the statements of a file of N-Quads that have
no blank nodes, ``label PATH`` the others, as they are labelled in that file, ``end`` compacts and closes the store and
writes the digests of its files beside it. If its input or its parent process ends before that, it exits and leaves an
incomplete store.

Statements with blank nodes come from the canonical lines of the release, so that their labels in the store are those of
the release. The engine's own loader replaces labels; adding parsed statements preserves them and takes a tenth longer.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

import pyoxigraph as ox

from twingraph.errors import ReleaseError
from twingraph.processes import command, exit_with_parent
from twingraph.rdf.nquads import NQuads, by_blank_nodes, labelled, without_graph_names
from twingraph.rdf.terms import DefaultGraph

DIGESTS = "store.json"
_LOAD, _LABEL, _END = "load", "label", "end"
_NOT_DATA = ("LOCK", "LOG")


class StoreWriter:
    """The process, started with the first file; it is killed when the context is left."""

    def __init__(self, directory: Path, default_graph: DefaultGraph) -> None:
        self._directory, self._default_graph = directory, default_graph
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.kill()
            with self._process:
                pass

    def load(self, path: Path) -> None:
        """Load the statements of a file without blank nodes; the file must not change any more."""
        self._send(f"{_LOAD} {path.resolve()}")

    def end(self, canonical: Path | None = None) -> None:
        """Have the store compacted and closed, after the last file; without any file there is no store.

        The statements with blank nodes are loaded before, from the canonical lines.
        """
        if self._process and canonical:
            self._send(f"{_LABEL} {canonical.resolve()}")
        if self._process:
            self._send(_END)

    def finish(self) -> None:
        """Wait until the store is closed, after `end`; raises ReleaseError if it could not be written."""
        process = self._started
        _, stderr = process.communicate()
        if process.returncode:
            reason = stderr.strip().rpartition("\n")[2] or f"its writer ended with {process.returncode}"
            raise ReleaseError(str(self._directory), f"could not be written: {reason}")

    @property
    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            started = command(__name__, str(self._directory), self._default_graph)
            self._process = subprocess.Popen(started, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self._process

    def _send(self, line: str) -> None:
        # A failure of the process is reported by `finish`.
        with suppress(BrokenPipeError):
            stdin = cast("IO[str]", self._started.stdin)
            stdin.write(line + "\n")
            stdin.flush()


def write_store(directory: Path, commands: Iterable[str], default_graph: DefaultGraph) -> None:
    """Load what the commands name into a new store, and compact it, so that it can be opened read-only.

    If the default graph is the union of all graphs, the store also contains their merge. Raises EOFError when the
    commands have no end.
    """
    store, union = ox.Store(str(directory)), default_graph == DefaultGraph.UNION
    for word, path in _until_end(commands):
        if word == _LOAD:
            _load(store, NQuads.in_file(path), path, union=union)
        else:
            store.bulk_extend(labelled(NQuads.in_file(path).blocks(), union=union))
    store.optimize()
    store.flush()


def _load(store: ox.Store, lines: NQuads, path: Path, *, union: bool) -> None:
    """Load the lines of a file without blank nodes."""
    if lines.may_have_blank_nodes():
        path = _written(path.with_suffix(".plain.nq"), (by_blank_nodes(block)[0] for block in lines.blocks()))
        lines = NQuads.in_file(path)
    store.bulk_load(path=str(path), format=ox.RdfFormat.N_QUADS)
    if union:
        merged = _written(path.with_suffix(".merged.nt"), map(without_graph_names, lines.blocks()))
        store.bulk_load(path=str(merged), format=ox.RdfFormat.N_TRIPLES)
        merged.unlink()


def _written(path: Path, blocks: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(blocks)
    return path


def write_digests(store: Path) -> None:
    """Write the size and SHA-256 of each file of a store that is closed."""
    files = {path.name: {"bytes": path.stat().st_size, "sha256": file_digest(path)} for path in store_files(store)}
    (store.parent / DIGESTS).write_text(json.dumps(files, indent=2, sort_keys=True) + "\n", encoding="ascii")


def store_files(store: Path) -> list[Path]:
    """Return the data files of a store: all but its lock and its log."""
    return sorted(path for path in store.iterdir() if path.name.partition(".")[0] not in _NOT_DATA)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _until_end(commands: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield the commands before ``end``, each with its path; raises EOFError if there is no end."""
    for line in commands:
        word, _, path = line.removesuffix("\n").partition(" ")
        if word == _END:
            return
        yield word, Path(path)
    raise EOFError("the build has ended")


def main() -> None:
    """Run the process: load the files that standard input lists into the store that the arguments name."""
    exit_with_parent()
    directory, default_graph = sys.argv[1:]
    try:
        write_store(Path(directory), sys.stdin, DefaultGraph(default_graph))
        write_digests(Path(directory))
    except (OSError, EOFError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
