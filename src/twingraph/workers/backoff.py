"""Waits after failures: before the next attempt to start a worker, and before the next query of a client.

Replacing a worker takes the time of a start, for which other clients wait. So a client may kill a few workers freely,
and after that one in every ``_COST_FACTOR`` times the duration of a start, times the number of such clients. Replacing
all workers that they kill thus takes at most that fraction of a processor, however many clients and queries there are.
"""

import math
import random
import time
from collections import OrderedDict
from collections.abc import Callable

# Bounds of the wait between two attempts (seconds).
_FIRST_WAIT, _MAX_WAIT = 0.25, 60.0
# How many killed workers have no consequence: a query stopped in a browser, or a large one, is normal.
_FREE_KILLS = 3
_COST_FACTOR = 4
# Bounds of the time (seconds) after which one killed worker is forgiven.
_MIN_PERIOD, _MAX_PERIOD = 0.5, 15.0
# Maximum number of killed workers counted beyond the free ones, which bounds every wait.
_MAX_PENALTIES = 8
_MAX_CLIENTS = 4096


class Backoff:
    """Exponential back-off with jitter: waits in seconds, each twice the one before, up to a maximum.

    Each is shortened at random by up to a half, so that attempts that failed together are not repeated together.
    """

    def __init__(self, first: float = _FIRST_WAIT, longest: float = _MAX_WAIT) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def failed(self) -> float:
        """Return how long to wait after another failure."""
        wait, self._next = self._next, min(self._next * 2, self._longest)
        return wait * random.uniform(0.5, 1)

    def succeeded(self) -> None:
        """Reset to the first wait."""
        self._next = self._first


class Penalties:
    """Counts killed workers by client, and forgives them one by one as time passes.

    At most ``max_clients`` are tracked: those that killed a worker most recently.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_clients: int = _MAX_CLIENTS) -> None:
        self._clock, self._max_clients = clock, max_clients
        self._killed: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._start_seconds = math.inf
        self._offenders = 1

    def started(self, seconds: float) -> None:
        """Record how long a worker took to start; longer times weigh less, since the machine may have been busy."""
        known = self._start_seconds
        self._start_seconds = seconds if seconds < known else known + (seconds - known) / 10

    def charge(self, client: str) -> None:
        """Count a worker that was killed by a query of the client."""
        if not client:
            return  # a query of the server itself
        count = min(self._count(client) + 1, _FREE_KILLS + _MAX_PENALTIES)
        self._killed[client] = count, self._clock()
        self._killed.move_to_end(client)
        if len(self._killed) > self._max_clients:
            self._killed.popitem(last=False)
        self._offenders = max(1, sum(self._count(one) > _FREE_KILLS for one in self._killed))

    def wait(self, client: str) -> float:
        """Return how long (seconds) the next query of the client has to wait, usually 0."""
        if client not in self._killed:
            return 0.0
        count = self._count(client)
        if not count:
            del self._killed[client]
        return max(0.0, count - _FREE_KILLS) * self._period

    @property
    def _period(self) -> float:
        return min(max(self._start_seconds * _COST_FACTOR, _MIN_PERIOD), _MAX_PERIOD) * self._offenders

    def _count(self, client: str) -> float:
        count, since = self._killed.get(client, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since) / self._period)
