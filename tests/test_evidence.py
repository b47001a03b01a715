"""Passages against texts: offsets, quotes, coverage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twingraph.publication.evidence import Passage, coverage, locate, verify

TEXT = "The lamp was lit in 1887.\n\nIt burned oil\nuntil 1921. It burned gas after that. 灯塔"


def passage(start: int, end: int, quote: str) -> Passage:
    return Passage("urn:p", "urn:d", start, end, quote)


def rules(found) -> list[str]:
    return [problem.rule for problem in found]


def test_a_passage_with_its_words_has_no_problem():
    assert verify(passage(0, 25, "lit in 1887"), TEXT, 120) == ()


def test_white_space_in_a_quote_is_folded():
    assert verify(passage(27, 52, "burned oil until 1921"), TEXT, 120) == ()


def test_a_quote_that_stands_elsewhere_is_reported_with_its_place():
    found = verify(passage(0, 25, "burned gas"), TEXT, 120)
    assert rules(found) == ["evidence/quote"]
    assert found[0].remedy == "they are at 56-66"


def test_a_quote_that_stands_nowhere_is_reported_as_such():
    assert "nowhere" in verify(passage(0, 25, "burned wood"), TEXT, 120)[0].remedy


@pytest.mark.parametrize(("start", "end"), [(1, 25), (0, 17), (0, 26), (-1, 25), (25, 25), (0, 1000)])
def test_offsets_that_cut_words_or_leave_the_text_are_reported(start, end):
    assert rules(verify(passage(start, end, "lamp"), TEXT, 120)) == ["evidence/offset"]


def test_a_quote_over_the_limit_is_reported():
    assert rules(verify(passage(0, 25, "The lamp was lit in 1887"), TEXT, 10)) == ["evidence/length"]


def test_offsets_count_code_points():
    start = TEXT.index("灯")
    assert verify(passage(start, start + 2, "灯塔"), TEXT, 120) == ()


def test_coverage_leaves_white_space_aside_and_counts_overlaps_once():
    found = coverage("ab cd ef", [(0, 2), (1, 2), (6, 8)])
    assert (found.covered, found.total, found.gaps) == (4, 6, ((3, 5),))
    assert found.share == pytest.approx(2 / 3)


@given(st.text(), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_gaps_and_covered_characters_make_up_the_text(text, spans):
    found = coverage(text, [(min(pair), max(pair)) for pair in spans])
    uncovered = sum(not char.isspace() for start, end in found.gaps for char in text[start:end])
    assert found.covered + uncovered == found.total


def test_every_place_of_words_is_found():
    assert locate("It  burned", TEXT) == ((27, 36), (53, 62))
