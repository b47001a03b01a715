"""Importing a module when it is needed, which Ctrl-C may interrupt without a traceback."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 128 + signal.SIGINT
"""The exit code of a command that Ctrl-C ends, as shells count it."""


def load(module: str, name: str) -> Callable[..., Any]:
    """Import a module and return what it calls ``name``."""
    with _interruptible():
        found: Callable[..., Any] = getattr(import_module(module), name)
    return found


@contextmanager
def _interruptible() -> Iterator[None]:
    """End the process at once on an interrupt: an exception would surface anywhere in the modules being imported."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored, as under nohup, or handled already
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)
