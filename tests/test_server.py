"""The server over real HTTP: the SPARQL Protocol's query operation, saved queries, and following releases."""

import json
import subprocess

import pyoxigraph as ox
import pytest
from SPARQLWrapper import JSON, POST, TURTLE, SPARQLWrapper

from running import ENVIRONMENT, client, release_served, serving, twingraph, wait_for
from twingraph import errors
from twingraph.release.archive import Archive
from twingraph.server.http.problems import STATUSES, status_of

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DIRECT = {"Content-Type": "application/sparql-query"}


@pytest.fixture
def http(address):
    with client(address) as http:
        yield http


def number(response):
    assert response.status_code == 200, response.text
    return int(response.json()["results"]["bindings"][0]["n"]["value"])


def test_get_answers_a_query(http):
    response = http.get("/sparql", params={"query": COUNT})
    assert response.headers["content-type"] == "application/sparql-results+json"
    assert number(response) > 100


def test_post_of_a_form_answers_a_query(http):
    assert number(http.post("/sparql", data={"query": COUNT})) > 100


def test_post_of_a_query_answers_it(http):
    assert number(http.post("/sparql", content=COUNT, headers=DIRECT)) > 100


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/sparql-results+json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("application/json", "application/json"),
        ("text/html", "text/html; charset=utf-8"),
    ],
)
def test_solutions_come_in_the_format_that_is_accepted(http, accept, content_type):
    response = http.get("/sparql", params={"query": COUNT}, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    assert "Accept" in response.headers["vary"]


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("turtle", "ttl"),
        ("ntriples", "nt"),
        ("jsonld", "jsonld"),
        ("rdfxml", "rdf"),
        ("trig", "trig"),
        ("nquads", "nq"),
    ],
)
def test_graphs_come_in_the_format_that_is_named(http, name, extension):
    response = http.get("/sparql", params={"query": "CONSTRUCT WHERE { ?s a l:Book }", "format": name})
    assert response.status_code == 200
    assert len(list(ox.parse(response.content, format=ox.RdfFormat.from_extension(extension)))) == 2


def test_describe_gives_a_graph(http):
    response = http.get("/sparql", params={"query": "DESCRIBE light:holm"})
    assert response.headers["content-type"] == "text/turtle; charset=utf-8"
    assert "Holm light" in response.text


def test_the_dataset_of_the_request_wins_over_that_of_the_query(http, publication):
    base = publication.settings.base_iri
    query = f"SELECT (COUNT(*) AS ?n) FROM <{base}graph/ontology> {{ ?s ?p ?o }}"
    given = {"query": query, "default-graph-uri": f"{base}graph/islands"}
    assert number(http.get("/sparql", params=given)) == 5


@pytest.mark.parametrize(
    ("method", "options", "status", "words"),
    [
        ("POST", {"data": {"format": "json"}}, 400, "there is no query"),
        ("POST", {"data": {"query": " "}}, 400, "there is no query"),
        ("GET", {"params": {"query": "SELECT * {"}}, 400, "line 1"),
        ("GET", {"params": [("query", "ASK {}"), ("query", "ASK {}")]}, 400, "more than once"),
        ("GET", {"params": {"query": "ASK { SERVICE <http://127.0.0.1/> {} }"}}, 403, "SERVICE is refused"),
        ("GET", {"params": {"query": "ASK FROM <http://elsewhere.example/> {}"}}, 400, "nothing is fetched"),
        ("GET", {"params": {"query": "INSERT DATA {}"}}, 400, "not a query"),
        ("GET", {"params": {"query": "ASK FROM <a\\uD800b> {}"}}, 400, "no graph"),
        ("GET", {"params": {"query": "ASK {}", "format": "turtel"}}, 406, "on offer are csv, html, json, jsonld"),
        ("GET", {"params": {"query": "ASK {}", "format": "turtle"}}, 406, "on offer are csv, html, json"),
        (
            "GET",
            {"params": {"query": "PREFIX x: <http://www.w3.org/2001/XMLSchema#> ASK { FILTER(x:date(1, 2)) }"}},
            400,
            "arguments",
        ),
        ("POST", {"data": {"query": "SELECT (<http://www.w3.org/2001/XMLSchema#date>() AS ?d) {}"}}, 400, "arguments"),
        ("GET", {"params": {"query": "ASK {}"}, "headers": {"Accept": "image/png"}}, 406, "on offer"),
        ("PUT", {"content": b"ASK {}"}, 405, "GET, HEAD, POST"),
        ("POST", {"content": b"query=" + b"x" * 1_100_000, "headers": FORM}, 413, "1000000 bytes"),
        ("POST", {"content": b"ASK {}", "headers": {"Content-Type": "text/plain"}}, 415, "sparql-query"),
        ("POST", {"content": b"ASK {}"}, 415, "without"),
        ("POST", {"content": b"ASK {} # \xff", "headers": DIRECT}, 400, "UTF-8"),
        ("POST", {"content": b"ASK {}", "headers": DIRECT, "params": {"query": "ASK {}"}}, 400, "one query only"),
    ],
)
def test_a_wrong_request_is_answered_with_problem_details(http, method, options, status, words):
    response = http.request(method, "/sparql", **options)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["access-control-allow-origin"] == "*"
    body = response.json()
    assert body["status"] == status
    assert words in body["detail"]


def test_the_place_of_a_mistake_is_in_the_problem_details(http):
    body = http.get("/sparql", params={"query": "SELECT *\n{ ?s ?p }"}).json()
    assert (body["line"], body["column"]) == (2, 10)


