"""Keeps a server process running: when it ends unexpectedly, another one is started.

The supervisor holds the listening socket, so clients that connect in between wait instead of being refused.
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

# A process that ends within this many seconds never worked; the pause before the next start then doubles.
_STARTUP_SECONDS = 5.0
_FIRST_PAUSE, _MAX_PAUSE = 0.1, 10.0


class Supervisor:
    """Runs ``command`` with the listener's file descriptor and its own process id as the last arguments.

    Once a process has come up, `AGAIN` precedes them for later ones: they are to wait for what is missing, not to exit.

    Each process is given ``stdin`` on its standard input. ``on_ready`` is called once, when the first process has
    written a line to its standard output to say that it is ready.
    """

    def __init__(
        self, command: Sequence[str], listener: socket.socket, stdin: bytes, on_ready: Callable[[], None]
    ) -> None:
        descriptor = listener.fileno()
        self._command, self._arguments = command, (str(descriptor), str(os.getpid()))
        self._descriptor = descriptor
        self._stdin, self._on_ready, self._was_ready = stdin, on_ready, False
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT and return 0, or return the exit code of a first process that fails to start."""
        handlers = {number: signal.signal(number, self._terminate) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return self._supervise()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _supervise(self) -> int:
        pause = 0.0
        while not self._ending.is_set():
            begin = time.monotonic()
            code = self._run_once()
            was_up = time.monotonic() - begin > _STARTUP_SECONDS
            if self._ending.is_set() or (code >= 0 and not self._was_ready):
                return max(code, 0)
            reason = f"signal {-code}" if code < 0 else f"exit code {code}"
            logger.error("the server process ended (%s); starting it again", reason)
            pause = 0.0 if was_up else min(max(pause * 2, _FIRST_PAUSE), _MAX_PAUSE)
            self._ending.wait(pause)
        return 0

    def _run_once(self) -> int:
        again = [AGAIN] if self._was_ready else []
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
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(self._stdin)
            if process.stdout.readline() and not self._was_ready:
                self._was_ready = True
                self._on_ready()
            return process.wait()

    def _terminate(self, number: int, _: FrameType | None) -> None:
        self._ending.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()
