"""A worker: a process with one release open, which answers one query at a time over the socket it was started with.

It is started as ``python -m twingraph.workers.worker DESCRIPTOR PARENT`` and ends with the server or when killed.
What it imports decides how soon a killed worker is replaced: nothing of the web or of the settings.
"""

import gc
import os
import socket
import sys
import time
from pathlib import Path

from twingraph.children import end_with_parent
from twingraph.datasets import DefaultGraph
from twingraph.errors import AnswerTooLargeError, MemoryLimitError, StoreError, TwingraphError
from twingraph.formats import Format, by_name
from twingraph.sparql.query import Query, QueryForm
from twingraph.store.embedded import EmbeddedStore
from twingraph.workers import sandbox, wire
from twingraph.workers.rows import RowCounter, RowsExceeded, counts_rows
from twingraph.workers.wire import Done, Kind, Opened, Opening, Question

_PIECE = 1 << 16
# After a query that took longer than this (seconds) it is worth looking how much the process has grown.
_SHORT = 0.05


class Output:
    """Takes the answer from the engine and sends it in frames, within the limits of its question."""

    def __init__(self, connection: socket.socket, asked: Question) -> None:
        self._connection, self._most, self._rows = connection, asked.bytes, asked.rows
        self._waiting = bytearray()
        counted = asked.rows and counts_rows(asked.format)
        self._counter = RowCounter(asked.format, asked.rows, asked.next) if counted else None
        self._first: bytes | None = None
        self.sent, self.cut = 0, 0

    def write(self, piece: bytes) -> int:
        """Take a piece of the answer; raises AnswerTooLargeError, or RowsExceeded when no more is wanted."""
        if self._counter is None:
            self._take(piece)
        elif self._first is None and len(piece) < self._rows:
            # It has fewer bytes than rows are allowed: if nothing follows, nothing need be counted.
            self._first = piece
        elif not self.cut:  # the engine empties its buffer once more when it is told to stop
            first, self._first = self._first or b"", b""
            self._count(self._counter, first + piece)
        return len(piece)

    def flush(self) -> None:
        """Do nothing: what is waiting is sent when it is worth it, and at the end."""

    def close(self, grown: int) -> None:
        """Send what is left, and that the answer has ended."""
        if self._first:
            self._take(self._first)
        elif self._counter and not self.cut:
            passed, ended = self._counter.finish()
            self.cut = self._rows if ended else 0
            self._take(passed)
        body = wire.frame(Kind.BODY, self._waiting) if self._waiting else b""
        done = wire.pack_done(Done(self.sent, self.cut, grown))
        self._connection.sendall(body + done)

    def _count(self, counter: RowCounter, piece: bytes) -> None:
        passed, ended = counter.feed(piece)
        self._take(passed)
        if ended:
            self.cut = self._rows
            raise RowsExceeded

    def _take(self, piece: bytes) -> None:
        self.sent += len(piece)
        if self.sent > self._most:
            raise AnswerTooLargeError(self._most)
        self._waiting += piece
        if len(self._waiting) >= _PIECE:
            self._connection.sendall(wire.frame(Kind.BODY, self._waiting))
            self._waiting.clear()


class Worker:
    """Answers over a connection until the other side closes it."""

    def __init__(self, connection: socket.socket, notes: tuple[str, ...]) -> None:
        self._connection, self._frames, self._notes = connection, wire.Frames(), notes
        self._store: EmbeddedStore | None = None
        self._limit, self._size = 0, 0

    def run(self) -> None:
        """Take frames and answer each."""
        try:
            while data := self._connection.recv(_PIECE):
                for kind, content in self._frames.feed(data):
                    if kind == Kind.OPENING:
                        self._open(wire.opening(content))
                    else:
                        self._answer(wire.question(content))
        except (BrokenPipeError, ConnectionResetError):
            return  # the server has gone, or wants no more of this answer

    def _open(self, wanted: Opening) -> None:
        release = Path(wanted.directory)
        default_graph = DefaultGraph(wanted.default_graph)
        store = EmbeddedStore(wanted.base, wanted.prefixes, default_graph, wanted.memory_quads, wanted.language_tags)
        try:
            store.load(release, wanted.quads)
            quads = store.health()
        except TwingraphError as error:
            self._connection.sendall(wire.pack_error(error))
            return
        if wanted.quads > wanted.memory_quads:
            _warm(release)
        self._store, self._limit = store, wanted.memory_bytes
        # Nothing that is here now becomes rubbish.
        gc.freeze()
        notes = self._notes + sandbox.limit_memory(wanted.memory_bytes)
        self._size = sandbox.memory("VmRSS") or 0
        self._connection.sendall(wire.pack(Kind.OPENED, Opened(quads, notes)))

    def _answer(self, asked: Question) -> None:
        began = time.perf_counter()
        output = Output(self._connection, asked)
        try:
            self._ask(asked, output)
            long = time.perf_counter() - began > _SHORT
            output.close((sandbox.memory("VmRSS") or 0) - self._size if long else 0)
        except TwingraphError as error:
            self._connection.sendall(wire.pack_error(error))
        except MemoryError:
            self._connection.sendall(wire.pack_error(MemoryLimitError(self._limit)))

    def _ask(self, asked: Question, output: Output) -> None:
        if self._store is None:
            raise StoreError("no release is open")
        query = Query(asked.text, QueryForm(asked.form), asked.default_graphs, asked.named_graphs)
        try:
            self._store.query(query, _format(asked.format), output)  # type: ignore[arg-type]  # all that the engine asks of a file
        except RowsExceeded:
            return


def main() -> None:
    """Run a worker on the socket whose descriptor, and for the server whose process, the command line gives."""
    descriptor, parent = (int(argument) for argument in sys.argv[1:])
    end_with_parent(parent)
    sandbox.limit_files()
    # Before there is any other thread: threads inherit it. The engine is asked on this one, the first: on another,
    # memory comes from another arena.
    notes = sandbox.close_network()
    sandbox.deepen_stack()
    with socket.socket(fileno=descriptor) as connection:
        Worker(connection, notes).run()
    # Taking a large store apart piece by piece would take seconds; the system does it at once.
    os._exit(0)


def _format(name: str) -> Format:
    return by_name(name)


def _warm(release: Path) -> None:
    """Read the store's files once, so that the first queries do not wait for the disk."""
    for path in sorted((release / "store").glob("*.sst")):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


if __name__ == "__main__":
    main()
