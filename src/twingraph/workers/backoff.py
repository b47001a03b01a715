"""How long to wait after failures: before the next attempt to start a worker, and before a client's next query.

To replace a worker takes as long as its start takes, and others wait meanwhile. So a client may end a few workers
freely, and then one in ``_SHARE`` times the seconds of a start, times the number of clients that wait like it:
replacing what they all end takes no more than that part of a processor, however many they are, however many queries
they send and however soon these end.
"""

import math
import random
import time
from collections import OrderedDict
from collections.abc import Callable

# Between two attempts (seconds).
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 60.0
# So many ended workers are nobody's concern: who stops a query in a browser, or asks one that is too large.
_FREE = 3
_SHARE = 4
# Between two forgiven ones (seconds), whatever a start takes.
_SHORTEST, _LONGEST = 0.5, 15.0
# More than so many beside the free ones are not counted: nobody waits longer than for that many.
_MOST = 8
_MOST_CLIENTS = 4096


class Backoff:
    """The waits between attempts, in seconds: each twice the one before, up to a bound.

    Each is shortened by up to a half at random, so that those who failed together do not try again together.
    """

    def __init__(self, first: float = _FIRST_WAIT, longest: float = _LONGEST_WAIT) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def failed(self) -> float:
        """Return how long to wait after one more failure."""
        wait, self._next = self._next, min(self._next * 2, self._longest)
        return wait * random.uniform(0.5, 1)

    def succeeded(self) -> None:
        """Begin with short waits again."""
        self._next = self._first


class Penalties:
    """Counts ended workers by client and forgets them, one after the other, as time passes.

    No more than ``most_clients`` are remembered: the ones that ended a worker last.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_clients: int = _MOST_CLIENTS) -> None:
        self._clock, self._most_clients = clock, most_clients
        self._ended: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._start_seconds = math.inf
        self._offenders = 1

    def __len__(self) -> int:
        return len(self._ended)

    def started(self, seconds: float) -> None:
        """Take it that a worker has been started in so many seconds; a load of others may have made that longer."""
        known = self._start_seconds
        self._start_seconds = seconds if seconds < known else known + (seconds - known) / 10

    def charge(self, client: str) -> None:
        """Count a worker that a query of the client has ended."""
        if not client:
            return  # what is asked in nobody's name is our own
        count = min(self._count(client) + 1, _FREE + _MOST)
        self._ended[client] = count, self._clock()
        self._ended.move_to_end(client)
        if len(self._ended) > self._most_clients:
            self._ended.popitem(last=False)
        self._offenders = max(1, sum(self._count(one) > _FREE for one in self._ended))

    def wait(self, client: str) -> float:
        """Return for how many seconds the client's next query waits; 0 for nearly everybody."""
        if client not in self._ended:
            return 0.0
        count = self._count(client)
        if not count:
            del self._ended[client]
        return max(0.0, count - _FREE) * self._period

    @property
    def _period(self) -> float:
        return min(max(self._start_seconds * _SHARE, _SHORTEST), _LONGEST) * self._offenders

    def _count(self, client: str) -> float:
        count, since = self._ended.get(client, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since) / self._period)
