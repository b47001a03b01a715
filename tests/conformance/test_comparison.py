"""The comparison itself: it must find differences, or the tables would say nothing."""

import pytest

from conformance.blank_nodes import same_but_for_blank_nodes
from conformance.compare import Match, compare
from conformance.results import Solutions, Triples, literal, read_csv, read_json, read_tsv, read_xml

XSD = "http://www.w3.org/2001/XMLSchema#"


def node(name):
    return ("bnode", name)


def rows(*values, ordered=False):
    return Solutions(("x",), tuple({"x": value} for value in values), ordered)


def ring(*names):
    return [(node(name), node(names[(place + 1) % len(names)])) for place, name in enumerate(names)]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ([(node("a"), node("b"))], [(node("x"), node("y"))], True),
        ([(node("a"), node("b"))], [(node("x"), node("x"))], False),
        ([(node("a"),), (node("a"),)], [(node("x"),), (node("y"),)], False),
        ([(node("a"),)] * 12, [(node("x"),)] * 12, True),
        ([(node(str(n)),) for n in range(40)], [(node(str(-n)),) for n in range(40)], True),
        (ring(*"abcdef"), ring(*"fedcba"), True),
        (ring(*"abcdef"), ring(*"abc") + ring(*"def"), False),
    ],
)
def test_blank_nodes_may_have_other_names_but_not_other_places(left, right, same):
    assert same_but_for_blank_nodes(left, right) is same


@pytest.mark.parametrize(
    ("expected", "answer", "match"),
    [
        (rows(("iri", "a"), ("iri", "b")), rows(("iri", "b"), ("iri", "a")), Match.SAME),
        (rows(("iri", "a"), ("iri", "b"), ordered=True), rows(("iri", "b"), ("iri", "a")), Match.DIFFERENT),
        (rows(("iri", "a"), ("iri", "a")), rows(("iri", "a")), Match.DIFFERENT),
        (rows(("iri", "a")), rows(literal("a")), Match.DIFFERENT),
        (rows(literal("1.50", XSD + "decimal")), rows(literal("1.5", XSD + "decimal")), Match.SAME_VALUES),
        (rows(literal("1", XSD + "integer")), rows(literal("1", XSD + "decimal")), Match.DIFFERENT),
        (rows(literal("-3", XSD + "negativeInteger")), rows(literal("-3", XSD + "integer")), Match.DIFFERENT),
        (rows(literal("a", language="EN")), rows(literal("a", language="en")), Match.SAME),
        (rows(literal("a", language="en")), rows(literal("a", language="sv")), Match.DIFFERENT),
        (Solutions(("x", "y"), ()), Solutions(("x",), ()), Match.DIFFERENT),
        (True, False, Match.DIFFERENT),
        (Triples(frozenset()), rows(), Match.DIFFERENT),
    ],
)
def test_answers_are_compared_by_term_then_by_value(expected, answer, match):
    assert compare(expected, answer) is match


def test_csv_keeps_texts_only():
    assert compare(rows(literal("1", XSD + "integer")), rows(("text", "1")), as_text=True) is Match.SAME
    assert compare(rows(literal("1", XSD + "integer")), rows(("text", "2")), as_text=True) is Match.DIFFERENT


def test_duplicates_may_go_when_cardinality_is_lax():
    a, b = ("iri", "a"), ("iri", "b")
    assert compare(rows(a, a, b), rows(a, b), lax=True) is Match.SAME
    assert compare(rows(a, a, b), rows(a, b, b), lax=True) is Match.DIFFERENT
    assert compare(rows(a, a, b), rows(a), lax=True) is Match.DIFFERENT


def test_the_four_formats_are_read_alike():
    json = (
        b'{"head":{"vars":["x","y"]},"results":{"bindings":[{"x":{"type":"literal","value":"a\\tb","xml:lang":"en"}}]}}'
    )
    xml = (
        b'<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head><variable name="x"/><variable name="y"/></head>'
        b'<results><result><binding name="x"><literal xml:lang="en">a\tb</literal></binding></result></results>'
        b"</sparql>"
    )
    expected = Solutions(("x", "y"), ({"x": literal("a\tb", language="en")},))
    assert read_json(json) == read_xml(xml) == read_tsv(b'?x\t?y\n"a\\tb"@en\t\n') == expected
    assert compare(expected, read_csv(b"x,y\r\na\tb,\r\n"), as_text=True) is Match.SAME
