"""Answers and requests that may come again: bounded by the bytes they take, the least recently used go first."""

import asyncio
import gzip
from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

from cachetools import LRUCache

from twingraph.server.http.complete_response import CompleteResponse

_LEVEL = 5
# A smaller body is not worth compressing: it goes into one packet either way.
_LEAST = 1024
# A larger one is compressed on a thread.
_LARGE = 1 << 16
# What an entry takes beside its texts and bodies: its key, its objects and its headers, in both forms (measured).
_OVERHEAD = 4096
_Entry = TypeVar("_Entry", bound="Sized")


class Sized(Protocol):
    """What can be kept: ``size`` is how many bytes it takes, all that it holds included."""

    @property
    def size(self) -> int:
        """How many bytes it takes."""


class SizedCache:
    """Entries by key, of ``max_bytes`` together; one that would take more than a quarter of that is not kept."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: LRUCache[Hashable, Sized] = LRUCache(max_bytes, getsizeof=lambda entry: entry.size + _OVERHEAD)

    @property
    def size(self) -> int:
        """How many bytes the entries take."""
        return int(self._entries.currsize)

    def get(self, key: Hashable, kind: type[_Entry]) -> _Entry | None:
        """Return the entry under a key, None when there is none of that kind."""
        found = self._entries.get(key)
        return found if isinstance(found, kind) else None

    def put(self, key: Hashable, entry: Sized) -> None:
        """Keep an entry, in place of one under the same key."""
        if (entry.size + _OVERHEAD) * 4 <= self._max_bytes:
            self._entries[key] = entry
        else:
            self._entries.pop(key, None)


class Answer:
    """A complete answer and, once it was asked for, its compressed form; ``format`` is the name of its format.

    ``limit`` is the limit that it met.
    """

    __slots__ = ("_gzip", "_headers", "format", "identity", "limit")

    def __init__(
        self, body: bytes, headers: Sequence[tuple[bytes, bytes]], format_: str, limit: str | None = None
    ) -> None:
        self._headers, self.format, self.limit = headers, format_, limit
        self.identity = CompleteResponse(body, headers, format_)
        self._gzip: CompleteResponse | None = None

    @property
    def size(self) -> int:
        """How many bytes its forms take."""
        return len(self.identity.body) + (len(self._gzip.body) if self._gzip else 0)

    @property
    def is_worth_compressing(self) -> bool:
        """Whether a compressed form would spare anybody anything."""
        return len(self.identity.body) >= _LEAST

    async def compressed(self) -> CompleteResponse:
        """Return its compressed form, made once; on a thread when it is large, so that others need not wait."""
        if self._gzip is None:
            body = self.identity.body
            made = await asyncio.to_thread(_compress, body) if len(body) >= _LARGE else _compress(body)
            self._gzip = CompleteResponse(made, [*self._headers, (b"content-encoding", b"gzip")], self.format)
        return self._gzip


def _compress(body: bytes) -> bytes:
    # No time in it, so that the same answer has the same bytes.
    return gzip.compress(body, _LEVEL, mtime=0)
