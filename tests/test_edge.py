"""What every answer has and every address understands: CORS, HEAD, OPTIONS, 405, redirects, being alive and ready."""

import os
import shutil
import signal
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from running import client, front_of, release_served, serving, serving_process, twingraph, wait_for, workers_of
from twingraph.errors import RequestError

PATHS = (
    "/",
    "/style.css",
    "/sparql",
    "/sparql/",
    "/sparql?query=ASK%20%7B%7D",
    "/queries",
    "/queries/lights",
    "/graph-store?default",
    "/graph/islands",
    "/.well-known/void",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/context.jsonld",
)


@pytest.fixture(scope="module")
def http(address):
    with client(address) as http:
        yield http


def assert_open(response):
    """Assert that a page of another origin may read a response, and that nobody may take it for another type."""
    for name, value in {"access-control-allow-origin": "*", "x-content-type-options": "nosniff"}.items():
        assert response.headers.get_list(name) == [value]
    assert "Retry-After" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "POST"])
@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/queries/nothing", "/queries/"])
def test_every_answer_may_be_read_by_pages_of_other_origins(http, method, path):
    assert_open(http.request(method, path))


def test_a_cached_and_a_compressed_answer_may_be_read_too(http):
    for encoding in ("identity", "identity", "gzip", "gzip"):
        query = "SELECT * { ?s ?p ?o } LIMIT 100"
        response = http.get("/sparql", params={"query": query}, headers={"Accept-Encoding": encoding})
        assert_open(response)
    assert_open(http.get("/sparql", params={"query": query}, headers={"If-None-Match": response.headers["etag"]}))


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_a_body(http, path):
    get, head = (http.request(method, path, headers={"Accept-Encoding": "identity"}) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    ours = [{name: value for name, value in one.headers.items() if name != "date"} for one in (get, head)]
    if path != "/metrics":  # which has other numbers each time
        assert ours[0] == ours[1]


@pytest.mark.parametrize("path", PATHS)
def test_options_says_what_there_is(http, path):
    response = http.options(path, headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
    expected = "GET, HEAD, POST, OPTIONS" if path.startswith("/sparql") else "GET, HEAD, OPTIONS"
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == response.headers["access-control-allow-methods"] == expected
    assert response.headers["access-control-max-age"] == "86400"
    assert "If-None-Match" in response.headers["access-control-allow-headers"]


def test_a_preflight_is_counted_by_its_route(http):
    http.options("/sparql")
    counted = [line for line in http.get("/metrics").text.splitlines() if 'status="204"' in line]
    assert any('route="/sparql"' in line for line in counted)


def test_options_of_a_path_that_may_be_that_of_an_iri_says_what_is_allowed(http):
    response = http.options("/nothing")
    assert (response.status_code, response.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", PATHS)
def test_405_says_what_there_is(http, path):
    response = http.put(path)
    assert (response.status_code, response.headers["content-type"]) == (405, "application/problem+json")
    assert response.headers["allow"] == http.options(path).headers["allow"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_endpoint_may_have_a_slash_at_its_end(http, method):
    given = {"params": {"query": "ASK {}"}} if method == "GET" else {"data": {"query": "ASK {}"}}
    response = http.request(method, "/sparql/", **given)
    assert (response.status_code, response.json()["boolean"]) == (200, True)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/queries/", "/queries"),
        ("/queries/?lang=sv", "/queries?lang=sv"),
        ("/queries/lights/?format=csv", "/queries/lights?format=csv"),
        ("/queries/a%0d%0ab/", "/queries/a%0d%0ab"),
        ("/graph-store/?default", "/graph-store?default"),
    ],
)
def test_a_redirect_stays_on_this_server_whatever_the_host_header_says(http, path, location):
    response = http.get(path, headers={"Host": "elsewhere.example"})
    assert (response.status_code, response.headers["location"]) == (308, location)


@pytest.mark.parametrize("path", ["//elsewhere.example/", "/nothing/", "/%2F/"])
def test_nothing_redirects_to_elsewhere(http, path):
    response = http.get(f"{http.base_url}{path}" if path.startswith("//") else path)
    assert (response.status_code, "location" in response.headers) == (404, False)


def test_pages_are_in_no_frame(http):
    response = http.get("/", headers={"Accept": "text/html"})
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


def test_without_workers_the_server_is_alive_and_not_ready(built):
    with serving_process(built.directory) as (address, server), client(address) as http:
        release = release_served(address)
        shutil.move(built.settings.releases, built.directory / "away")
        for worker in workers_of(server.pid):
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: http.get("/readyz").status_code == 503)
        ready, health = http.get("/readyz"), http.get("/healthz")
        assert ready.headers["content-type"] == "application/problem+json"
        assert int(ready.headers["retry-after"]) > 0
        assert (health.status_code, health.json().get("release")) == (200, release), health.text
        shutil.move(built.directory / "away", built.settings.releases)
        wait_for(lambda: http.get("/readyz").status_code == 200)


def test_a_release_that_does_not_open_is_said_and_nothing_else(built):
    with next(built.settings.releases.glob("2*/quads.nq.gz")).open("ab") as dump:
        dump.write(b"damaged")
    done = twingraph(built.directory, "serve", "--port", "0")
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("twingraph: ")


def test_workers_that_do_not_open_a_release_are_said_and_nothing_else(built):
    built.append("twingraph.toml", "\n[limits]\nmemory_bytes = 1\nmemory_quads = 1\n")
    store = next(built.settings.releases.glob("2*/store"))
    shutil.rmtree(store)
    done = twingraph(built.directory, "serve", "--port", "0")
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (3, "", False), done.stderr


@pytest.mark.parametrize(("proxies", "scheme"), [('["127.0.0.0/8"]', "https"), ("[]", "http")])
def test_only_a_trusted_proxy_says_how_it_is_asked(built, proxies, scheme):
    built.append("twingraph.toml", f"\n[server]\ntrusted_proxies = {proxies}\n")
    with serving(built.directory) as address, client(address) as http:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1", "Accept": "application/n-triples"}
        assert f"<{scheme}://127.0.0.1" in http.get("/.well-known/void", headers=headers).text


def test_a_proxy_that_is_no_address_is_a_mistake_in_the_settings(tiny):
    tiny.append("twingraph.toml", '\n[server]\ntrusted_proxies = ["proxy.example"]\n')
    done = twingraph(tiny.directory, "serve", "--port", "0")
    assert (done.returncode, "trusted_proxies" in done.stderr) == (2, True)


def test_one_client_has_its_share_of_connections(built):
    built.append(
        "twingraph.toml",
        "\n[server]\ntrusted_proxies = []\n[limits]\nconnections_per_client = 1\nkeep_alive_seconds = 1\n",
    )
    with serving(built.directory) as address, client(address) as first, client(address) as second:
        assert first.get("/healthz").status_code == 200
        refused = second.get("/healthz")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert_open(refused)
        wait_for(lambda: second.get("/healthz").status_code == 200)


def test_as_many_files_may_be_open_as_the_system_allows(built):
    with serving_process(built.directory) as (_, server):
        limits = Path(f"/proc/{front_of(server.pid)}/limits").read_text().splitlines()
    soft, hard = next(line.split()[3:5] for line in limits if line.startswith("Max open files"))
    assert soft == hard or int(soft) >= 1250


def test_a_request_error_passes_through_a_context_manager():
    @contextmanager
    def passing():
        yield

    with pytest.raises(RequestError), passing():
        raise RequestError(HTTPStatus.BAD_REQUEST, "no")
