"""Inspection of a served release for damage on disk, when the engine fails in a way that damage can explain.

The engine mistakes some damaged blocks for endless work, so that a query hits a limit instead of failing with an error.
Only the digests of the files can tell. Comparing them takes time, so concurrent callers share one inspection, and there
is a pause before the next.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from twingraph.errors import DamagedStoreError
from twingraph.release.archive import Release, store_faults

logger = logging.getLogger(__name__)
# The pause (seconds) after an inspection is this many times its duration, and at least the minimum.
_PAUSE_FACTOR, _MIN_PAUSE = 20.0, 30.0


class Inspector:
    """Compares the store's files with their digests; ``on_damage`` is called once, with the first fault found."""

    def __init__(
        self, release: Release, threads: Executor, on_damage: Callable[[Release, DamagedStoreError, str], None]
    ) -> None:
        self._release, self._threads, self._on_damage = release, threads, on_damage
        self._running: asyncio.Task[DamagedStoreError | None] | None = None
        self._not_before = 0.0

    async def inspect(self) -> DamagedStoreError | None:
        """Return the damage, None when there is none or the last inspection is too recent."""
        if self._running is None:
            if asyncio.get_running_loop().time() < self._not_before:
                return None
            self._running = asyncio.create_task(self._inspect())
        return await asyncio.shield(self._running)

    async def _inspect(self) -> DamagedStoreError | None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        fault = await loop.run_in_executor(self._threads, lambda: next(store_faults(self._release), None))
        if fault is None:
            self._not_before = loop.time() + max(_MIN_PAUSE, _PAUSE_FACTOR * (loop.time() - begin))
            self._running = None
            return None
        name, reason = fault
        damage = DamagedStoreError(f"the release {self._release.id} is damaged on disk: {name} {reason}")
        # The finished task stays, so that later callers get the same result.
        self._on_damage(self._release, damage, f"{self._release.directory / name}: {reason}")
        return damage
