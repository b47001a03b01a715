"""The server's side of a worker: its process, the exchange of frames, and the cause of its end."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from typing import IO, cast

from twingraph.errors import DamagedStoreError, MemoryLimitError, StoreError, TwingraphError, WorkerLostError
from twingraph.processes import command
from twingraph.workers import ipc
from twingraph.workers.ipc import FrameReader, Kind, OpenRequest, Ready
from twingraph.workers.result_stream import ResultStream

# What the engine, Python and the C++ library print when an allocation fails.
_OUT_OF_MEMORY = (b"memory allocation", b"MemoryError", b"bad_alloc")
_STDERR_BYTES = 4096
_LOW_PRIORITY = 10


class WorkerHandle(asyncio.Protocol):
    """A worker process, which answers one query at a time.

    ``on_free`` is called when it is ready for the next query, ``on_lost`` once, when it has ended.
    """

    def __init__(self, on_free: Callable[["WorkerHandle"], None], on_lost: Callable[["WorkerHandle"], None]) -> None:
        self._on_free, self._on_lost = on_free, on_lost
        self._frames = FrameReader()
        self._answer: ResultStream | None = None
        self._ready: asyncio.Future[Ready] | None = None
        self._reason: TwingraphError | None = None
        self._transport: asyncio.Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes]
        self._memory_bytes = 0
        self._reaping: asyncio.Task[int] | None = None
        self.client: str | None = None
        self.opened = self.slowed = self.has_ended = self.was_killed = self.found_damage = False
        self.grown = 0

    async def start(self, request: OpenRequest) -> Ready:
        """Start the process and have it open a release.

        Raises StoreError when it cannot open the release, and OSError when the process cannot be started. `kill` and
        `reap` must be called even then.
        """
        self._memory_bytes = request.memory_bytes
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._launch(theirs)
            ours.setblocking(False)
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        except BaseException:  # cancellation too: the socket must not leak
            ours.close()
            raise
        if self.has_ended or self._transport is None:
            raise WorkerLostError
        ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._ready = ready
        self._transport.write(ipc.pack_open(request))
        return await ready

    def _launch(self, theirs: socket.socket) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed with the process
        try:
            # Started from this thread, because the worker is killed when the thread that started it ends.
            self._process = subprocess.Popen(
                command("twingraph.workers.worker", str(theirs.fileno()), str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl+C must reach the server only, which ends its workers itself
            )
        except BaseException:  # whatever prevents the start, the file must not leak
            self._stderr.close()
            raise

    def ask(self, job: bytes) -> ResultStream:
        """Send a job, given as a JOB frame, and return its answer; the worker must be free."""
        transport = cast(asyncio.Transport, self._transport)
        answer = self._answer = ResultStream(transport)
        if self.has_ended:
            answer.fail(WorkerLostError(signal.SIGKILL))
        else:
            transport.write(job)
        return answer

    def answering(self, answer: ResultStream) -> bool:
        """Return whether the worker is producing this answer."""
        return self._answer is answer

    def kill(self, reason: TwingraphError | None = None) -> None:
        """Kill the process; its answer fails with ``reason``."""
        self._reason = self._reason or reason
        self.was_killed = self.was_killed or not self.has_ended
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._end()

    def slow_down(self) -> None:
        """Lower the priority of the process."""
        self.slowed = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, _LOW_PRIORITY)

    def speed_up(self) -> bool:
        """Restore the priority of the process; return False when the system does not allow it."""
        try:
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0))
        except OSError:
            return False
        self.slowed = False
        return True

    async def reap(self) -> int:
        """Wait until the process is gone, fail its answer with the cause, and return its exit code."""
        if self._reaping is None:
            self._reaping = asyncio.create_task(self._reap())
        return await asyncio.shield(self._reaping)

    async def _reap(self) -> int:
        if self._process is None:
            return 0
        code = await _exit_code(self._process)
        cause = self._reason or self._cause(code)
        self._fail_opening(cause)
        if self._answer:
            self._answer.fail(cause)
            self._answer = None
        self._stderr.close()
        return code

    @property
    def pid(self) -> int:
        """The process id, 0 when the process could not be started."""
        return self._process.pid if self._process else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Handle the frames that the worker sent."""
        for kind, content in self._frames.feed(data):
            if not self.opened:
                self._handle_opening(kind, content)
            elif answer := self._answer:
                self._handle_frame(answer, kind, content)

    def connection_lost(self, exc: Exception | None) -> None:
        """Treat the process as ended."""
        self._end()

    def _handle_opening(self, kind: Kind, content: bytes) -> None:
        if kind != Kind.READY:
            self._fail_opening(ipc.error(content))
        elif self._ready and not self._ready.done():
            self.opened = True
            self._ready.set_result(ipc.ready(content))

    def _fail_opening(self, reason: TwingraphError) -> None:
        """Fail the opening of the release."""
        if self._ready and not self._ready.done():
            self._ready.set_exception(reason)

    def _handle_frame(self, answer: ResultStream, kind: Kind, content: bytes) -> None:
        if kind == Kind.BODY:
            answer.feed(content)
            return
        if kind == Kind.HEAD:
            answer.begin(ipc.head(content))
            return
        self._answer = None
        if kind == Kind.ANSWER:
            head, self.grown, body = ipc.answer(content)
            answer.complete(head, body)
        elif kind == Kind.DONE:
            self.grown = ipc.done(content)
            answer.finish()
        else:
            failure = ipc.error(content)
            self.grown, self.found_damage = 0, isinstance(failure, DamagedStoreError)
            answer.fail(failure)
        if not self.has_ended:
            self._on_free(self)

    def _end(self) -> None:
        if self.has_ended:
            return
        self.has_ended = True
        if self._transport:
            self._transport.close()
        if self._reason:
            self._fail_opening(self._reason)
        if self._answer and self._reason:
            self._answer.fail(self._reason)
            self._answer = None
        self._on_lost(self)

    def _cause(self, code: int) -> TwingraphError:
        self._stderr.seek(0)
        stderr = self._stderr.read(_STDERR_BYTES)
        if any(message in stderr for message in _OUT_OF_MEMORY):
            return MemoryLimitError(self._memory_bytes)
        if code < 0:
            return WorkerLostError(-code)
        if not stderr:
            return WorkerLostError()
        return StoreError(f"a worker ended unexpectedly: {stderr.decode(errors='replace')[-500:].strip()}")


async def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process, without a thread, which would block for ever if the kernel cannot end the process."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel
        return await asyncio.to_thread(process.wait)
    loop, exited = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, exited.set)
    try:
        await exited.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()
