"""The endpoint asked by Apache Jena's ``rsparql``."""

import json
import os

import pytest
from rdflib import Graph

from jena import missing, run_jena

pytestmark = pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing() or "everything is here")
PREFIXES = (
    "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX l: <https://lights.example/ontology#> "
    "PREFIX island: <https://lights.example/id/island/> "
)
SELECT = PREFIXES + "SELECT ?name WHERE { ?island a l:Island ; rdfs:label ?name } ORDER BY ?name"
CONSTRUCT = PREFIXES + "CONSTRUCT { ?s rdfs:label ?o } WHERE { ?s a l:Island ; rdfs:label ?o }"
NAMES = ["Angso", "Holm", "Ängsö"]


def rsparql(address, query, *arguments):
    return run_jena("arq.rsparql", f"--service={address}/sparql", *arguments, query)


def answered(address, query, *arguments):
    ran = rsparql(address, query, *arguments)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


@pytest.mark.parametrize("way", [(), ("--post",)], ids=["GET", "POST"])
def test_rsparql_reads_solutions(address, way):
    found = json.loads(answered(address, SELECT, "--results=JSON", *way))
    assert [row["name"]["value"] for row in found["results"]["bindings"]] == NAMES


@pytest.mark.parametrize(
    "query", [CONSTRUCT, PREFIXES + "DESCRIBE island:angso island:holm"], ids=["CONSTRUCT", "DESCRIBE"]
)
def test_rsparql_reads_a_graph(address, query):
    graph = Graph().parse(data=answered(address, query, "--results=TTL"), format="turtle")
    assert set(NAMES) <= {str(value) for value in graph.objects()}


def test_rsparql_asks_yes_or_no(address):
    assert json.loads(answered(address, "ASK { ?s ?p ?o }", "--results=JSON"))["boolean"] is True


def test_rsparql_says_that_a_query_was_refused(address):
    ran = rsparql(address, "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")
    assert ran.returncode != 0
    assert b"403" in ran.stderr
