"""Tables for people: they fit, and words stay whole."""

import pytest
from rich.cells import cell_len

from twingraph.tables import render_table

COLUMNS = ("town", "what happened", "n")
ROWS = [("Gävle", "a delegation came and stayed for three days", "3"), ("珠海", None, "12")]


def test_a_table_is_as_wide_as_its_cells_where_there_is_no_limit():
    lines = render_table(COLUMNS, ROWS).splitlines()
    assert lines[0].split() == ["town", "what", "happened", "n"]
    assert lines[2] == "Gävle  a delegation came and stayed for three days   3"


def test_a_cell_that_does_not_fit_ends_in_an_ellipsis_and_no_line_is_wider_than_the_terminal():
    lines = render_table(COLUMNS, ROWS, 40).splitlines()
    assert max(map(cell_len, lines)) <= 40
    assert "a delegation came and st" in lines[2]
    assert "…" in lines[2]


def test_columns_that_fit_are_not_cut():
    assert all("Gävle" in render_table(COLUMNS, ROWS, width) for width in range(20, 80))


def test_a_table_too_wide_to_be_cut_goes_vertical():
    columns = [f"column{number}" for number in range(9)]
    text = render_table(columns, [["words and words"] * 9, ["more words"] * 9], 60)
    assert text.splitlines()[:2] == ["column0  words and words", "column1  words and words"]
    assert text.count("\n\n") == 1


def test_cells_of_two_columns_each_are_counted_as_such():
    lines = render_table(("a", "b"), [("珠海珠海", "x"), ("y", "z")]).splitlines()
    assert lines[2:] == ["珠海珠海  x", "y         z"]


def test_a_line_end_in_a_cell_does_not_break_the_row():
    assert len(render_table(("a",), [("one\ntwo",)]).splitlines()) == 3


@pytest.mark.parametrize("width", [None, 5, 80])
def test_a_table_without_columns_or_rows_is_no_error(width):
    assert isinstance(render_table((), [()], width), str)
    assert "a" in render_table(("a",), [], width)
