"""The engine's own form of a release, written by a process of its own beside the checks.

    python -m twingraph.release.store_writer DIRECTORY union|default

reads from its input the paths of files of N-Quads, one a line, and loads each; the word ``end`` has the store compacted
and closed, and the digests of its files written beside it. It ends when its input ends or the process that started it
does; what it has written is then worth nothing.
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
_UNREAD = ("LOCK", "LOG")


class StoreWriter:
    """Starts the process with the first file that it is given; leaving the context ends it."""

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
        """Have the N-Quads in a file loaded, which is not changed any more."""
        self._say(str(path.resolve()))

    def end(self) -> None:
        """Say that there are no more files, so that the store is compacted and closed; without any there is none."""
        if self._process:
            self._say(_END)

    def finish(self) -> None:
        """Wait until the store is closed, after `end`; raises ReleaseError when it could not be written."""
        process = self._started
        _, said = process.communicate()
        if process.returncode:
            reason = said.strip().rpartition("\n")[2] or f"its writer ended with {process.returncode}"
            raise ReleaseError(str(self._directory), f"could not be written: {reason}")

    @property
    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            started = command(__name__, str(self._directory), self._default_graph)
            self._process = subprocess.Popen(started, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self._process

    def _say(self, line: str) -> None:
        # What has gone wrong there is said when it is waited for.
        with suppress(BrokenPipeError):
            words = cast("IO[str]", self._started.stdin)
            words.write(line + "\n")
            words.flush()


def write_store(directory: Path, files: Iterable[Path], default_graph: DefaultGraph) -> None:
    """Write files of N-Quads in the engine's own form: offline and compacted, so that it can be opened read-only.

    Where the default graph is the union of all graphs, the store holds it as well, each statement once.
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
    """Return the files of a store that the engine reads: not its lock and its log."""
    return sorted(path for path in store.iterdir() if path.name.partition(".")[0] not in _UNREAD)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _given(lines: Iterable[str]) -> Iterator[Path]:
    """Yield the paths until the word that ends them; raises EOFError when they end without it."""
    for line in lines:
        if line == f"{_END}\n":
            return
        yield Path(line.removesuffix("\n"))
    raise EOFError("the build has ended")


def main() -> None:
    """Write a store as the arguments and the input say."""
    exit_with_parent()
    directory, default_graph = sys.argv[1:]
    try:
        write_store(Path(directory), _given(sys.stdin), DefaultGraph(default_graph))
        write_digests(Path(directory))
    except (OSError, EOFError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
