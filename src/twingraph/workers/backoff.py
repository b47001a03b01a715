"""Waiting longer after each failed attempt (exponential back-off with jitter)."""

import random

_FIRST, _LONGEST = 0.25, 60.0


class Backoff:
    """The waits between attempts, in seconds: each twice the one before, up to a bound.

    Each is shortened by up to a half at random, so that those who failed together do not try again together.
    """

    def __init__(self, first: float = _FIRST, longest: float = _LONGEST) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def failed(self) -> float:
        """Return how long to wait after one more failure."""
        wait, self._next = self._next, min(self._next * 2, self._longest)
        return wait * random.uniform(0.5, 1)

    def succeeded(self) -> None:
        """Begin with short waits again."""
        self._next = self._first