def test_405_says_which_methods_there_are(http):
    assert http.delete("/sparql").headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_a_browser_elsewhere_may_ask(http):
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    preflight = http.options("/sparql", headers=headers)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for query in (COUNT, COUNT, "SELECT *"):  # from a worker, from what is kept, and a failure
        headers = http.get("/sparql", params={"query": query}).headers
        assert headers["access-control-allow-origin"] == "*"
        assert "Answer-Cut" in headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/", "/style.css"])
def test_pages_can_be_asked_for_their_headers_only(http, path):
    response = http.head(path)
    assert (response.status_code, response.content) == (200, b"")


def test_head_has_the_headers_and_no_body(http):
    response = http.head("/sparql", params={"query": COUNT})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["etag"]


def test_an_answer_that_the_client_has_is_not_sent_again(http):
    first = http.get("/sparql", params={"query": COUNT})
    again = http.get("/sparql", params={"query": COUNT}, headers={"If-None-Match": first.headers["etag"]})
    other = http.get(
        "/sparql", params={"query": COUNT, "format": "csv"}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


def test_saved_queries_are_listed_as_json(http):
    rows = {row["name"]: row for row in http.get("/queries").json()}
    assert set(rows) == {"evidence", "lights", "lit-on"}
    assert rows["evidence"]["parameters"][0]["name"] == "thing"


def test_a_saved_query_is_answered_with_its_parameters(http):
    response = http.get("/queries/evidence", params={"thing": "light:ness"}, headers={"Accept": "text/csv"})
    assert response.status_code == 200
    assert len(response.text.splitlines()) > 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("/queries/none", 404), ("/queries/lit-on?day=never", 400), ("/queries/lights?nope=1", 400), ("/nowhere", 404)],
)
def test_a_wrong_saved_query_is_a_problem(http, path, status):
    response = http.get(path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_healthz_names_the_release_and_counts_its_quads(http, publication):
    health = http.get("/healthz").json()
    current = Archive(publication.settings.releases).current()
    assert health == {"status": "ok", "release": current.id, "quads": current.manifest.quads}


def test_sparqlwrapper_asks_by_get_and_post(address):
    wrapper = SPARQLWrapper(f"{address}/sparql")
    wrapper.setQuery(COUNT)
    wrapper.setReturnFormat(JSON)
    by_get = wrapper.queryAndConvert()
    wrapper.setMethod(POST)
    assert wrapper.queryAndConvert() == by_get


def test_sparqlwrapper_fetches_a_graph(address):
    wrapper = SPARQLWrapper(f"{address}/sparql")
    wrapper.setQuery("CONSTRUCT WHERE { ?s a l:Book }")
    wrapper.setReturnFormat(TURTLE)
    assert len(list(ox.parse(wrapper.queryAndConvert(), format=ox.RdfFormat.TURTLE))) == 2


def test_curl_asks_as_the_home_page_says(address):
    query = "query=SELECT ?class (COUNT(*) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class"
    command = ["curl", "-sS", "-H", "Accept: text/csv", "--data-urlencode", query, f"{address}/sparql"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout
    assert answer.splitlines()[0] == "class,things"


def test_twingraph_query_asks_the_endpoint(address, publication):
    asked = twingraph(publication.directory, "query", "lights", "--endpoint", f"{address}/sparql", "--format", "json")
    here = twingraph(publication.directory, "query", "lights", "--format", "json")
    assert json.loads(asked.stdout) == json.loads(here.stdout)


@pytest.mark.parametrize(
    ("query", "path", "code", "words"),
    [
        ("SELECT * {", "/sparql", 2, "line 1"),
        ("ASK {}", "/nowhere", 3, "405"),
        ("ASK {}", "/healthz", 3, "405"),
        ("ASK {}", "/", 3, "405"),
    ],
)
def test_what_an_endpoint_refuses_is_said(address, publication, query, path, code, words):
    asked = twingraph(publication.directory, "query", query, "--endpoint", address + path)
    assert (asked.returncode, words in asked.stderr, "Traceback" in asked.stderr) == (code, True, False), asked.stderr


def test_an_endpoint_that_is_not_there_is_said(publication):
    asked = twingraph(publication.directory, "query", "ASK {}", "--endpoint", "http://127.0.0.1:9/sparql")
    assert (asked.returncode, "127.0.0.1:9" in asked.stderr) == (3, True)


def test_a_new_release_is_served_without_a_restart(built):
    with serving(built.directory) as address, client(address) as http:
        old = release_served(address)
        built.append("data/islands.ttl", 'island:holm rdfs:label "Holmen"@da .\n')
        assert twingraph(built.directory, "build").returncode == 0
        new = Archive(built.settings.releases).current_id()
        assert new != old
        wait_for(lambda: release_served(address) == new)
        assert http.get("/sparql", params={"query": 'ASK { ?s rdfs:label "Holmen"@da }'}).json()["boolean"] is True


def test_a_damaged_new_release_is_not_served(built):
    archive = Archive(built.settings.releases)
    with serving(built.directory) as address:
        old = release_served(address)
        damaged = built.settings.releases / "99990101T000000Z-000000000000"
        damaged.mkdir()
        (damaged / "manifest.json").write_text("{}")
        archive.point_to(damaged.name)
        with pytest.raises(AssertionError, match="in vain"):
            wait_for(lambda: release_served(address) != old, seconds=2)
        archive.point_to(old)
        assert release_served(address) == old


def test_every_error_has_a_status():
    assert set(STATUSES) == set(_tree(errors.TwingraphError))
    assert status_of(errors.NoReleaseError("x")) == 503


def _tree(kind):
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == "twingraph.errors":
            yield from _tree(below)
