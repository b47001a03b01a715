"""The commonest mistakes in queries are told in words that lead to them."""

import pyoxigraph as ox
import pytest

from twingraph.sparql.syntax_errors import query_error

PREFIX = "PREFIX ok: <http://ok.example/>\n"


def told(text, prefixes=()):
    with pytest.raises(SyntaxError) as caught:
        ox.Store().query(text, prefixes=dict.fromkeys(prefixes, "http://p.example/"))
    return query_error(caught.value, text, prefixes)


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("?s nope:p ?o", 15),
        ("nope:s ?p ?o", 12),
        ("?s ?p nope:o", 18),
        ("?s a nope:C", 17),
        ("?s ok:p ?o FILTER(nope:f(?o))", 30),
        ("?s ok:p/nope:p ?o", 20),
        ("?s ?p '1'^^nope:d", 23),
    ],
)
def test_an_undeclared_prefix_is_named_wherever_it_stands(pattern, column):
    error = told(f"{PREFIX}SELECT * {{ {pattern} }}")
    assert (error.message, error.line, error.column) == ("Prefix not found: nope:", 2, column)


def test_a_prefix_that_needs_no_declaration_is_not_blamed():
    error = told("SELECT * { ?s known:p ?o ", ("known",))
    assert "Prefix" not in error.message


def test_a_prefix_within_a_string_or_a_comment_is_not_blamed():
    assert "Prefix" not in told("SELECT * { ?s ?p 'nope:a' # nope:b\n").message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "SELECT (STR(?l) AS ?t) { ?s ?p ?l } GROUP BY ?s",
            "The SELECT contains an expression with a variable that is unbound",
        ),
        ("SELECT ?l { ?s ?p ?l } GROUP BY ?s", "The SELECT contains a variable that is unbound"),
        ("SELECT * { ?s ?p ?l } GROUP BY ?s", "SELECT * is not authorized with GROUP BY"),
    ],
)
def test_what_the_engine_says_in_a_sentence_is_told(text, sentence):
    assert told(text).message.startswith(sentence)


@pytest.mark.parametrize("text", ["SELEC ?s { ?s ?p ?o }", "SELECT * { ?s ?p ?o FILTER(?o > ) }"])
def test_no_keyword_is_suggested_that_the_parser_happened_to_look_for(text):
    assert told(text).message.startswith("not expected here, ")
