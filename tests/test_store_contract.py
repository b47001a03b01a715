"""The contract of whatever answers queries, kept by the embedded engine and by a remote endpoint: our own server."""

import io
import json
import socket
import threading
from contextlib import contextmanager

import pytest

from conftest import TESTS, copy_publication
from running import serving, twingraph
from twingraph.errors import EndpointError, QueryError
from twingraph.rdf.formats import CSV, GRAPHS, JSON, N_TRIPLES, RESULTS, TSV, TURTLE, by_name
from twingraph.release.archive import Archive
from twingraph.sparql.query import read_query
from twingraph.store.embedded import EmbeddedStore
from twingraph.store.remote import RemoteEndpoint


@pytest.fixture(scope="module")
def publication(tmp_path_factory):
    copy = copy_publication(TESTS / "tiny", tmp_path_factory.mktemp("contract") / "tiny")
    copy.edit("twingraph.toml", '["en", "sv"]', '["en", "sv", "zh-Hans"]')
    copy.append("data/islands.ttl", 'island:holm rdfs:label "斯卡恩"@zh-Hans .\n')
    assert twingraph(copy.directory, "build").returncode == 0
    return copy


@pytest.fixture(scope="module")
def release(publication):
    return Archive(publication.settings.releases).current()


@pytest.fixture(scope="module")
def address(publication):
    with serving(publication.directory) as address:
        yield address


@pytest.fixture(params=["embedded", "remote"])
def engine(request, release):
    manifest = release.manifest
    if request.param == "remote":
        return RemoteEndpoint(request.getfixturevalue("address") + "/sparql", manifest.prefixes, 20)
    tags = manifest.language_tags
    store = EmbeddedStore(manifest.base_iri, manifest.prefixes, manifest.default_graph, language_tags=tags)
    store.load(release.directory, manifest.quads)
    return store


@pytest.fixture
def ask(engine, release):
    manifest = release.manifest

    def ask(text, format_=JSON, **options):
        output = io.BytesIO()
        engine.query(read_query(text, manifest.prefixes, manifest.base_iri, **options), format_, output)
        return output.getvalue()

    return ask


@pytest.mark.parametrize("name", [one.name for one in RESULTS])
def test_solutions_come_in_each_format(ask, name):
    assert "斯卡恩" in ask("SELECT ?name { island:holm rdfs:label ?name }", by_name(name, RESULTS)).decode()


@pytest.mark.parametrize("name", [one.name for one in GRAPHS])
def test_a_graph_comes_in_each_format(ask, name):
    body = ask("CONSTRUCT WHERE { island:holm rdfs:label ?name }", by_name(name, GRAPHS)).decode()
    assert "Holm" in body
    assert "zh-Hans" in body


@pytest.mark.parametrize("order", ["?o ?s ?none ?p", "?p ?o ?s"])
def test_columns_stand_in_the_order_of_the_query(ask, order):
    head = ask(f"SELECT {order} {{ ?s ?p ?o }} LIMIT 1", CSV).split(b"\r\n")[0].split(b"\n")[0].decode()
    assert head == order.replace("?", "").replace(" ", ",")


def test_columns_of_a_star_stand_in_the_order_in_which_the_query_names_them(ask):
    heads = {ask("SELECT * { ?zebra ?apple ?mango . ?apple ?b ?c }  LIMIT 1", TSV).split(b"\n")[0] for _ in range(5)}
    assert heads == {b"?zebra\t?apple\t?mango\t?b\t?c"}


def test_tags_are_canonical_where_they_are_tags_only(ask):
    body = ask('SELECT ?a ("@zh-hans" AS ?b) { island:holm rdfs:label ?a FILTER(LANG(?a) = "zh-hans") }', TSV)
    assert body.decode().splitlines()[1] == '"斯卡恩"@zh-Hans\t"@zh-hans"'


def test_the_function_lang_gives_tags_as_they_are_and_is_compared_without_regard_to_case(ask):
    labels = "SELECT ?l (LANG(?l) AS ?t) { island:holm rdfs:label ?l FILTER(LANG(?l) = 'zh-Hans') }"
    assert ask(labels, TSV).decode().splitlines() == ["?l\t?t", '"斯卡恩"@zh-Hans\t"zh-Hans"']


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("FILTER(<http://x.example/f>(?s))", 0),
        ("FILTER(!b:f(?s) || b:g())", 0),
        ("BIND(b:f(?o, 1) AS ?f) FILTER(!BOUND(?f))", 2),
        ("FILTER(COALESCE(b:f(?o), true))", 2),
        ("FILTER NOT EXISTS { ?x ?y ?z FILTER(b:f(?z)) }", 2),
    ],
)
def test_a_function_that_there_is_not_is_an_error_of_its_expression(ask, pattern, rows):
    text = f"PREFIX b: <http://b.example/> SELECT * {{ {{ SELECT ?s ?o {{ ?s rdfs:label ?o }} LIMIT 2 }} {pattern} }}"
    assert len(json.loads(ask(text))["results"]["bindings"]) == rows


