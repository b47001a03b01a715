"""Answers that may be given again: bounded by bytes, the least recently used go first."""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_LEVEL = 5
# A smaller body is not worth compressing: it goes into one packet either way.
_LEAST = 1024
# A larger one is compressed on a thread.
_LARGE = 1 << 16
_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


def zipped(tag: str) -> str:
    """Return the entity tag of an answer's compressed form (RFC 9110, section 8.8.3)."""
    return f'{tag[:-1]}-gzip"'


class Whole(Response):
    """A whole answer, its headers encoded once for all who are given it: it must not be changed."""

    body: bytes

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(body, headers=headers)
        self._head = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        self._body = {"type": "http.response.body", "body": self.body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send(self._head)
        await send(self._body)


class Cached:
    """An answer and, once it was asked for, its compressed form; ``limit`` is the limit that it met."""

    __slots__ = ("_headers", "limit", "plain", "small")

    def __init__(self, body: bytes, headers: Mapping[str, str], limit: str | None = None) -> None:
        self._headers, self.limit = headers, limit
        self.plain = Whole(body, headers)
        self.small: Whole | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.plain.body) + (len(self.small.body) if self.small else 0) + 1024

    @property
    def is_worth_compressing(self) -> bool:
        """Whether a compressed form would spare anybody anything."""
        return len(self.plain.body) >= _LEAST

    async def compressed(self) -> Whole:
        """Return a compressed form; on a thread when it is large, so that others need not wait."""
        body = self.plain.body
        made = await asyncio.to_thread(_compress, body) if len(body) >= _LARGE else _compress(body)
        tag = {"ETag": zipped(self._headers["ETag"])} if "ETag" in self._headers else {}
        return Whole(made, {**self._headers, **tag, "Content-Encoding": "gzip"})


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

    async def compress(self, key: object, answer: Cached) -> Whole:
        """Return an answer's compressed form, which is kept with it."""
        if answer.small is None:
            small = await answer.compressed()
            kept = self._answers.get(key) is answer
            if kept:
                self._drop(key)
            answer.small = small
            if kept:
                self.put(key, answer)
        return answer.small

    def _drop(self, key: object) -> None:
        if dropped := self._answers.pop(key, None):
            self.size -= dropped.size


class Memo(Generic[_Key, _Value]):
    """What was worked out for so many of the last keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[_Key, _Value] = OrderedDict()

    def get(self, key: _Key) -> _Value | None:
        """Return what is known for a key."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: _Key, value: _Value) -> None:
        """Remember it, and forget what was not asked for the longest."""
        self._values[key] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)


def _compress(body: bytes) -> bytes:
    # No time in it, so that the same answer has the same bytes.
    return gzip.compress(body, _LEVEL, mtime=0)
