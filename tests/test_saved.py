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


def with_parameter(kind):
    header = f"#+ title: t\n#+ description: d\n#+ parameters: {{x: {{type: {kind}}}}}\n"
    return parse_saved_query("q.rq", header + "ASK { ?s ?p $x }")


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


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "20190630"),
        ("date", "2019-W26-7"),
        ("date", "2019-02-29"),
        ("integer", "1_000"),
        ("integer", "٣"),
        ("integer", " 1"),
        ("decimal", "NaN"),
        ("decimal", "1e5"),
        ("boolean", "True"),
    ],
)
def test_a_value_outside_the_lexical_space_of_its_type_is_refused(kind, value):
    query = with_parameter(kind)
    with pytest.raises(ParameterError, match=f"is not of type {kind}"):
        query.bind({"x": value}, IRIS)


@pytest.mark.parametrize(
    ("kind", "value"), [("boolean", "1"), ("boolean", "true"), ("date", "2019-06-30Z"), ("decimal", ".5")]
)
def test_a_value_in_the_lexical_space_of_its_type_is_taken(kind, value):
    query = with_parameter(kind)
    assert f'"{value}"^^' in query.bind({"x": value}, IRIS)


def test_texts_of_a_header_stay_texts_whatever_yaml_would_make_of_them():
    header = (
        "#+ title: 2020\n#+ description: yes\n#+ tags: [2019, no]\n#+ parameters: {x: {type: boolean, default: true}}\n"
    )
    query = parse_saved_query("q.rq", header + "ASK { ?s ?p $x }")
    assert (query.title, query.description, query.tags) == ("2020", "yes", ("2019", "no"))
    assert query.parameters[0].default == "true"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#+ title: [a]", "title is not a string"),
        ("#+ title:", "title is not a string"),
        ("#+ tags: lamps", "tags is not a list"),
        ("#+ parameters: {lang: {type: string}}", "parameter lang: over HTTP this name chooses the language"),
        ("#+ parameters: {format: {type: string}}", "parameter format: over HTTP this name chooses the format"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(line, reason):
    header = "\n".join(
        {"title": "#+ title: t", "description": "#+ description: d", line[3:].partition(":")[0]: line}.values()
    )
    with pytest.raises(QueryError, match=reason):
        parse_saved_query("q.rq", f"{header}\nASK {{ ?s ?p $lang, $format }}")
