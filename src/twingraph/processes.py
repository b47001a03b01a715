"""Running work in processes: child processes that end with their parent, and memory in long pieces of work."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PR_SET_PDEATHSIG = 1


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of this program in a process of its own."""
    # -P: the current directory is a publication's, and nothing must be imported from there.
    return [sys.executable, "-P", "-m", module, *arguments]


def exit_with_parent(parent: int | None = None) -> None:
    """Arrange for the system to kill this process when its parent ends, and ignore interrupts from the keyboard.

    With the process id of the ``parent``, exit at once if it has ended already. Linux only; elsewhere such a process
    ends when its input is closed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        sys.exit("the process that started this one has ended")


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the cyclic garbage collector: where millions of tuples are made, it takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def trim_memory() -> None:
    """Collect cycles and return freed memory to the system, which the C library does not do by itself."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
