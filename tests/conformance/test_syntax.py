"""The suites of syntax: what is a query is answered, what is none is refused with the place of the mistake."""

import pytest

from conformance.manifests import MISSING, Kind, SuiteTest, suite_tests

CASES = [pytest.param(test, id=test.id) for test in suite_tests() if test.kind is not Kind.ANSWER]


@pytest.mark.skipif(not CASES, reason=MISSING)
@pytest.mark.parametrize("test", CASES)
def test_syntax(test: SuiteTest, serve, outcome):
    outcome(test.suite, test.id, "syntax")
    headers = {"Content-Type": "application/sparql-query"}
    response = serve(test.dataset).post("/sparql", content=test.query.read_bytes(), headers=headers)
    if test.kind is Kind.POSITIVE:
        assert response.status_code == 200 or is_about_a_function(response), response.text
        return
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert problem["detail"]
    # What breaks a rule beside the grammar has no place of its own in the engine's message.
    assert ("line" in problem) == ("column" in problem)


def is_about_a_function(response) -> bool:
    """Tell whether a query was understood, and only a function that it calls does not exist here."""
    return response.status_code >= 400 and "function" in response.json()["detail"] and "line" not in response.json()


def test_the_suites_were_really_read():
    if not CASES:
        pytest.skip(MISSING)
    assert len(CASES) > 300
