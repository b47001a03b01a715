"""Answers that may be given again: bounded by bytes, the least recently used go first."""

import asyncio
import gzip
from collections import OrderedDict
from dataclasses import dataclass, field

_LEVEL = 5
# A smaller body is not worth compressing: it goes into one packet either way.
_LEAST = 1024
# A larger one is compressed on a thread, so that others need not wait.
_LARGE = 1 << 16


@dataclass(eq=False)
class Cached:
    """A whole answer, with the headers that go with it and, once it was asked for, its compressed form."""

    body: bytes
    headers: dict[str, str]
    compressed: bytes | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.body) + len(self.compressed or b"") + 1024


class ResponseCache:
    """Whole answers by key, of ``most`` bytes together."""

    def __init__(self, most: int) -> None:
        self._most, self.size = most, 0
        self._answers: OrderedDict[object, Cached] = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key: object) -> Cached | None:
        """Return the answer under a key, which thereby becomes the most recently used one."""
        found = self._answers.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._answers.move_to_end(key)
        return found

    def put(self, key: object, answer: Cached) -> None:
        """Keep an answer, unless it would take more than a quarter of the room."""
        self._drop(key)
        if answer.size * 4 > self._most:
            return
        self._answers[key] = answer
        self.size += answer.size
        while self.size > self._most:
            self._drop(next(iter(self._answers)))

    async def compress(self, key: object, answer: Cached) -> bytes | None:
        """Return an answer's compressed form, which is kept with it; None when it is too small to be worth it."""
        if answer.compressed is None and len(answer.body) >= _LEAST:
            if len(answer.body) >= _LARGE:
                compressed = await asyncio.to_thread(_compress, answer.body)
            else:
                compressed = _compress(answer.body)
            kept = self._answers.get(key) is answer
            if kept:
                self._drop(key)
            answer.compressed = compressed
            if kept:
                self.put(key, answer)
        return answer.compressed

    def _drop(self, key: object) -> None:
        if dropped := self._answers.pop(key, None):
            self.size -= dropped.size


def _compress(body: bytes) -> bytes:
    # No time in it, so that the same answer has the same bytes.
    return gzip.compress(body, _LEVEL, mtime=0)
