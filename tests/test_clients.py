"""The endpoint as clients of other makers see it, each asked for real: what they say is the transcript that is held."""

import io
import json
import os
import subprocess

import pandas
import pyoxigraph as ox
import pytest
from rdflib import RDFS, Graph, Literal, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, POST, RDFXML, TURTLE, XML, SPARQLWrapper

from conftest import TESTS, copy_publication
from node import run_script
from running import ENVIRONMENT, client, serving, twingraph

BASE = "https://lights.example/"
LABELS = f"""PREFIX rdfs: <{RDFS}>
SELECT ?name ?island WHERE {{ ?island a <{BASE}ontology#Island> ; rdfs:label ?name }} ORDER BY ?name"""
TRANSCRIPT = """name,island
Angso,https://lights.example/id/island/angso
Holm,https://lights.example/id/island/holm
Ängsö,https://lights.example/id/island/angso
斯卡恩,https://lights.example/id/island/holm
"""
ISLANDS = f"CONSTRUCT {{ ?s <{RDFS.label}> ?o }} WHERE {{ ?s a <{BASE}ontology#Island> ; <{RDFS.label}> ?o }}"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    copy = copy_publication(TESTS / "tiny", tmp_path_factory.mktemp("clients") / "tiny")
    copy.edit("twingraph.toml", '["en", "sv"]', '["en", "sv", "zh-Hans"]')
    copy.append("data/islands.ttl", 'island:holm rdfs:label "斯卡恩"@zh-Hans .\n')
    built = twingraph(copy.directory, "build")
    assert built.returncode == 0, built.stdout + built.stderr
    with serving(copy.directory) as address:
        yield address


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy may stand between a client and the server."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("method", ["GET", POST])
def test_sparqlwrapper_reads_solutions(address, method):
    wrapper = SPARQLWrapper(f"{address}/sparql")
    wrapper.setMethod(method)
    wrapper.setQuery(LABELS)
    wrapper.setReturnFormat(JSON)
    rows = wrapper.queryAndConvert()["results"]["bindings"]
    assert [(row["name"]["value"], row["name"]["xml:lang"]) for row in rows] == [
        ("Angso", "en"),
        ("Holm", "en"),
        ("Ängsö", "sv"),
        ("斯卡恩", "zh-Hans"),
    ]
    wrapper.setReturnFormat(CSV)
    assert wrapper.queryAndConvert().decode().replace("\r\n", "\n") == TRANSCRIPT
    wrapper.setReturnFormat(XML)
    found = wrapper.queryAndConvert().getElementsByTagName("literal")
    assert [one.getAttribute("xml:lang") for one in found] == ["en", "en", "sv", "zh-Hans"]


# SPARQLWrapper reads RDF/XML into what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("format_", [TURTLE, RDFXML])
def test_sparqlwrapper_reads_a_graph(address, format_):
    wrapper = SPARQLWrapper(f"{address}/sparql")
    wrapper.setQuery(ISLANDS)
    wrapper.setReturnFormat(format_)
    answer = wrapper.queryAndConvert()
    graph = answer if isinstance(answer, Graph) else Graph().parse(data=answer, format="turtle")
    assert (URIRef(f"{BASE}id/island/holm"), RDFS.label, Literal("斯卡恩", lang="zh-Hans")) in graph
    assert len(graph) == 4


@pytest.mark.parametrize("wanted", ["xml", "json", "csv", "tsv"])
@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflibs_store_asks_in_each_format_and_by_each_method(address, wanted, method):
    graph = Graph(SPARQLStore(f"{address}/sparql", returnFormat=wanted, method=method))
    rows = list(graph.query(LABELS))
    assert [str(row.name) for row in rows] == ["Angso", "Holm", "Ängsö", "斯卡恩"]
    assert str(rows[1].island) == f"{BASE}id/island/holm"


def test_rdflibs_store_is_used_like_a_graph(address):
    holm = URIRef(f"{BASE}id/island/holm")
    graph = Graph(SPARQLStore(f"{address}/sparql"))
    assert set(graph.objects(holm, RDFS.label)) == {Literal("Holm", lang="en"), Literal("斯卡恩", lang="zh-Hans")}
    islands = Graph(SPARQLStore(f"{address}/sparql"), identifier=URIRef(f"{BASE}graph/islands"))
    assert len(islands) == 6


def test_curl_asks_by_get_by_form_and_directly(address):
    ways = (
        ["--get", "--data-urlencode", f"query={LABELS}"],
        ["--data-urlencode", f"query={LABELS}"],
        ["-H", "Content-Type: application/sparql-query", "--data-binary", LABELS],
    )
    for way in ways:
        command = ["curl", "-sS", "-H", "Accept: text/csv", *way, f"{address}/sparql"]
        answer = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT).stdout
        assert answer.decode().replace("\r\n", "\n") == TRANSCRIPT


def test_curl_says_what_is_wrong_and_fails(address):
    command = ["curl", "-sS", "--fail-with-body", "--data-urlencode", "query=SELECT * {", f"{address}/sparql"]
    asked = subprocess.run(command, capture_output=True, check=False, env=ENVIRONMENT)
    assert asked.returncode == 22
    assert json.loads(asked.stdout)["line"] == 1


def test_pandas_reads_csv_from_the_address(address):
    with client(address) as http:
        url = str(http.build_request("GET", "/sparql", params={"query": LABELS, "format": "csv"}).url)
    frame = pandas.read_csv(url)
    assert list(frame.columns) == ["name", "island"]
    assert frame.to_csv(index=False) == TRANSCRIPT


def test_pandas_reads_json(address):
    with client(address) as http:
        rows = http.get("/sparql", params={"query": LABELS}).json()["results"]["bindings"]
    assert list(pandas.json_normalize(rows)["name.value"]) == ["Angso", "Holm", "Ängsö", "斯卡恩"]


def comunica(address: str, query: str, media_type: str) -> bytes:
    """Ask through Comunica."""
    asked = run_script("comunica.mjs", f"{address}/sparql", query, media_type)
    assert asked.returncode == 0, asked.stderr.decode()
    return asked.stdout


def test_comunica_reads_the_service_description_and_solutions(address):
    answer = comunica(address, LABELS, "application/sparql-results+json")
    rows = json.loads(answer)["results"]["bindings"]
    assert [row["name"]["value"] for row in rows] == ["Angso", "Holm", "Ängsö", "斯卡恩"]


def test_comunica_reads_a_graph(address):
    answer = comunica(address, ISLANDS, "application/n-triples")
    assert len(list(ox.parse(io.BytesIO(answer), format=ox.RdfFormat.N_TRIPLES))) == 4
    # Its own parser lower-cases tags.
    assert '"斯卡恩"@zh-hans' in answer.decode().lower()


def test_comunica_finds_the_named_graphs(address):
    query = "SELECT (COUNT(DISTINCT ?g) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }"
    rows = json.loads(comunica(address, query, "application/sparql-results+json"))["results"]["bindings"]
    assert int(rows[0]["n"]["value"]) > 3


def test_comunica_asks_yes_or_no(address):
    assert comunica(address, "ASK { ?s ?p ?o }", "simple").strip() == b"true"
