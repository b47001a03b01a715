"""The cache of answers and prepared queries, bounded by size; the least recently used entries are evicted first."""

import asyncio
import gzip
from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

from cachetools import LRUCache

from twingraph.server.http.complete_response import CompleteResponse

_GZIP_LEVEL = 5
# Bodies smaller than this (bytes) are not compressed: they fit into one packet either way.
_MIN_COMPRESSED_BYTES = 1024
# Bodies of this size (bytes) or more are compressed on a thread.
_MIN_THREAD_BYTES = 1 << 16
# Size (bytes) of an entry besides texts and bodies: its key, its objects, and the header fields twice (measured).
_OVERHEAD = 4096
_Entry = TypeVar("_Entry", bound="Sized")


class Sized(Protocol):
    """An object with a ``size`` in bytes, that of everything it holds included."""

    @property
    def size(self) -> int:
        """Its size in bytes."""


class SizedCache:
    """Entries by key, at most ``max_bytes`` in total; one larger than a quarter of that is not cached."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: LRUCache[Hashable, Sized] = LRUCache(max_bytes, getsizeof=lambda entry: entry.size + _OVERHEAD)

    @property
    def size(self) -> int:
        """The size of all entries in bytes."""
        return int(self._entries.currsize)

    def get(self, key: Hashable, kind: type[_Entry]) -> _Entry | None:
        """Return the entry for a key, None when there is none of that type."""
        found = self._entries.get(key)
        return found if isinstance(found, kind) else None

    def put(self, key: Hashable, entry: Sized) -> None:
        """Add an entry, replacing any for the same key."""
        if (entry.size + _OVERHEAD) * 4 <= self._max_bytes:
            self._entries[key] = entry
        else:
            self._entries.pop(key, None)


class Answer:
    """A complete answer and, once a client has accepted it, its gzip form; ``format`` is the name of its format.

    ``limit`` is the limit that cut it, None for a whole answer.
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
        """The size of its bodies in bytes."""
        return len(self.identity.body) + (len(self._gzip.body) if self._gzip else 0)

    @property
    def is_worth_compressing(self) -> bool:
        """Whether it is large enough for compression to help."""
        return len(self.identity.body) >= _MIN_COMPRESSED_BYTES

    async def compressed(self) -> CompleteResponse:
        """Return its gzip form, which is created once; on a thread when large, so as not to block the event loop."""
        if self._gzip is None:
            body = self.identity.body
            gzipped = await asyncio.to_thread(_compress, body) if len(body) >= _MIN_THREAD_BYTES else _compress(body)
            self._gzip = CompleteResponse(gzipped, [*self._headers, (b"content-encoding", b"gzip")], self.format)
        return self._gzip


def _compress(body: bytes) -> bytes:
    # Without a timestamp, so that the same answer gives the same bytes.
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)
