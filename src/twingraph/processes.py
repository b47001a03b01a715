"""Child processes that exit with their parent, and the memory of processes that hold millions of objects."""

import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of this package in its own process."""
    # -P: the current directory is a publication, from which nothing must be imported.
    return [sys.executable, "-P", "-m", module, *arguments]


def exit_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends, and ignore interrupts from the keyboard.

    With the process id of the ``parent``, exits at once if it has ended already. Works on Linux only; elsewhere such
    processes exit when their input is closed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        sys.exit("the process that started this one has ended")


def limit_memory(more: int) -> tuple[str, ...]:
    """Let this process have so many bytes more than it has now; return notes on what could not be done."""
    held = memory("VmData")
    if held is None:
        return ("memory cannot be measured here: a query's is not limited",)
    # RLIMIT_DATA counts what can be written to, so that files mapped for reading do not count (Linux 4.7).
    resource.setrlimit(resource.RLIMIT_DATA, (held + more, held + more))
    size = memory("VmSize") or 0
    # The address space is the coarser wall behind it; allocators reserve more of it than they use.
    resource.setrlimit(resource.RLIMIT_AS, (size + 4 * more, size + 4 * more))
    return ()


def memory(kind: str) -> int | None:
    """Return a figure of this process's memory in bytes (``VmData``, ``VmRSS``, ...), None where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:")), None)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the cyclic garbage collector, which takes half of the time where millions of tuples are created."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def trim_memory() -> None:
    """Collect garbage and return freed memory to the system, which the C library does not do by itself."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
