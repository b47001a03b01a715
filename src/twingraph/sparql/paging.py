"""The query for the rows after those that were answered, for queries that order their rows."""

import re

_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_LIMITED = re.compile(r"\bLIMIT\b|#", re.IGNORECASE)
_OFFSET = re.compile(r"\bOFFSET\s+(\d+)", re.IGNORECASE | re.ASCII)
# No store holds more rows; a number of thousands of digits takes long to read.
_MOST_DIGITS = 15


def next_page(text: str, rows: int) -> str | None:
    """Return the query for what comes after so many rows, None unless it orders its rows and does not limit them."""
    start = text.rfind("}") + 1
    tail = text[start:]
    if not _ORDERED.search(tail) or _LIMITED.search(tail):
        return None
    offset = _OFFSET.search(tail)
    if not offset:
        return f"{text.rstrip()}\nOFFSET {rows}"
    if len(offset[1]) > _MOST_DIGITS:
        return None
    return text[: start + offset.start(1)] + str(int(offset[1]) + rows) + text[start + offset.end(1) :]
