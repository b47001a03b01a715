"""How much of the workers' time each client has used lately, which decides whose turn it is and who may use a spare."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

# What was used so long ago (seconds) counts for little more than a third.
_MEMORY = 10.0
# Who has used more (seconds of workers) lately keeps a fifth of a worker busy, or has just asked something long.
_MUCH = 2.0
_MOST_CLIENTS = 4096


class Usage:
    """Seconds of workers by client, fading as time passes; no more than ``most_clients`` are remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_clients: int = _MOST_CLIENTS) -> None:
        self._clock, self._most_clients = clock, most_clients
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def add(self, client: str, seconds: float) -> None:
        """Count the time for which a client had a worker."""
        self._used[client] = self.of(client) + seconds, self._clock()
        self._used.move_to_end(client)
        if len(self._used) > self._most_clients:
            self._used.popitem(last=False)

    def of(self, client: str) -> float:
        """Return what a client has used lately, in seconds of workers."""
        seconds, since = self._used.get(client, (0.0, 0.0))
        return seconds * math.exp((since - self._clock()) / _MEMORY) if seconds else 0.0

    def is_heavy(self, client: str) -> bool:
        """Tell whether a client has used so much that the spares are for others."""
        return self.of(client) > _MUCH
