"""The suites of queries and results: each test is asked in every format that its form of query has."""

import pytest

from conformance.compare import Match, compare, difference
from conformance.manifests import MISSING, Dataset, Kind, SuiteTest, suite_tests
from conformance.results import Answer, Triples, read_csv, read_expected, read_graph, read_json, read_tsv, read_xml

RESULT_FORMATS = {
    "json": ("application/sparql-results+json", read_json),
    "xml": ("application/sparql-results+xml", read_xml),
    "csv": ("text/csv", read_csv),
    "tsv": ("text/tab-separated-values", read_tsv),
}
# Our name of a format, its media type and rdflib's name.
GRAPH_FORMATS = {
    "turtle": ("text/turtle", "turtle"),
    "ntriples": ("application/n-triples", "nt"),
    "rdfxml": ("application/rdf+xml", "xml"),
    "jsonld": ("application/ld+json", "json-ld"),
}


def cases():
    for test in suite_tests():
        if test.kind is Kind.ANSWER:
            told = isinstance(read_expected(test.result, test.dataset.base), Triples)
            for format_ in GRAPH_FORMATS if told else RESULT_FORMATS:
                yield pytest.param(test, format_, id=f"{test.id}-{format_}")


CASES = list(cases())


# rdflib's own reader of JSON-LD uses what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.skipif(not CASES, reason=MISSING)
@pytest.mark.parametrize(("test", "format_"), CASES)
def test_a_query_gives_the_expected_answer(test: SuiteTest, format_: str, serve, outcome):
    outcome(test.suite, test.id, format_)
    expected = read_expected(test.result, test.dataset.base)
    answer = ask(serve(test.dataset), test, format_)
    as_text = "csv" in (format_, test.result.suffix[1:])
    match = compare(expected, answer, as_text=as_text, lax=test.lax)
    outcome.match(match)
    assert match is not Match.DIFFERENT, difference(expected, answer, as_text=as_text)


def ask(http, test: SuiteTest, format_: str) -> Answer:
    media_type, reader = (RESULT_FORMATS | GRAPH_FORMATS)[format_]
    response = send(http, test, format_, {"Accept": media_type})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].partition(";")[0] == media_type
    content = response.content
    return read_graph(content, reader, test.dataset.base) if isinstance(reader, str) else reader(content)


def send(http, test: SuiteTest, format_: str, headers):
    """Ask in each of the three ways that the protocol has, by turns of the formats."""
    if format_ in ("json", "turtle"):
        return http.get("/sparql", params={"query": test.text}, headers=headers)
    if format_ in ("xml", "ntriples"):
        return http.post("/sparql", data={"query": test.text}, headers=headers)
    content_type = {"Content-Type": "application/sparql-query; charset=utf-8"}
    return http.post("/sparql", content=test.query.read_bytes(), headers=headers | content_type)


def test_the_suites_were_really_read():
    if not CASES:
        pytest.skip(MISSING)
    assert len({case.values[0].id for case in CASES}) > 500


def test_every_dataset_of_a_test_has_a_base():
    assert all(isinstance(test.dataset, Dataset) and test.dataset.base.endswith("/") for test in suite_tests())
