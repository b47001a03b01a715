"""Saved queries: headers, parameters and what they become."""

import pyoxigraph as ox
import pytest

from twingraph.errors import ParameterError, QueryError
from twingraph.publication.saved_queries import parse_saved_query
from twingraph.rdf.iris import Iris

IRIS = Iris("https://kg.test/", {"ex": "https://kg.test/id/ex/"})
HEADER = """#+ title: What burned
#+ description: >
#+   Lamps by year.
#+ parameters:
#+   year: {type: xsd:integer, default: 1887, description: the year}
#+   day: {type: date, default: 1887-01-01}
#+   lamp: {type: iri, description: the lamp}
#+ tags: [lamps]
#+ rows: 2
"""
BODY = """SELECT ?s WHERE { # not $here
  ?s <urn:$neither> "nor $there" ; <urn:y> $year ; <urn:d> $day ; <urn:l> $lamp }
"""


def test_a_header_is_read():
    query = parse_saved_query("queries/burned.rq", HEADER + BODY)
    assert (query.name, query.title, query.rows, query.tags) == ("burned", "What burned", 2, ("lamps",))
    assert [parameter.default for parameter in query.parameters] == ["1887", "1887-01-01", None]


def test_parameters_become_terms_outside_strings_iris_and_comments():
    text = parse_saved_query("q.rq", HEADER + BODY).bind({"lamp": "ex:a", "year": "1921"}, IRIS)
    assert '"1921"^^<http://www.w3.org/2001/XMLSchema#integer>' in text
    assert "<https://kg.test/id/ex/a>" in text
    assert all(kept in text for kept in ("not $here", "<urn:$neither>", '"nor $there"'))
    ox.Store().query(text)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "needs a value"),
        ({"lamp": "ex:a", "yaer": "1"}, "unknown"),
        ({"lamp": "ex:a", "year": "soon"}, "not of type integer"),
        ({"lamp": "no iri"}, "not of type iri"),
        ({"lamp": "ex:a", "day": "1887-13-01"}, "not of type date"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values, reason):
    with pytest.raises(ParameterError, match=reason):
        parse_saved_query("q.rq", HEADER + BODY).bind(values, IRIS)


def test_a_string_value_cannot_break_out_of_its_term():
    query = parse_saved_query(
        "q.rq", "#+ title: t\n#+ description: d\n#+ parameters: {x: {type: string}}\nASK { ?s ?p $x }"
    )
    text = query.bind({"x": '" } ; DROP ALL # \\ \n'}, IRIS)
    assert ox.Store().query(text) is not None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT * {}", 1),
        ("#+ title: [\nSELECT * {}", 1),
        ("#+ title: t\n#+ description: d\n#+ tittle: x\nSELECT * {}", 1),
        ("#+ title: t\n#+ description: d\n\nSELECT * { ?s ?p $x }", 4),
        ("#+ title: t\n#+ description: d\n#+ parameters: {x: {type: colour}}\nASK { ?s ?p $x }", 1),
        ("#+ title: t\n#+ description: d\n#+ parameters: {x: {type: iri}}\nASK { ?s ?p ?x }", 1),
    ],
)
def test_a_bad_header_is_refused_with_its_line(text, line):
    with pytest.raises(QueryError) as caught:
        parse_saved_query("queries/q.rq", text)
    assert caught.value.line == line
    assert "queries/q.rq" in str(caught.value)
