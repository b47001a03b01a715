"""One worker seen from the server: its process, the conversation with it, and why it ended."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import IO, cast

from twingraph.children import command
from twingraph.errors import MemoryLimitError, StoreError, TwingraphError, WorkerLostError
from twingraph.workers.wire import Done, Frames, Kind, Opened, Opening, Question, done, error, opened, pack

_OUT_OF_MEMORY = b"memory allocation"
_STDERR_BYTES = 4096
_BEHIND = 10


class ResultStream:
    """An answer as it comes from a worker: at first held back, then, when it is large, piece by piece."""

    def __init__(self, held_bytes: int, transport: asyncio.Transport) -> None:
        self._held_bytes, self._transport = held_bytes, transport
        self._pieces: list[bytes] = []
        self._size = 0
        self._more = asyncio.Event()
        self._failure: TwingraphError | None = None
        self._is_paused = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: Done | None = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here."""
        return self.done is not None

    def body(self) -> bytes:
        """Return what has come since the last time, and make room for more."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._is_paused:
            self._resume()
        return body

    async def rest(self) -> AsyncIterator[bytes]:
        """Yield the rest as it comes; raises what kept it from coming to its end."""
        while True:
            self._more.clear()
            if piece := self.body():
                yield piece
                continue
            if self.is_whole:
                return
            if self._failure:
                raise self._failure
            await self._more.wait()

    def feed(self, piece: bytes) -> None:
        """Take a piece from the worker; one that is not wanted yet makes the worker wait."""
        self._pieces.append(piece)
        self._size += len(piece)
        self._more.set()
        if self._size >= self._held_bytes:
            self._is_paused = True
            self._transport.pause_reading()
            self._settle()

    def finish(self, outcome: Done | TwingraphError) -> None:
        """Take the end: that the answer is whole, or why it will not be."""
        if self.timer:
            self.timer.cancel()
        if self._is_paused:
            # The worker's next answer must be read, whoever is slow to take this one.
            self._resume()
        if isinstance(outcome, Done):
            self.done = outcome
            self._settle()
        else:
            self._failure = outcome
            if not self.ready.done():
                self.ready.set_exception(outcome)
                # It may be that nobody waits any more.
                self.ready.exception()
        self._more.set()

    def _resume(self) -> None:
        self._is_paused = False
        self._transport.resume_reading()

    def _settle(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)


class WorkerHandle(asyncio.Protocol):
    """A process that answers one question at a time.

    ``on_free`` is called when it can be asked again, ``on_lost`` once when it has ended.
    """

    def __init__(self, on_free: Callable[["WorkerHandle"], None], on_lost: Callable[["WorkerHandle"], None]) -> None:
        self._on_free, self._on_lost = on_free, on_lost
        self._frames = Frames()
        self._answer: ResultStream | None = None
        self._reason: TwingraphError | None = None
        self._transport: asyncio.Transport
        self._process: subprocess.Popen[bytes]
        self._stderr: IO[bytes]
        self._memory_bytes = 0
        self._ended = False
        self.client: str | None = None
        self.opened = self.slowed = False
        self.grown = 0

    async def start(self, opening: Opening) -> Opened:
        """Start the process and have it open a release; raises StoreError when it cannot."""
        self._memory_bytes = opening.memory_bytes
        ours, theirs = socket.socketpair()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        with theirs:
            # From this thread: the worker ends with the thread that started it.
            self._process = subprocess.Popen(  # noqa: ASYNC220
                command("twingraph.workers.worker", str(theirs.fileno()), str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=[theirs.fileno()],
                process_group=0,  # a keyboard's interrupt is for the server, which ends its workers itself
            )
        ours.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        if self._ended:
            raise WorkerLostError
        answer = self._expect(1 << 16)
        self._transport.write(pack(Kind.OPENING, opening))
        await answer.ready
        return opened(answer.body())

    def ask(self, question: Question, held_bytes: int) -> ResultStream:
        """Ask a question; the worker must be free."""
        answer = self._expect(held_bytes)
        if self._ended:
            answer.finish(WorkerLostError(signal.SIGKILL))
        else:
            self._transport.write(pack(Kind.QUESTION, question))
        return answer

    def answering(self, answer: ResultStream) -> bool:
        """Tell whether the worker is at work on an answer."""
        return self._answer is answer

    def kill(self, reason: TwingraphError | None = None) -> None:
        """End the process at once; who waits for its answer is given the reason."""
        self._reason = self._reason or reason
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._end()

    def slow_down(self) -> None:
        """Let other processes go before this one from now on."""
        self.slowed = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _BEHIND)

    def speed_up(self) -> bool:
        """Put the process beside the others again; tell whether that is allowed."""
        try:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, os.getpriority(os.PRIO_PROCESS, 0))
        except OSError:
            return False
        self.slowed = False
        return True

    async def reap(self) -> None:
        """Wait until the process is gone, and then tell who waits for its answer why it ended."""
        code = await asyncio.to_thread(self._process.wait)
        if self._answer:
            self._answer.finish(self._reason or self._cause(code))
            self._answer = None
        self._stderr.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take what the worker sends."""
        for kind, content in self._frames.feed(data):
            answer = self._answer
            if answer is None:
                continue
            if kind == Kind.BODY:
                answer.feed(content)
                continue
            self._answer = None
            if kind == Kind.DONE:
                ended = done(content)
                self.grown = ended.grown
                answer.finish(ended)
            elif kind == Kind.OPENED:
                self.opened = True
                answer.feed(content)
                answer.finish(Done())
                continue
            else:
                self.grown = 0
                answer.finish(error(content))
            if self.opened and not self._ended:
                self._on_free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take it that the process has ended."""
        self._end()

    def _expect(self, held_bytes: int) -> ResultStream:
        self._answer = ResultStream(held_bytes, self._transport)
        return self._answer

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._transport.close()
        if self._answer and self._reason:
            self._answer.finish(self._reason)
            self._answer = None
        self._on_lost(self)

    def _cause(self, code: int) -> TwingraphError:
        self._stderr.seek(0)
        said = self._stderr.read(_STDERR_BYTES)
        if _OUT_OF_MEMORY in said or b"MemoryError" in said or b"bad_alloc" in said:
            return MemoryLimitError(self._memory_bytes)
        if code < 0:
            return WorkerLostError(-code)
        return (
            StoreError(f"a worker ended: {said.decode(errors='replace')[-500:].strip()}") if said else WorkerLostError()
        )
