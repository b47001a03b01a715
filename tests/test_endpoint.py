"""The endpoint by the letter of its protocols, over real HTTP: queries, description, whole graphs, log and metrics."""

import json
import re

import pyoxigraph as ox
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from running import client, serving, twingraph
from twingraph.release.archive import Archive
from twingraph.release.void import DESCRIPTION
from twingraph.settings import Limits

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = Namespace("http://rdfs.org/ns/void#")
SCHEMA = Namespace("https://schema.org/")
BASE = "https://lights.example/"
ASKED = "application/sparql-query"
FORM, DIRECT = {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": ASKED}
UPDATE = "INSERT DATA { <http://a.example/> <http://a.example/> 1 }"


@pytest.fixture(scope="module")
def http(address):
    with client(address) as http:
        yield http


@pytest.mark.parametrize(
    ("method", "options", "status", "words"),
    [
        ("GET", {"params": {"update": UPDATE}}, 403, "read-only"),
        ("POST", {"data": {"update": UPDATE}}, 403, "read-only"),
        ("POST", {"data": {"update": UPDATE, "query": "ASK {}"}}, 403, "read-only"),
        ("POST", {"content": UPDATE, "headers": {"Content-Type": "application/sparql-update"}}, 403, "read-only"),
        ("POST", {"content": "query=ASK{}&query=ASK{}", "headers": FORM}, 400, "more than once"),
        ("POST", {"content": "query=ASK{}", "headers": FORM, "params": {"query": "ASK {}"}}, 400, "one query only"),
        ("POST", {"content": "query=", "headers": FORM}, 400, "no query"),
        ("POST", {"content": "", "headers": DIRECT}, 400, "no query"),
        ("POST", {"content": "query=%FF", "headers": FORM}, 400, "UTF-8"),
        ("POST", {"content": "&".join(["x=1"] * 2000), "headers": FORM}, 400, "parameters"),
        ("POST", {"content": "ASK {}", "headers": {"Content-Type": f"{ASKED}; charset=utf-16"}}, 415, "UTF-8"),
        ("POST", {"content": "ASK {", "headers": DIRECT}, 400, "line 1"),
        ("PATCH", {}, 405, "GET"),
        ("TRACE", {}, 405, "GET"),
    ],
)  # fmt: skip
def test_what_the_protocol_forbids_is_refused(http, method, options, status, words):
    response = http.request(method, "/sparql", **options)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert words in response.json()["detail"]
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "us-ascii"])
def test_a_query_may_say_that_it_is_utf_8(http, charset):
    headers = {"Content-Type": f"application/sparql-query; charset={charset}"}
    assert http.post("/sparql", content="ASK {}", headers=headers).json()["boolean"] is True


def test_graphs_of_the_address_go_with_a_direct_query(http):
    count = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    named = http.post("/sparql", content=count, headers=DIRECT, params={"named-graph-uri": f"{BASE}graph/islands"})
    assert named.json()["results"]["bindings"][0]["n"]["value"] == "5"


def description(http, path="/sparql", media_type="text/turtle"):
    response = http.get(path, headers={"Accept": media_type})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, media_type)
    return Graph().parse(data=response.content, format=media_type)


@pytest.mark.parametrize("media_type", ["text/turtle", "application/rdf+xml", "application/n-triples"])
def test_the_description_is_the_same_at_both_addresses(http, media_type):
    here, there = (set(description(http, path, media_type)) for path in ("/sparql", "/.well-known/void"))
    assert here == there
    assert len(here) > 100


