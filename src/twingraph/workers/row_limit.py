"""Ending an answer after so many rows, so that it says itself that it was cut.

The engine writes the rows; here they are only counted, in the bytes, by what stands between two rows and nowhere else.
"""

import re
from dataclasses import dataclass

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
