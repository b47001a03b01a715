"""A timer that any number of entries with the same timeout share."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

# Resolution (seconds) of event loop clocks.
_TOLERANCE = 0.001
_Entry = TypeVar("_Entry", bound=Hashable)


class SharedTimer(Generic[_Entry]):
    """Calls ``on_due`` with each entry ``seconds`` after it was added, unless it was discarded before.

    Entries are due in the order in which they were added, so only the first needs a timer of the event loop. A timer
    for each entry would cost every query more.
    """

    def __init__(self, seconds: float, on_due: Callable[[_Entry], None]) -> None:
        self._seconds, self._on_due = seconds, on_due
        self._due: dict[_Entry, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, entry: _Entry) -> None:
        """Start the timeout of an entry."""
        loop = asyncio.get_running_loop()
        self._due[entry] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._fire)

    def discard(self, entry: _Entry) -> None:
        """Cancel the timeout of an entry."""
        self._due.pop(entry, None)

    def _fire(self) -> None:
        loop, self._timer = asyncio.get_running_loop(), None
        now = loop.time() + _TOLERANCE
        while self._due:
            entry, due = next(iter(self._due.items()))
            if due > now:
                self._timer = loop.call_at(due, self._fire)
                return
            del self._due[entry]
            self._on_due(entry)
