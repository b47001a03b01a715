"""The answer to a job on its way from the engine to the server: limited in rows and bytes, and sent in frames.

The engine writes the rows; they are counted in the bytes, by what stands between two rows and nowhere else.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import AnswerTooLargeError, StoreError
from twingraph.workers import ipc
from twingraph.workers.ipc import Job, Kind, ResultHead

_PIECE = 1 << 16
# How much is kept back to recognise what stands between two rows when it is divided over two pieces.
_KEPT = 16


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the next row begins in a format: the end of a match; ``first`` places stand before the second row.

    In texts between quotes the same bytes may stand (``quoted``); there a quote is written twice, or after a backslash
    (``escaped``). Where the bytes ``unsure`` do not stand, ``sure`` finds the same places and none in a text.
    """

    begins: re.Pattern[bytes]
    first: int
    ending: str
    quoted: bool = False
    escaped: bool = False
    sure: re.Pattern[bytes] | None = None
    unsure: bytes = b""


# JSON: a quote within a text is escaped, so one that follows `},{` either begins a name or ends a text, and after the
# end of a text comes punctuation; but a row that binds nothing is `{}`, which may stand in a text.
# XML: `<` is escaped in texts. TSV and N-Triples: so is the end of a line.
_LINE = re.compile(rb"\n(?=.)", re.DOTALL)
_FORMS = {
    "json": _Form(
        re.compile(rb"\}(?=,\{(?:\"[^\",:}\]]|\}))"),
        0,
        ']}},"cut":{{"rows":{rows},"next":{next_json}}}}}',
        quoted=True,
        escaped=True,
        sure=re.compile(rb'\}(?=,\{"[^",:}\]])'),
        unsure=b",{}",
    ),
    "xml": _Form(re.compile(rb"(?=<result(?:>|/>))"), 1, "</results><!-- cut after {rows} rows{next} --></sparql>"),
    "tsv": _Form(_LINE, 1, "# cut after {rows} rows{next}\n"),
    "csv": _Form(_LINE, 1, "# cut after {rows} rows{next}\r\n", quoted=True),
    "ntriples": _Form(_LINE, 0, "# cut after {rows} triples{next}\n"),
}


class RowLimitReached(Exception):
    """The answer has been written as far as it may go."""


class RowLimiter:
    """Passes on at most ``rows`` rows of an answer in a format that has rows, and then an ending that says so.

    ``link`` leads to the rest, empty when nothing does.
    """

    def __init__(self, format_name: str, rows: int, link: str) -> None:
        self._form, self._rows, self._link = _FORMS[format_name], rows, link
        self._left = rows - 1 + self._form.first
        self._kept, self._in_quotes = b"", False

    def feed(self, piece: bytes) -> tuple[bytes, bool]:
        """Return what may be passed on now, and whether that is the end because there are more rows."""
        data = self._kept + piece
        limit = max(len(data) - _KEPT, 0)
        if self._form.escaped:
            # What is kept begins with a whole escape: quotes are counted in what is passed on.
            limit -= _trailing_backslashes(data, limit) % 2
        places = self._places(data, limit)
        if len(places) > self._left:
            return data[: places[self._left]] + self._ending(), True
        self._left -= len(places)
        if self._form.quoted:
            self._in_quotes ^= self._quotes(data, 0, limit) % 2 == 1
        self._kept = data[limit:]
        return data[:limit], False

    def finish(self) -> tuple[bytes, bool]:
        """Return what was kept back, and whether it had to be cut."""
        places = self._places(self._kept, len(self._kept))
        if len(places) > self._left:
            return self._kept[: places[self._left]] + self._ending(), True
        return self._kept, False

    def _places(self, data: bytes, limit: int) -> list[int]:
        # A place may be recognised by what follows it, so it is looked for in all that is there.
        is_sure = self._form.sure is not None and self._form.unsure not in data
        begins = self._form.sure if is_sure and self._form.sure else self._form.begins
        found = [match.end() for match in begins.finditer(data) if match.start() < limit]
        if is_sure or not self._form.quoted:
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
        if not self._form.escaped or data.find(b"\\", start, end) < 0:
            return data.count(b'"', start, end)
        part = data[start:end].replace(b"\\\\", b"")
        return part.count(b'"') - part.count(b'\\"')

    def _ending(self) -> bytes:
        following = f"; the rest: {self._link}" if self._link else ""
        quoted = f'"{self._link}"' if self._link else "null"
        # `--` may not stand in an XML comment.
        text = self._form.ending.format(rows=self._rows, next=following.replace("--", "%2D%2D"), next_json=quoted)
        return text.encode()


def has_rows(format_name: str) -> bool:
    """Tell whether the rows of an answer in a format can be counted."""
    return format_name in _FORMS


def _trailing_backslashes(data: bytes, end: int) -> int:
    return end - len(data[max(end - _KEPT, 0) : end].rstrip(b"\\")) - max(end - _KEPT, 0)


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