def test_the_description_counts_what_the_engine_counts(http, release):
    graph = description(http)
    counts = {
        str(graph.value(node, SD.name)): graph.value(node, SD.graph) for node in graph.subjects(RDF.type, SD.NamedGraph)
    }
    assert set(counts) == set(release.manifest.graphs)
    for iri, content in counts.items():
        assert int(graph.value(content, VOID.triples)) == release.manifest.graphs[iri]
    (service,) = graph.subjects(RDF.type, SD.Service)
    whole = graph.value(service, SD.defaultDataset)
    rows = http.get(
        "/sparql", params={"query": "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?m) { ?s ?p ?o }"}
    ).json()
    numbers = rows["results"]["bindings"][0]
    assert int(graph.value(whole, VOID.triples)) == int(numbers["n"]["value"])
    assert int(graph.value(whole, VOID.distinctSubjects)) == int(numbers["m"]["value"])
    partitions = {
        str(graph.value(one, VOID["class"])): int(graph.value(one, VOID.entities))
        for one in graph.objects(whole, VOID.classPartition)
    }
    assert partitions == {iri: count.things for iri, count in release.manifest.classes.items()}
    used = {str(graph.value(one, VOID.property)) for one in graph.objects(whole, VOID.propertyPartition)}
    rows = http.get("/sparql", params={"query": "SELECT DISTINCT ?p { ?s ?p ?o }"}).json()
    assert used == {row["p"]["value"] for row in rows["results"]["bindings"]}


def test_the_description_says_features_limits_and_queries_to_run(http):
    graph = description(http)
    (service,) = graph.subjects(RDF.type, SD.Service)
    assert graph.value(service, SD.endpoint) == URIRef(str(http.base_url.join("/sparql")))
    assert SD.UnionDefaultGraph in set(graph.objects(service, SD.feature))
    limits = {str(graph.value(one, SCHEMA.name)): one for one in graph.objects(service, SCHEMA.additionalProperty)}
    assert graph.value(limits["query_seconds"], SCHEMA.value) == Literal(Limits().query_seconds)
    (query,) = set(graph.subjects(URIRef("http://www.w3.org/ns/shacl#select"), None)) & {
        URIRef(f"{BASE}queries/lights")
    }
    text = str(graph.value(query, URIRef("http://www.w3.org/ns/shacl#select")))
    assert len(http.get("/sparql", params={"query": text}).json()["results"]["bindings"]) == 3


def test_a_release_describes_itself_in_the_same_bytes_each_time(release, publication):
    before = (release.directory / DESCRIPTION).read_bytes()
    assert before.splitlines() == sorted(before.splitlines())
    assert twingraph(publication.directory, "build").returncode == 0
    assert (Archive(publication.settings.releases).current().directory / DESCRIPTION).read_bytes() == before


@pytest.mark.parametrize("path", ["/graph-store", "/graph/islands"])
def test_a_graph_is_read_whole(http, path, release):
    parameters = {"graph": f"{BASE}graph/islands"} if path == "/graph-store" else {}
    response = http.get(path, params=parameters, headers={"Accept": "application/n-triples"})
    found = list(ox.parse(response.content, format=ox.RdfFormat.N_TRIPLES))
    assert len(found) == release.manifest.graphs[f"{BASE}graph/islands"]
    again = http.get(
        path, params=parameters, headers={"Accept": "application/n-triples", "If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304
    head = http.head(path, params=parameters)
    assert (head.status_code, head.content) == (200, b"")


def test_the_default_graph_is_read_whole(http):
    body = http.get("/graph-store?default", headers={"Accept": "application/n-triples"}).content
    assert len(list(ox.parse(body, format=ox.RdfFormat.N_TRIPLES))) > 100


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/graph-store", 400),
        ("GET", "/graph-store?default&graph=http://a.example/", 400),
        ("GET", "/graph-store?graph=http://a.example/", 404),
        ("GET", "/graph/nothing", 404),
        ("PUT", "/graph-store?default", 405),
        ("POST", "/graph-store?default", 405),
        ("DELETE", "/graph/islands", 405),
        ("PATCH", "/graph-store?default", 405),
    ],
)
def test_other_requests_to_the_graph_store_are_problems(http, method, path, status):
    response = http.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert status != 405 or response.headers["allow"] == "GET, HEAD, OPTIONS"


