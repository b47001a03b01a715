"""One timer of the event loop for any number of entries that wait equally long."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

# The clock of an event loop may go in milliseconds.
_TOLERANCE = 0.001
_Entry = TypeVar("_Entry", bound=Hashable)


class SharedTimer(Generic[_Entry]):
    """Calls ``on_due`` with each entry ``seconds`` after it was added, unless it was discarded before.

    Entries are due in the order in which they were added, so only the first needs a timer; one for each would cost
    every query more than looking here does.
    """

    def __init__(self, seconds: float, on_due: Callable[[_Entry], None]) -> None:
        self._seconds, self._on_due = seconds, on_due
        self._due: dict[_Entry, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, entry: _Entry) -> None:
        """Wait for an entry from now on."""
        loop = asyncio.get_running_loop()
        self._due[entry] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._fire)

    def discard(self, entry: _Entry) -> None:
        """Forget an entry; the timer goes on for the others."""
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
