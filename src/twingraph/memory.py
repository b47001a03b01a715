"""Memory in long pieces of work that make many small objects: not looked through again and again, and given back."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave out the collector of cycles for a while, which takes half the time where millions of tuples are made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def give_back() -> None:
    """Give memory that is not used any more back to the system.

    What holds itself in cycles is collected, and the C library is told: it keeps what was freed in small pieces.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
