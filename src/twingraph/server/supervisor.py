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
from collections.abc import Sequence
from types import FrameType

logger = logging.getLogger(__name__)

# One that ends sooner than this (seconds) after its start was not up; the pause before the next start then doubles.
_SOON, _FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 0.1, 10.0


class Supervisor:
    """Runs ``command``, to which it adds the listener's descriptor and its own process number.

    ``told`` is what each process reads from its standard input.
    """

    def __init__(self, command: Sequence[str], listener: socket.socket, told: bytes) -> None:
        descriptor = listener.fileno()
        self._command, self._descriptor = (*command, str(descriptor), str(os.getpid())), descriptor
        self._told = told
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()

    def run(self) -> int:
        """Return when this process is told to end (SIGTERM, SIGINT), or the first process fails, with its exit code."""
        handlers = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return self._keep()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _keep(self) -> int:
        pause, has_been_up = 0.0, False
        while not self._ending.is_set():
            begin = time.monotonic()
            code = self._once()
            was_up = time.monotonic() - begin > _SOON
            has_been_up |= was_up
            if self._ending.is_set() or (code >= 0 and not has_been_up):
                return max(code, 0)
            logger.error("the server's process ended (%s); it is started again", _reason(code))
            pause = 0.0 if was_up else min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._ending.wait(pause)
        return 0

    def _once(self) -> int:
        with subprocess.Popen(
            self._command, stdin=subprocess.PIPE, pass_fds=[self._descriptor], process_group=0
        ) as process:
            self._process = process
            if self._ending.is_set():
                process.terminate()
            try:
                process.communicate(self._told)
            except BrokenPipeError:
                process.wait()
            return process.returncode

    def _end(self, number: int, _: FrameType | None) -> None:
        self._ending.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
