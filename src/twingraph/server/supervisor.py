"""Keeping a process up that others rely on: when it ends and was not told to, another one takes its place.

The listener stays open here all the while, so who connects in between waits and is not turned away.
"""

import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

logger = logging.getLogger(__name__)
AGAIN = "--again"

# One that ends sooner than this (seconds) after its start was not up; the pause before the next start then doubles.

_SOON, _FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 0.1, 10.0


class Supervisor:
    """Runs ``command``, to which it adds the listener's descriptor and its own process number.

    Before them it adds `AGAIN` when there has been one that answered: what cannot be done then will perhaps be later.

    ``told`` is what each process reads from its standard input. ``started`` is called once, when the first of them
    has written a line to its standard output, which says that it answers.
    """

    def __init__(
        self, command: Sequence[str], listener: socket.socket, told: bytes, started: Callable[[], None]
    ) -> None:
        descriptor = listener.fileno()
        self._command, self._arguments = command, (str(descriptor), str(os.getpid()))
        self._descriptor = descriptor
        self._told, self._started, self._has_started = told, started, False
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()

    def run(self) -> int:
        """Return when this process is told to end (SIGTERM, SIGINT), or with the code of one that fails to start."""
        handlers = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return self._keep()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _keep(self) -> int:
        pause = 0.0
        while not self._ending.is_set():
            begin = time.monotonic()
            code = self._once()
            was_up = time.monotonic() - begin > _SOON
            if self._ending.is_set() or (code >= 0 and not self._has_started):
                return max(code, 0)
            logger.error("the server's process ended (%s); it is started again", _reason(code))
            pause = 0.0 if was_up else min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._ending.wait(pause)
        return 0

    def _once(self) -> int:
        again = [AGAIN] if self._has_started else []
        with subprocess.Popen(
            [*self._command, *again, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._descriptor],
            process_group=0,
        ) as process:
            self._process = process
            if self._ending.is_set():
                process.terminate()
            self._tell(process)
            return process.wait()

    def _tell(self, process: subprocess.Popen[bytes]) -> None:
        """Give a process what it is to read, and wait until it answers or ends."""
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin as told:
            told.write(self._told)
        if process.stdout.readline() and not self._has_started:
            self._has_started = True
            self._started()

    def _end(self, number: int, _: FrameType | None) -> None:
        self._ending.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