def test_metrics_count_by_route_never_by_what_visitors_write(http, release):
    http.get("/sparql", params={"query": "ASK { <http://secret.example/> ?p ?o }"})
    http.get("/secret-path")
    text = http.get("/metrics").text
    assert "secret" not in text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    routes = {sample.labels["route"] for sample in samples if sample.name == "twingraph_requests_total"}
    assert {"/sparql", "/{path}"} <= routes
    assert ({"id": release.id}, 1.0) in [(one.labels, one.value) for one in samples if one.name == "twingraph_release"]
    assert next(one.value for one in samples if one.name == "twingraph_query_seconds_count") > 0


def test_readyz_names_the_release(http, release):
    assert http.get("/readyz").json() == {"status": "ready", "release": release.id}


@pytest.mark.parametrize("addresses", [False, True])
def test_the_log_says_what_was_asked_by_its_hash_and_who_only_when_wanted(built, addresses):
    if addresses:
        built.append("twingraph.toml", "\n[server]\nlog_addresses = true\n")
    with serving(built.directory) as address, client(address) as http:
        http.get("/sparql", params={"query": "ASK { <http://secret.example/> ?p ?o }"})
        http.get("/sparql", params={"query": "SELECT secret"})
    log = (built.directory / "server.log").read_text(encoding="utf-8")
    assert "secret" not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/sparql", 200),
        ("GET", "/sparql", 400),
    ]
    assert re.fullmatch("[0-9a-f]{16}", lines[0]["query"])
    assert lines[0]["bytes"] > 0
    assert ("address" in lines[0]) is addresses


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("text/turtle", 200, "text/turtle"),
        ("application/rdf+xml", 200, "application/rdf+xml"),
        ("application/ld+json, */*;q=0.1", 200, "application/ld+json"),
        ("*/*", 200, "text/turtle"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200, "text/html"),
        ("application/sparql-results+json", 400, "application/problem+json"),
        ("application/json", 400, "application/problem+json"),
    ],
)
def test_asked_nothing_it_describes_itself_to_those_who_read_graphs(http, accept, status, media_type):
    response = http.get("/sparql", headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (status, media_type)


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("GET", "ASK {}", 304),
        ("HEAD", "ASK {}", 304),
        ("POST", "ASK {}", 412),
        ("GET", "ASK {", 400),
        ("POST", "ASK {", 400),
    ],
)
def test_a_condition_that_asks_for_nothing_that_exists(http, method, query, status):
    where = {"data" if method == "POST" else "params": {"query": query}}
    assert http.request(method, "/sparql", headers={"If-None-Match": "*"}, **where).status_code == status


def test_gzip_is_not_sent_to_those_who_refuse_it(http):
    params = {"query": "SELECT * { ?s ?p ?o }"}
    response = http.get("/sparql", params=params, headers={"Accept-Encoding": "gzip;q=0, *;q=0.5"})
    assert "content-encoding" not in response.headers
    assert len(response.content) > 1024


@pytest.mark.parametrize("call", ["NOW()", "NOW#x\n()", "rand ( )", "STRUUID()", "UUID()"])
def test_what_is_another_answer_each_time_has_no_tag(http, call):
    first, second = (http.get("/sparql", params={"query": f"SELECT ({call} AS ?x) {{}}"}) for _ in range(2))
    assert "etag" not in first.headers
    assert first.content != second.content or "NOW" in call


@pytest.mark.parametrize("query", ["SELECT ?now { ?now a ?rand }", "SELECT ('NOW()' AS ?x) {} # UUID()"])
def test_what_only_looks_volatile_has_a_tag(http, query):
    assert "etag" in http.get("/sparql", params={"query": query}).headers


def test_an_accept_field_of_any_length_is_answered_at_once(http):
    response = http.get("/sparql", params={"query": "ASK {}"}, headers={"Accept": '"' + '"\\' * 4000})
    assert response.status_code in (200, 406)
    response = http.get("/queries", headers={"Accept": '"' + '"\\' * 10_000})
    assert response.status_code == 431


def test_a_number_of_thousands_of_digits_is_no_offset(http):
    text = "SELECT * { ?s ?p ?o } ORDER BY ?s OFFSET " + "9" * 5000
    response = http.post("/sparql", data={"query": text})
    assert response.status_code in (200, 400)
