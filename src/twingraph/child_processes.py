"""Processes of our own program that end with the process that started them."""

import ctypes
import os
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this program in a process of its own."""
    # Not from the current directory: that is a publication's, and its files are not ours to import.
    return [sys.executable, "-P", "-m", module, *arguments]


def end_with_parent(parent: int | None = None) -> None:
    """Have the system end this process with the one that started it, which alone is told to end by a keyboard.

    Where the number of the ``parent`` is given, it is found out too if that has ended already. Only Linux can;
    elsewhere such a process ends when it finds its input closed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        sys.exit("the process that started this one has ended")
