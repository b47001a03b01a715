"""Ending an answer after so many rows, so that it says itself that it was cut.

The engine writes the rows; here they are only counted, in the bytes, by what stands between two rows and nowhere else.
"""

import re
from dataclasses import dataclass

# How much is kept back to recognise what stands between two rows when it is divided over two pieces.
_KEPT = 16


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the next row begins in a format: the end of a match; ``first`` places stand before the second row."""

    begins: re.Pattern[bytes]
    first: int
    ending: str


# JSON: a quote within a string is escaped, so one that follows `},{` either begins a name or ends a string, and
# after the end of a string comes punctuation. XML: `<` is escaped in texts. TSV and N-Triples: so is the line's end.
_LINE = re.compile(rb"\n(?=.)", re.DOTALL)
_FORMS = {
    "json": _Form(re.compile(rb'\}(?=,\{"[^",:}\]])'), 0, ']}},"cut":{{"rows":{rows},"next":{next_json}}}}}'),
    "xml": _Form(re.compile(rb"(?=<result>)"), 1, "</results><!-- cut after {rows} rows{next} --></sparql>"),
    "tsv": _Form(_LINE, 1, "# cut after {rows} rows{next}\n"),
    "csv": _Form(_LINE, 1, "# cut after {rows} rows{next}\r\n"),
    "ntriples": _Form(_LINE, 0, "# cut after {rows} triples{next}\n"),
}


class RowsExceeded(Exception):
    """The answer has been written as far as it may go."""


class RowCounter:
    """Passes on at most ``rows`` rows of an answer in a format that has rows, and then an ending that says so."""

    def __init__(self, format_name: str, rows: int, following: str | None) -> None:
        self._form, self._rows = _FORMS[format_name], rows
        self._left = rows - 1 + self._form.first
        self._quoted = format_name == "csv"
        self._kept, self._open = b"", False
        self._following = following

    def feed(self, piece: bytes) -> tuple[bytes, bool]:
        """Return what may be passed on now, and whether that is the end because there are more rows."""
        data = self._kept + piece
        limit = max(len(data) - _KEPT, 0)
        places = self._places(data, limit)
        if len(places) > self._left:
            return data[: places[self._left]] + self._ending(), True
        self._left -= len(places)
        if self._quoted:
            self._open ^= data.count(b'"', 0, limit) % 2 == 1
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
        found = [match.end() for match in self._form.begins.finditer(data) if match.start() < limit]
        if not self._quoted or not (self._open or b'"' in data):
            return found
        outside, is_open, last = [], self._open, 0
        for place in found:
            is_open ^= data.count(b'"', last, place) % 2 == 1
            last = place
            if not is_open:
                outside.append(place)
        return outside

    def _ending(self) -> bytes:
        following = f"; the rest: {self._following}" if self._following else ""
        quoted = f'"{self._following}"' if self._following else "null"
        # `--` may not stand in an XML comment.
        text = self._form.ending.format(rows=self._rows, next=following.replace("--", "%2D%2D"), next_json=quoted)
        return text.encode()


def counts_rows(format_name: str) -> bool:
    """Tell whether the rows of an answer in a format can be counted."""
    return format_name in _FORMS
