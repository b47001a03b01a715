"""The line that shows a task and its running steps on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.markup import escape

# Shorter tasks show nothing, which would only flicker.
_DELAY_SECONDS, _REFRESH_SECONDS = 1.0, 0.5


@contextmanager
def live(task: str, describe: Callable[[], str]) -> Iterator[None]:
    """Show ``task`` on stderr once it takes longer than a second, with what ``describe`` returns."""
    ended = Event()
    thread = Thread(target=_show, args=(task, describe, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _show(task: str, describe: Callable[[], str], ended: Event) -> None:
    if ended.wait(_DELAY_SECONDS):
        return
    with Console(stderr=True).status(f"{escape(task)} …") as status:
        while not ended.wait(_REFRESH_SECONDS):
            steps = describe()
            status.update(escape(f"{task}: {steps}" if steps else f"{task} …"))
