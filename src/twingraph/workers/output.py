"""The output of a job, from the engine to the server: limited in rows and bytes, and sent in frames.

The engine writes serialized rows. They are counted in the bytes, by a separator that occurs only between rows.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import AnswerTooLargeError, StoreError
from twingraph.rdf.formats import RowSyntax
from twingraph.workers import ipc
from twingraph.workers.ipc import DescribeJob, GraphJob, Job, Kind, ResultHead

_FRAME_BYTES = 1 << 16
# How many bytes are held back, because the separator of two rows may be split between two pieces.
_LOOKAHEAD_BYTES = 16


class RowLimitReached(Exception):
    """The answer has reached the limit of rows."""


class RowLimiter:
    """Passes on at most ``rows`` rows of an answer, and then an ending that says that it was cut.

    ``link`` leads to the remaining rows; it is empty when there is no such link.
    """

    def __init__(self, syntax: RowSyntax, rows: int, link: str) -> None:
        self._syntax, self._rows, self._link = syntax, rows, link
        self._left = rows - 1 + self._syntax.first
        self._held, self._in_quotes = b"", False

    def feed(self, piece: bytes) -> tuple[bytes, bool]:
        """Return what may be passed on now, and whether the answer is cut there because it has more rows."""
        data = self._held + piece
        limit = max(len(data) - _LOOKAHEAD_BYTES, 0)
        if self._syntax.escaped:
            # Do not split an escape sequence, as quotes are counted separately in what is passed on.
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
        """Return the bytes held back, and whether the answer is cut within them."""
        places = self._places(self._held, len(self._held))
        if len(places) > self._left:
            return self._held[: places[self._left]] + self._ending(), True
        return self._held, False

    def _places(self, data: bytes, limit: int) -> list[int]:
        # A separator may be recognized by what follows it, so the search includes the bytes held back.
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
        """Return the number of unescaped quotes in a part of the data."""
        if not self._syntax.escaped or data.find(b"\\", start, end) < 0:
            return data.count(b'"', start, end)
        part = data[start:end].replace(b"\\\\", b"")
        return part.count(b'"') - part.count(b'\\"')

    def _ending(self) -> bytes:
        following = f"; the rest: {self._link}" if self._link else ""
        quoted = f'"{self._link}"' if self._link else "null"
        # `--` must not occur in an XML comment.
        text = self._syntax.ending.format(rows=self._rows, next=following.replace("--", "%2D%2D"), next_json=quoted)
        return text.encode()


def _trailing_backslashes(data: bytes, end: int) -> int:
    return end - len(data[max(end - _LOOKAHEAD_BYTES, 0) : end].rstrip(b"\\")) - max(end - _LOOKAHEAD_BYTES, 0)


@dataclass(slots=True)
class RowTally:
    """A binary file that counts the rows of an answer in TSV, and stops it when there are more than ``limit``."""

    limit: int
    lines: int = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether there are more rows than the limit; the first line is the header."""
        return self.lines > self.limit + 1

    def write(self, piece: bytes) -> int:
        """Count the lines in a piece; raises RowLimitReached when the limit is exceeded."""
        self.lines += piece.count(b"\n")
        if self.is_exceeded:
            raise RowLimitReached
        return len(piece)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


class Output:
    """A binary file for the engine to write an answer into, which sends it within the limits of its job.

    The first ``job.buffer_bytes`` are held back. An answer that ends within them is sent as a whole. Before a larger
    one is begun, ``count`` counts its rows, so that its head can announce where it is cut. ``head`` is the head as far
    as it is known before; ``rows`` is None when rows are not limited.
    """

    def __init__(
        self,
        connection: socket.socket,
        job: Job | GraphJob | DescribeJob,
        head: ResultHead,
        count: Callable[[RowTally], None],
        rows: RowSyntax | None,
    ) -> None:
        self._connection, self._job, self._head, self._count = connection, job, head, count
        self._limiter = RowLimiter(rows, job.rows, head.next) if rows else None
        self._buffer = bytearray()
        self._size = 0
        self._is_begun, self._is_cut = False, False

    def write(self, piece: bytes) -> int:
        """Write a piece of the answer; raises AnswerTooLargeError, or RowLimitReached after the last allowed row."""
        if self._is_cut:  # the engine flushes its buffer once more after an exception
            return len(piece)
        passed, self._is_cut = self._limiter.feed(piece) if self._limiter else (piece, False)
        self._take(passed)
        if self._is_cut:
            raise RowLimitReached
        return len(piece)

    def flush(self) -> None:
        """Do nothing: the buffer is sent when it is large enough, and at the end."""

    def end(self, grown: int) -> None:
        """Send what is left, and by how many bytes the process has ``grown``.

        Raises StoreError when the answer is not cut as its head announced.
        """
        if self._limiter and not self._is_cut:
            passed, self._is_cut = self._limiter.finish()
            self._take(passed)
        if not self._is_begun:
            head = self._head
            if self._limiter:
                head = head._replace(cut=self._job.rows) if self._is_cut else head._replace(next="")
            self._connection.sendall(ipc.pack_answer(head, grown, self._buffer))
            return
        if self._is_cut != bool(self._head.cut):
            raise StoreError("the query gave a different answer when run again, so its cut cannot be announced")
        self._send()
        self._connection.sendall(ipc.pack_done(grown))

    def _take(self, passed: bytes) -> None:
        self._size += len(passed)
        if self._size > self._job.bytes:
            raise AnswerTooLargeError(self._job.bytes)
        self._buffer += passed
        if not self._is_begun and len(self._buffer) > self._job.buffer_bytes and not self._is_cut:
            self._begin()
        if self._is_begun and len(self._buffer) >= _FRAME_BYTES:
            self._send()

    def _begin(self) -> None:
        """Send the head of an answer that is not complete yet."""
        if self._limiter:
            tally = RowTally(self._job.rows)
            self._count(tally)
            is_cut = tally.is_exceeded
            self._head = self._head._replace(cut=self._job.rows) if is_cut else self._head._replace(next="")
        self._is_begun = True
        self._connection.sendall(ipc.pack_head(self._head))

    def _send(self) -> None:
        self._connection.sendall(ipc.frame(Kind.BODY, self._buffer))
        self._buffer.clear()
