"""A child process that answers one request at a time and is ended when a request exceeds a limit."""

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from tempfile import TemporaryFile
from typing import IO, cast
from weakref import finalize

from twingraph.errors import MemoryLimitError, QueryTimeoutError, WorkerLostError
from twingraph.processes import command, exit_with_parent

# What the engine, written in Rust, and Python say when they get no memory.
_OUT_OF_MEMORY = (b"memory allocation of", b"MemoryError")
_MAX_STDERR = 1_000_000
_MAX_LINE = 300


class ChildProcess:
    """A process that runs a module of this package, whose ``main`` calls `serve`: it answers one request at a time.

    Requests and replies are pickled. The process ends with this object, with `kill`, and at the limits of a request.
    """

    def __init__(self, module: str) -> None:
        self._stderr = TemporaryFile()  # noqa: SIM115 - `_end` closes it
        self._process = subprocess.Popen(
            command(module), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
        )
        stdin, stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._requests = Connection(os.dup(stdin.fileno()), readable=False)
        self._replies = Connection(os.dup(stdout.fileno()), writable=False)
        stdin.close()
        stdout.close()
        finalize(self, _end, self._process, self._requests, self._replies, self._stderr)

    def request(self, message: object, seconds: float | None = None, memory_bytes: int = 0) -> object:
        """Return the reply to a message.

        Raises QueryTimeoutError after so many ``seconds``, MemoryLimitError when the process ended for lack of memory,
        of which ``memory_bytes`` is the limit to report, and WorkerLostError when it ended otherwise. In all three
        cases the process is gone.
        """
        try:
            self._requests.send(message)
            if self._replies.poll(seconds):
                return self._replies.recv()
        except (EOFError, OSError):
            self._process.wait()
            code, written = self._process.returncode, self._written()
            if any(each in written for each in _OUT_OF_MEMORY):
                raise MemoryLimitError(memory_bytes) from None
            if code < 0:
                raise WorkerLostError(-code) from None
            raise WorkerLostError(None, _last_line(written)) from None
        self.kill()
        raise QueryTimeoutError(seconds or 0)

    def kill(self) -> None:
        """End the process; a request that waits in another thread raises WorkerLostError."""
        self._process.kill()
        self._process.wait()

    def _written(self) -> bytes:
        """Return the beginning of what the process has written to standard error, and its end."""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(0)
        first = self._stderr.read(_MAX_STDERR)
        self._stderr.seek(max(size - _MAX_STDERR, len(first)))
        return first + self._stderr.read()


def _last_line(written: bytes) -> str:
    """Return the last line, which says what an exception was."""
    lines = written.decode(errors="replace").strip().splitlines()
    return lines[-1][:_MAX_LINE] if lines else ""


def serve(answer: Callable[[object], object]) -> None:
    """Answer the requests of the `ChildProcess` that started this process, until it ends."""
    exit_with_parent()
    requests, replies = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # what libraries print must not get among the replies
    with suppress(EOFError):
        while True:
            replies.send(answer(requests.recv()))


def _end(process: subprocess.Popen[bytes], requests: Connection, replies: Connection, stderr: IO[bytes]) -> None:
    process.kill()
    process.wait()
    for file in (requests, replies, stderr):
        file.close()
