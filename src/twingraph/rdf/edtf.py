"""Dates in EDTF (ISO 8601-2:2019), and the first and last day that each may mean."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from edtf import EDTFParseException, parse_edtf
from pyparsing import ParserElement

from twingraph.errors import DateError

EDTF = "http://id.loc.gov/datatypes/edtf/EDTF"
_OPEN = ("", "..")
_QUALIFIERS = "~?%"
_SEASON = re.compile(r"-?\d{4}-(?P<season>2[1-4])")
# A month or day with one unspecified digit, for which the library raises AttributeError and prints to stdout.
_HALF_UNSPECIFIED = re.compile(r"-(?:\dX|X\d)(?![\dX])")
_CALENDAR = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The earliest and the latest day that a date may mean; None where it is open or unknown."""

    earliest: date | None
    latest: date | None


def bounds(text: str) -> Bounds:
    """Return the bounds of an EDTF date.

    A month, year or decade means any of its days; a season (21 to 24) three months in the northern hemisphere, where
    winter begins in December of the year given; an interval any day from its start to its end. An approximate or
    uncertain date (``~``, ``?``, ``%``) is widened by one unit of its precision on either side: ``1998~`` is 1997-01-01
    to 1999-12-31. An open (``..``) or unknown (empty) end of an interval has no bound.
    Raises DateError.
    """
    if "/" not in text:
        return _simple(text, text)
    start, _, end = text.partition("/")
    if start in _OPEN and end in _OPEN:
        raise DateError(text, "an interval must have a start or an end")
    earliest = None if start in _OPEN else _simple(start, text).earliest
    latest = None if end in _OPEN else _simple(end, text).latest
    if earliest and latest and earliest > latest:
        raise DateError(text, "the interval ends before it starts")
    return Bounds(earliest, latest)


def _simple(part: str, whole: str) -> Bounds:
    core = part.rstrip(_QUALIFIERS)
    season = _SEASON.fullmatch(core)
    if re.search(r"\s", part):
        raise DateError(whole, "a date has no white space")
    if _HALF_UNSPECIFIED.search(part):
        raise DateError(whole, f"{part!r}: a month or day is specified or unspecified (XX) as a whole")
    try:
        earliest, latest = _calendar(core) or _parsed(core)
        if season and season["season"] == "24":
            latest = _shift(latest, 2, last=True)
        if core != part:
            earliest, latest = _widen(earliest, latest, core, is_season=season is not None)
    except EDTFParseException as error:
        raise DateError(whole, f"{part!r} is not a calendar date in EDTF, such as 2010-04 or 1998~") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise DateError(whole, f"{part!r} is outside the years 1 to 9999") from error
    return Bounds(earliest, latest)


def _calendar(core: str) -> tuple[date, date] | None:
    """Return the bounds of a plain year, month or day, None for others; the library takes a thousand times as long."""
    match = _CALENDAR.fullmatch(core)
    if match is None:
        return None
    year, month, day = (None if part is None else int(part) for part in match.groups())
    first_month, last_month = (1, 12) if month is None else (month, month)
    try:
        first = date(year or 0, first_month, 1 if day is None else day)
        last = monthrange(first.year, last_month)[1] if day is None else day
        return first, date(first.year, last_month, last)
    except ValueError:  # a season, or not a date: left to the library
        return None


@lru_cache(maxsize=50_000)  # dates repeat, and parsing one takes milliseconds
def _parsed(core: str) -> tuple[date, date]:
    try:
        parsed = parse_edtf(core)
    finally:
        # The cache keeps exceptions, and with them the local variables of all callers, such as stores.
        ParserElement.reset_cache()
    # These bounds take account of qualifiers within the date, as in 2004-06~-11.
    first, last = (parsed.lower_fuzzy(), parsed.upper_fuzzy())
    return date(*first[:3]), date(*last[:3])


def _widen(earliest: date, latest: date, core: str, *, is_season: bool) -> tuple[date, date]:
    """Move both bounds outwards by one unit of precision: a year, month, season or day."""
    parts = core.lstrip("-").count("-") + 1
    if parts >= 3:
        return earliest - timedelta(days=1), latest + timedelta(days=1)
    months = 3 if is_season else 1 if parts == 2 else 12
    return _shift(earliest, -months, last=False), _shift(latest, months, last=True)


def _shift(day: date, months: int, *, last: bool) -> date:
    """Return the first or last day of the month that is ``months`` later."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, monthrange(year, month)[1] if last else 1)
