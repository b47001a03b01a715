"""Progress of long tasks on stderr: a live line on a terminal, and with ``-v`` one line for each step that ends."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock

import typer

from twingraph.cli.loading import load
from twingraph.cli.options import common

StepObserver = Callable[[str], AbstractContextManager[None]]
"""Takes the name of a step; what it returns is entered when the step begins, and left when it ends."""


@contextmanager
def progress(context: typer.Context, task: str) -> Iterator[StepObserver]:
    """Show a task and its steps: yield what observes the steps.

    Nothing is shown with ``--quiet``, nor in a pipe without ``--verbose``.
    """
    options = common(context)
    is_live = sys.stderr.isatty() and not options.quiet
    lines = _Lines(is_shown=options.verbose and not options.quiet)
    display: AbstractContextManager[None] = nullcontext()
    if is_live:
        # The library that draws it is imported where it is seen.
        display = load("twingraph.cli.live", "live")(task, lines.describe)
    begin = time.monotonic()
    with display:
        yield lines.step
    lines.print(task, time.monotonic() - begin)


class _Lines:
    """The steps that run now, in several threads at once, and a line for each that has ended."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._running: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Take the time of a step."""
        begin = time.monotonic()
        with self._lock:
            self._running[name] = begin
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(name, None)
        self.print(name, time.monotonic() - begin)

    def describe(self) -> str:
        """Return the steps that run now, each with its time so far."""
        now = time.monotonic()
        with self._lock:
            return ", ".join(f"{name} {now - begin:.0f} s" for name, begin in self._running.items())

    def print(self, name: str, seconds: float) -> None:
        """Print what has ended and how long it took."""
        if self._is_shown:
            typer.echo(f"{seconds:8.2f} s  {name}", err=True)
