"""The answer to a job on its way from the engine to the server: counted, cut, and told of before it is sent."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import AnswerTooLargeError, StoreError
from twingraph.workers import ipc
from twingraph.workers.ipc import Job, Kind, ResultHead
from twingraph.workers.row_limit import RowLimiter, RowLimitReached

_PIECE = 1 << 16


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
        """Do nothing: nothing is kept."""


class Output:
    """A binary file for the engine to write an answer into, which sends it within the limits of its job.

    The first ``job.buffer_bytes`` are held back. An answer that ends within them is sent with a head that knows all of
    it; before a larger one is begun, ``count`` tells whether it has more rows than it may, so that its head
    announces where it is cut. ``limited`` tells whether its rows are counted at all, ``head`` what else is known.
    """

    def __init__(
        self, connection: socket.socket, job: Job, head: ResultHead, count: Callable[[RowTally], None], *, limited: bool
    ) -> None:
        self._connection, self._job, self._head, self._count = connection, job, head, count
        self._limiter = RowLimiter(head.format, job.rows, head.next) if limited else None
        self._waiting = bytearray()
        self._size = 0
        self._is_begun, self._is_cut = False, False

    def write(self, piece: bytes) -> int:
        """Take a piece of the answer; raises AnswerTooLargeError, or RowLimitReached when no more is wanted."""
        if self._is_cut:  # the engine empties its buffer once more when it is told to stop
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
        head = b""
        if not self._is_begun:
            cut = self._job.rows if self._is_cut else 0
            head = ipc.pack_head(self._head._replace(cut=cut, next=self._head.next if cut else ""))
        elif self._is_cut != bool(self._head.cut):
            raise StoreError(
                "the answer was another one when it was asked for again: it cannot be told where it is cut"
            )
        self._send(head, ipc.pack_done(grown))

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
        self._head = self._head._replace(complete=False, cut=cut, next=link)
        self._is_begun = True
        self._send(ipc.pack_head(self._head))

    def _send(self, before: bytes = b"", after: bytes = b"") -> None:
        body = ipc.frame(Kind.BODY, self._waiting) if self._waiting else b""
        self._waiting.clear()
        self._connection.sendall(before + body + after)
