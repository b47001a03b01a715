"""The answer to a job on its way from the engine to the server: limited in rows and bytes, and sent in frames.

The engine writes the rows; they are counted in the bytes, by what stands between two rows and nowhere else.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import AnswerTooLargeError, StoreError
from twingraph.rdf.formats import RowSyntax
from twingraph.workers import ipc
from twingraph.workers.ipc import Job, Kind, ResultHead

_PIECE = 1 << 16
# How much is held back, because what stands between two rows may be split over two pieces.
_HELD = 16


class RowLimitReached(Exception):
    """The answer has as many rows as it may have."""


class RowLimiter:
    """Passes on at most ``rows`` rows of an answer, and then an ending that says so.

    ``link`` leads to the rest, empty when nothing does.
    """

    def __init__(self, syntax: RowSyntax, rows: int, link: str) -> None:
        self._syntax, self._rows, self._link = syntax, rows, link
        self._left = rows - 1 + self._syntax.first
        self._held, self._in_quotes = b"", False

    def feed(self, piece: bytes) -> tuple[bytes, bool]:
        """Return what may be passed on now, and whether that is the end because there are more rows."""
        data = self._held + piece
        limit = max(len(data) - _HELD, 0)
        if self._syntax.escaped:
            # What is held begins with a whole escape: quotes are counted in what is passed on.
            limit -= _trailing_backslashes(data, limit) % 2
        places = self._places(data, limit)
        if len(places) > self._left:
            return data[: places[self._left]] + self._ending(), True
        self._left -= len(places)
        if self._syntax.quoted:
            self._in_quotes ^= self._quotes(data, 0, limit) % 2 == 1
        self._held = data[limit:]
        return data[:limit], False

    def finish(self) -> tuple[bytes, bool]:
        """Return what was held back, and whether it had to be cut."""
        places = self._places(self._held, len(self._held))
        if len(places) > self._left:
            return self._held[: places[self._left]] + self._ending(), True
        return self._held, False

    def _places(self, data: bytes, limit: int) -> list[int]:
        # A place may be recognised by what follows it, so it is looked for in all that is there.
        is_sure = self._syntax.sure is not None and self._syntax.unsure not in data
        begins = self._syntax.sure if is_sure and self._syntax.sure else self._syntax.begins
        found = [match.end() for match in begins.finditer(data) if match.start() < limit]
        if is_sure or not self._syntax.quoted:
            return found
        outside, in_quotes, last = [], self._in_quotes, 0
        for place in found:
            in_quotes ^= self._quotes(data, last, place) % 2 == 1
            last = place
            if not in_quotes:
                outside.append(place)
        return outside

    def _quotes(self, data: bytes, start: int, end: int) -> int:
        """Return how many quotes stand in a part of the data that begins a text or end one."""
        if not self._syntax.escaped or data.find(b"\\", start, end) < 0:
            return data.count(b'"', start, end)
        part = data[start:end].replace(b"\\\\", b"")
        return part.count(b'"') - part.count(b'\\"')

    def _ending(self) -> bytes:
        following = f"; the rest: {self._link}" if self._link else ""
        quoted = f'"{self._link}"' if self._link else "null"
        # `--` may not stand in an XML comment.
        text = self._syntax.ending.format(rows=self._rows, next=following.replace("--", "%2D%2D"), next_json=quoted)
        return text.encode()


def _trailing_backslashes(data: bytes, end: int) -> int:
    return end - len(data[max(end - _HELD, 0) : end].rstrip(b"\\")) - max(end - _HELD, 0)


@dataclass(slots=True)
class RowTally:
    """A file that only counts the rows of an answer in TSV, and ends it when there are more than ``limit``."""

    limit: int
    lines: int = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether there are more rows than the limit; the first line names the columns."""
        return self.lines > self.limit + 1

    def write(self, piece: bytes) -> int:
        """Count what is in a piece; raises RowLimitReached when that is enough."""
        self.lines += piece.count(b"\n")
        if self.is_exceeded:
            raise RowLimitReached
        return len(piece)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


class Output:
    """A binary file for the engine to write an answer into, which sends it within the limits of its job.

    The first ``job.buffer_bytes`` are held back. An answer that ends within them is sent with a head that knows all of
    it; before a larger one is begun, ``count`` tells whether it has more rows than it may, so that its head
    announces where it is cut. ``rows`` is None when its rows are not limited, ``head`` what else is known.
    """

    def __init__(
        self,
        connection: socket.socket,
        job: Job,
        head: ResultHead,
        count: Callable[[RowTally], None],
        rows: RowSyntax | None,
    ) -> None:
        self._connection, self._job, self._head, self._count = connection, job, head, count
        self._limiter = RowLimiter(rows, job.rows, head.next) if rows else None
        self._waiting = bytearray()
        self._size = 0
        self._is_begun, self._is_cut = False, False

    def write(self, piece: bytes) -> int:
        """Write a piece of the answer; raises AnswerTooLargeError, or RowLimitReached after the last row allowed."""
        if self._is_cut:  # the engine flushes its buffer once more after an exception
            return len(piece)
        passed, self._is_cut = self._limiter.feed(piece) if self._limiter else (piece, False)
        self._take(passed)
        if self._is_cut:
            raise RowLimitReached
        return len(piece)

    def flush(self) -> None:
        """Do nothing: what is waiting is sent when it is worth it, and at the end."""

    def end(self, grown: int) -> None:
        """Send what is left, and by how many bytes the process has ``grown``.

        Raises StoreError when the answer is not cut where its head said it was.
        """
        if self._limiter and not self._is_cut:
            passed, self._is_cut = self._limiter.finish()
            self._take(passed)
        if not self._is_begun:
            head = self._head._replace(cut=self._job.rows) if self._is_cut else self._head._replace(next="")
            self._connection.sendall(ipc.pack_answer(head, grown, self._waiting))
            return
        if self._is_cut != bool(self._head.cut):
            raise StoreError("the query had another answer the second time: where it is cut cannot be announced")
        self._send()
        self._connection.sendall(ipc.pack_done(grown))

    def _take(self, passed: bytes) -> None:
        self._size += len(passed)
        if self._size > self._job.bytes:
            raise AnswerTooLargeError(self._job.bytes)
        self._waiting += passed
        if not self._is_begun and len(self._waiting) > self._job.buffer_bytes and not self._is_cut:
            self._begin()
        if self._is_begun and len(self._waiting) >= _PIECE:
            self._send()

    def _begin(self) -> None:
        """Send the head of an answer that is not all there."""
        cut, link = 0, ""
        if self._limiter:
            tally = RowTally(self._job.rows)
            self._count(tally)
            if tally.is_exceeded:
                cut, link = self._job.rows, self._head.next
        self._head = self._head._replace(cut=cut, next=link)
        self._is_begun = True
        self._connection.sendall(ipc.pack_head(self._head))

    def _send(self) -> None:
        self._connection.sendall(ipc.frame(Kind.BODY, self._waiting))
        self._waiting.clear()
