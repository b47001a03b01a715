"""EDTF dates and the days that bound them."""

import gc
import weakref
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twingraph.errors import DateError
from twingraph.rdf.edtf import _calendar, _parsed, bounds


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2010", "2010-01-01", "2010-12-31"),
        ("2010-04", "2010-04-01", "2010-04-30"),
        ("2016-02", "2016-02-01", "2016-02-29"),
        ("2020-06-15", "2020-06-15", "2020-06-15"),
        ("2018-21", "2018-03-01", "2018-05-31"),
        ("2012-23", "2012-09-01", "2012-11-30"),
        ("2012-24", "2012-12-01", "2013-02-28"),
        ("201X", "2010-01-01", "2019-12-31"),
        ("2015/2016", "2015-01-01", "2016-12-31"),
        ("2019-12-24/2020-23", "2019-12-24", "2020-11-30"),
        ("2005/..", "2005-01-01", None),
        ("2005/", "2005-01-01", None),
        ("../1950", None, "1950-12-31"),
        ("1998~", "1997-01-01", "1999-12-31"),
        ("2019-06~", "2019-05-01", "2019-07-31"),
        ("2019-06-30?", "2019-06-29", "2019-07-01"),
        ("2012-23~", "2012-06-01", "2013-02-28"),
        ("2018~/2019", "2017-01-01", "2019-12-31"),
    ],
)
def test_a_date_has_the_bounds_that_its_precision_gives(text, earliest, latest):
    found = bounds(text)
    assert (found.earliest and found.earliest.isoformat(), found.latest and found.latest.isoformat()) == (
        earliest,
        latest,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2010-13",
        "2010-02-30",
        "2019/2018",
        "/..",
        "../..",
        "10 april",
        "Y17E8",
        "9999~",
        "2010-4",
        "2012-X3",
        "2012-1X/2013",
        "2012 ",
    ],
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(DateError) as caught:
        bounds(text)
    assert caught.value.text == text


@given(st.integers(0, 9999), st.integers(0, 25), st.integers(0, 32), st.integers(4, 10))
def test_what_is_read_without_the_library_has_the_bounds_that_it_gives(year: int, month: int, day: int, length: int):
    text = f"{year:04}-{month:02}-{day:02}"[: 4 if length < 7 else 7 if length < 10 else 10]
    quick = _calendar(text)
    assert quick is None or quick == _parsed(text)


@given(st.dates())
def test_a_day_is_bounded_by_itself(day: date):
    assert (bounds(day.isoformat()).earliest, bounds(day.isoformat()).latest) == (day, day)


@given(st.dates(min_value=date(2, 1, 1), max_value=date(9998, 12, 31)), st.integers(4, 10))
def test_an_approximate_date_contains_the_exact_one(day: date, length: int):
    text = day.isoformat()[: 4 if length < 7 else 7 if length < 10 else 10]
    exact, wide = bounds(text), bounds(text + "~")
    assert wide.earliest < exact.earliest
    assert wide.latest > exact.latest


class Held:
    """Something that whoever asks for a date has at hand."""


def ask_with_something_at_hand(text):
    held = Held()
    with suppress(DateError):
        bounds(text)
    return weakref.ref(held)


@pytest.mark.parametrize("text", ["2012-23", "1998-22~", "199x", "nonsense-77"])
def test_a_date_that_the_library_parses_keeps_nothing_of_who_asked_for_it(text):
    held = ask_with_something_at_hand(text)
    gc.collect()
    assert held() is None
