"""The endpoint asked by clients in JavaScript: fetch-sparql-endpoint and sparql-http-client."""

import json

import pytest

from node import run_script

BASE = "https://lights.example/"
PREFIXES = f"PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX l: <{BASE}ontology#>\n"
SELECT = PREFIXES + "SELECT ?name WHERE { ?island a l:Island ; rdfs:label ?name } ORDER BY ?name"
CONSTRUCT = PREFIXES + "CONSTRUCT { ?s rdfs:label ?o } WHERE { ?s a l:Island ; rdfs:label ?o }"
NAMES = [("Angso", "en"), ("Holm", "en"), ("Ängsö", "sv")]
FETCH = "fetch_endpoint.mjs"
HTTP = "http_client.mjs"
# How fetch-sparql-endpoint sends a query.
WAYS = {
    "GET": {"method": "GET"},
    "form": {"method": "POST"},
    "direct": {"method": "POST", "directPost": True},
    "short by GET": {"method": "POST", "forceGetIfUrlLengthBelow": 2000},
}


def asked(script, *arguments):
    run = run_script(script, *arguments)
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


def names(terms):
    return [(term["value"], term["language"]) for term in terms]


@pytest.mark.parametrize("way", WAYS)
def test_fetch_sparql_endpoint_reads_solutions(address, way):
    rows = asked(FETCH, f"{address}/sparql", SELECT, json.dumps(WAYS[way]))
    assert names(row["name"] for row in rows) == NAMES


def test_fetch_sparql_endpoint_reads_a_graph(address):
    triples = asked(FETCH, f"{address}/sparql", CONSTRUCT, "{}")
    assert sorted(names(triple[2] for triple in triples)) == NAMES


def test_fetch_sparql_endpoint_asks_yes_or_no(address):
    assert asked(FETCH, f"{address}/sparql", "ASK { ?s ?p ?o }", "{}") == [True]


def test_fetch_sparql_endpoint_says_what_is_wrong(address):
    """Its own parser looks at a query first, so this is one that only the endpoint refuses."""
    run = run_script(FETCH, f"{address}/sparql", "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "{}")
    assert run.returncode == 1
    assert "SERVICE is refused" in run.stderr.decode()


@pytest.mark.parametrize("operation", ["get", "postUrlencoded", "postDirect"])
def test_sparql_http_client_reads_solutions(address, operation):
    assert names(row["name"] for row in asked(HTTP, address, operation, SELECT)) == NAMES


@pytest.mark.parametrize("operation", ["get", "postUrlencoded", "postDirect"])
def test_sparql_http_client_reads_a_graph(address, operation):
    triples = asked(HTTP, address, operation, CONSTRUCT)
    assert sorted(names(triple[2] for triple in triples)) == NAMES


def test_sparql_http_client_asks_yes_or_no(address):
    assert asked(HTTP, address, "get", "ASK { ?s ?p ?o }") == [True]


def test_sparql_http_client_reads_the_graph_store(address):
    triples = asked(HTTP, address, "graph", f"{BASE}graph/islands")
    assert sorted(o["value"] for _, _, o in triples if o["termType"] == "Literal") == ["Angso", "Holm", "Ängsö"]


def test_sparql_http_client_says_what_is_wrong(address):
    run = run_script(HTTP, address, "get", "SELECT * {")
    assert run.returncode == 1
    assert "line 1, column 11" in run.stderr.decode()