def test_a_function_with_a_wrong_number_of_arguments_is_named(ask):
    with pytest.raises(QueryError, match=r"function <http://www\.w3\.org/2001/XMLSchema#date>"):
        ask("SELECT (<http://www.w3.org/2001/XMLSchema#date>(1, 2) AS ?d) {}")


def test_ask_is_answered(ask):
    assert json.loads(ask("ASK { island:holm ?p ?o }"))["boolean"] is True


def test_a_graph_can_be_named(ask, release):
    count = f"SELECT (COUNT(*) AS ?n) FROM <{release.manifest.base_iri}graph/islands> {{ ?s ?p ?o }}"
    assert json.loads(ask(count))["results"]["bindings"][0]["n"]["value"] == "6"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * {\n ?s nope:p ?o }", "Prefix not found"),
        ("SELECT * { ?s ?p ?o", "line 1, column 20"),
        ("SELECT * FROM <http://elsewhere.example/> { ?s ?p ?o }", "nothing is fetched"),
    ],
)
def test_a_malformed_or_refused_query_is_a_query_error(ask, text, words):
    with pytest.raises(QueryError, match=words):
        ask(text)


def test_service_is_refused(ask):
    with pytest.raises(QueryError, match="SERVICE is refused"):
        ask("ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }")


# What only a remote endpoint can do wrong: a real socket says it.


def read_request(connection: socket.socket) -> None:
    """Take the whole request: to close a connection with bytes unread resets it, and the reply may be lost."""
    with connection.makefile("rb") as stream:
        lines = iter(stream.readline, b"\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in list(lines) if line.lower().startswith(b"content-length")), 0
        )
        stream.read(length)


@contextmanager
def endpoint(reply: bytes, *, hold: bool = False):
    """Answer each request with these bytes; with ``hold``, keep the connection open and say no more."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                read_request(connection)
                connection.sendall(reply)
                if hold:
                    held.append(connection)
                else:
                    connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/sparql"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for connection in held:
        connection.close()


def head(status="200 OK", media_type="application/sparql-results+json", *more) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {media_type}", "Connection: close", *more, "", "")
    return "\r\n".join(lines).encode()


ROWS = b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://a.example/"}}]}}'


@pytest.mark.parametrize(
    ("reply", "format_", "words"),
    [
        (head("200 OK", JSON.media_type, "Content-Length: 5000") + ROWS, JSON, "short|broke off|IncompleteRead|bytes"),
        (head("200 OK", "text/html") + b"<p>Hello", JSON, "responded with text/html"),
        (head("200 OK", JSON.media_type, "X-SQL-State: S1TAT") + ROWS, JSON, "incomplete result"),
        (head("200 OK", JSON.media_type, "Answer-Cut: rows=10") + ROWS, JSON, "incomplete result"),
        (head() + ROWS[:-9], JSON, "cannot be parsed"),
        (head("200 OK", N_TRIPLES.media_type) + b"<http://a> <http://b> <http://c", N_TRIPLES, "cannot be parsed"),
        (head("200 OK", TURTLE.media_type) + b"<http://a> <http://b> ", TURTLE, "cannot be parsed"),
        (head("503 Service Unavailable", "text/plain") + b"later", JSON, "503"),
        (head("404 Not Found", "text/plain") + b"nobody", JSON, "404"),
        (head("302 Found", "text/plain", "Location: /nowhere-else") + b"", JSON, "302|redirect"),
        (b"SSH-2.0-OpenSSH_9\r\n", JSON, "SSH"),
        (b"", JSON, "127.0.0.1"),
    ],
)
def test_an_answer_that_is_none_is_an_endpoint_error(reply, format_, words):
    with endpoint(reply) as url:
        engine = RemoteEndpoint(url, {}, 5)
        text = "SELECT * { ?s ?p ?o }" if format_ is JSON else "CONSTRUCT WHERE { ?s ?p ?o }"
        with pytest.raises(EndpointError, match=words):
            engine.query(read_query(text, {}, "http://b.example/"), format_, io.BytesIO())


def test_an_endpoint_that_says_nothing_is_given_up():
    with endpoint(head() + ROWS[:20], hold=True) as url, pytest.raises(EndpointError, match=r"[Tt]ime"):
        RemoteEndpoint(url, {}, 1).query(read_query("ASK {}", {}, "http://b.example/"), JSON, io.BytesIO())
