"""The OpenAPI document is that of the server: it names every route, and what comes back is what it says."""

import os
import re
import subprocess
import sys

import pytest

from conftest import TESTS
from running import ENVIRONMENT, client

# What a client may be sure of: no fault of the server, and no status or media type that is not in the document.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
PATHS = {
    *("/", "/style.css", "/sparql", "/queries", "/queries/{name}", "/graph-store", "/graph/{path}", "/openapi.json"),
    *("/catalog", "/catalog.{extension}", "/prefixes", "/prefixes.{extension}", "/shapes", "/shapes.{extension}"),
    *("/release/{id}/{path}", "/dumps/{path}", "/sitemap.xml", "/sitemap/{number}.xml", "/robots.txt"),
    "/.well-known/api-catalog",
    *("/.well-known/void", "/healthz", "/readyz", "/metrics", "/context.jsonld", "/{path}"),
}


@pytest.fixture(scope="module")
def document(address):
    with client(address) as http:
        return http.get("/openapi.json").json()


def test_every_route_is_in_the_document(document):
    assert set(document["paths"]) == PATHS


def test_every_route_of_the_document_is_there(address, document):
    with client(address) as http:
        for path in document["paths"]:
            asked = http.get(
                re.sub(r"\{name\}", "lights", path).replace("{path}", "islands").replace("{extension}", "ttl")
            )
            assert asked.status_code in (200, 400, 404), path
            responses = document["paths"][path]["get"]["responses"]
            assert asked.headers["content-type"].split(";")[0] in responses[str(asked.status_code)]["content"], path


@pytest.mark.parametrize("path", ["/sparql", "/queries/{name}"])
def test_a_query_may_be_answered_in_every_format(document, path):
    content = document["paths"][path]["get"]["responses"]["200"]["content"]
    assert {"text/csv", "text/turtle", "application/sparql-results+json", "application/ld+json", "text/html"} <= set(
        content
    )


def test_a_query_may_be_sent_in_both_ways_of_the_protocol(document):
    body = document["paths"]["/sparql"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/sparql-query", "application/x-www-form-urlencoded"}


def test_every_failure_is_a_problem_document(document):
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                assert ("application/problem+json" in answer.get("content", {})) is (int(status) >= 400)


def test_schemathesis_finds_no_fault(address, tmp_path):
    """Examples, edge cases and random requests made from the document, the same each time."""
    command = [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--no-color", "run"]  # noqa: PTH118, PTH120
    options = ["--generation-deterministic", "--max-examples=40", "--phases=examples,coverage,fuzzing", "--no-shrink"]
    settings = [f"--checks={CHECKS}", "--request-timeout=20", "--warnings=off", "--continue-on-failure"]
    environment = {**ENVIRONMENT, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(TESTS)}
    ran = subprocess.run(
        [*command, *options, *settings, f"{address}/openapi.json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
        env=environment,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
