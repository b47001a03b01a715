"""Writing the store of a release, in a process of its own, while the publication is checked.

    python -m twingraph.release.store_writer DIRECTORY union|default

reads paths of N-Quads files from standard input, one on each line, and loads them; after a line ``end`` it compacts and
closes the store, and writes the digests of its files beside it. If its input or its parent process ends before that, it
exits and leaves an incomplete store.
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
from twingraph.rdf.nquads import NQuads, without_graph_names
from twingraph.rdf.terms import DefaultGraph

DIGESTS = "store.json"
_END = "end"
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
        """Load a file of N-Quads, which must not change any more."""
        self._send(str(path.resolve()))

    def end(self) -> None:
        """Have the store compacted and closed, after the last file; without any file there is no store."""
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


def write_store(directory: Path, files: Iterable[Path], default_graph: DefaultGraph) -> None:
    """Load files of N-Quads into a new store, and compact it, so that it can be opened read-only.

    If the default graph is the union of all graphs, the store also contains their merge.
    """
    store = ox.Store(str(directory))
    for path in files:
        store.bulk_load(path=str(path), format=ox.RdfFormat.N_QUADS)
        if default_graph == DefaultGraph.UNION:
            merged = path.with_suffix(".merged.nt")
            with merged.open("wb") as file:
                file.writelines(without_graph_names(block) for block in NQuads.in_file(path).blocks())
            store.bulk_load(path=str(merged), format=ox.RdfFormat.N_TRIPLES)
            merged.unlink()
    store.optimize()
    store.flush()


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


def _paths(lines: Iterable[str]) -> Iterator[Path]:
    """Yield the paths before the line ``end``; raises EOFError if there is no such line."""
    for line in lines:
        if line == f"{_END}\n":
            return
        yield Path(line.removesuffix("\n"))
    raise EOFError("the build has ended")


def main() -> None:
    """Run the process: load the files that standard input lists into the store that the arguments name."""
    exit_with_parent()
    directory, default_graph = sys.argv[1:]
    try:
        write_store(Path(directory), _paths(sys.stdin), DefaultGraph(default_graph))
        write_digests(Path(directory))
    except (OSError, EOFError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
