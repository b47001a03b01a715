"""Finding out whether a release that is served has been damaged on the disk, when its engine gives reason to ask.

The engine takes some damaged blocks for endless work, so that a query ends at a limit instead of with an error. Only
the digests of the files tell. To read them all takes time, so it is done once for all who ask, and not again too soon.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from twingraph.errors import DamagedStoreError
from twingraph.release.archive import Fault, Release, store_faults

logger = logging.getLogger(__name__)
# Between the end of an inspection and the next one: so many times the seconds that it took, and these at least.
_TIMES, _PAUSE = 20.0, 30.0


class Inspector:
    """Compares the store's files with their digests; ``on_damage`` is given what was found, once."""

    def __init__(
        self, release: Release, threads: Executor, on_damage: Callable[[Release, DamagedStoreError, str], None]
    ) -> None:
        self._release, self._threads, self._on_damage = release, threads, on_damage
        self._running: asyncio.Task[DamagedStoreError | None] | None = None
        self._not_before = 0.0

    async def inspect(self) -> DamagedStoreError | None:
        """Return what is wrong, None when nothing is, or it was looked at a moment ago."""
        if self._running is None:
            if asyncio.get_running_loop().time() < self._not_before:
                return None
            self._running = asyncio.create_task(self._inspect())
        return await asyncio.shield(self._running)

    async def _inspect(self) -> DamagedStoreError | None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        fault = await loop.run_in_executor(self._threads, self._first_fault)
        if fault is None:
            self._not_before = loop.time() + max(_PAUSE, _TIMES * (loop.time() - begin))
            self._running = None
            return None
        name, reason = fault
        damage = DamagedStoreError(f"the release {self._release.id} has been damaged on the disk: {name} {reason}")
        # The task is kept: whoever asks later is told the same.
        self._on_damage(self._release, damage, f"{self._release.directory / name}: {reason}")
        return damage

    def _first_fault(self) -> Fault | None:
        return next(store_faults(self._release), None)
