"""Rows that are counted and cut, the frames of the wire, the cache, and answers within their limits over HTTP."""

import csv
import io
import json
import socket
import xml.etree.ElementTree as ET
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from conftest import copy_built
from running import client, serving_process, workers_of
from twingraph.errors import AnswerTooLargeError, MemoryLimitError, QueryError, StoreError
from twingraph.rdf.formats import by_name
from twingraph.server.query.cache import Answer, SizedCache
from twingraph.workers import ipc
from twingraph.workers.output import Output, RowLimiter

ALL = "SELECT * { ?s ?p ?o }"
# Texts that look like what stands between rows, in every format.
NASTY = (
    None,
    '},{},{"x',
    "},{}",
    "{},{},{}",
    '\\"},{},{"',
    "\\\\",
    None,
    None,
    '},{"',
    '"},{"x',
    "a\r\nb",
    '"\n"',
    "<result>",
    "</result>",
    "\\",
    '\\"},{"',
    "",
    "\n",
    "é},{",
)


def answer(format_, count):
    store = ox.Store()
    texts = [NASTY[n % len(NASTY)] for n in range(count)]
    rows = " ".join("(UNDEF UNDEF)" if text is None else f"(1 {ox.Literal(text)})" for text in texts)
    output = io.BytesIO()
    store.query(f"SELECT ?n ?t {{ VALUES (?n ?t) {{ {rows} }} }}").serialize(output, format=format_)
    return output.getvalue()


def cut(format_, name, count, most, size):
    counter, out, body = RowLimiter(by_name(name).rows, most, "/more"), b"", answer(format_, count)
    for start in range(0, len(body), size):
        passed, ended = counter.feed(body[start : start + size])
        out += passed
        if ended:
            return out, True
    passed, ended = counter.finish()
    return out + passed, ended


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
@pytest.mark.parametrize(("count", "most"), [(5, 5), (5, 6), (44, 43), (44, 1), (44, 20), (1, 1), (0, 1)])
def test_rows_are_cut_where_they_end(count, most, size):
    left = min(count, most)
    for format_, name, rows in (
        (ox.QueryResultsFormat.JSON, "json", lambda body: len(json.loads(body)["results"]["bindings"])),
        (
            ox.QueryResultsFormat.XML,
            "xml",
            lambda body: sum(one.tag.endswith("}result") for one in ET.fromstring(body).iter()),
        ),
        (ox.QueryResultsFormat.TSV, "tsv", lambda body: body.count(b"\n") - 1 - body.count(b"# cut")),
        (
            ox.QueryResultsFormat.CSV,
            "csv",
            lambda body: len(list(csv.reader(io.StringIO(body.decode(), newline="")))) - 1 - body.count(b"# cut"),
        ),
    ):
        body, ended = cut(format_, name, count, most, size)
        assert (name, rows(body), ended) == (name, left, count > most)
        if not ended:
            assert body == answer(format_, count)
        else:
            assert b"/more" in body


@pytest.mark.parametrize(
    "error",
    [QueryError("no", 1, 2), QueryError("no"), MemoryLimitError(5), AnswerTooLargeError(6), StoreError("gone")],
)
def test_errors_come_over_the_wire_as_they_were(error):
    ((kind, content),) = ipc.FrameReader().feed(ipc.pack_error(error))
    back = ipc.error(content)
    assert (kind, type(back), str(back)) == (ipc.Kind.ERROR, type(error), str(error))


def test_frames_come_whole_from_pieces_of_any_size():
    bodies = ipc.frame(ipc.Kind.BODY, b"abc") + ipc.frame(ipc.Kind.BODY, b"")
    data = bodies + ipc.pack_done(-1)
    frames = ipc.FrameReader()
    found = [one for start in range(len(data)) for one in frames.feed(data[start : start + 1])]
    assert [kind for kind, _ in found] == [ipc.Kind.BODY, ipc.Kind.BODY, ipc.Kind.DONE]
    assert ipc.done(found[-1][1]) == -1


def test_a_job_comes_over_the_wire_as_it_was():
    for job in (
        ipc.Job("SELECT \0 ?é {}", "json", "", None, None, 1, 2, 3),
        ipc.Job("", "", "turtle", (), ("http://a.example/é", "b"), 0, 1 << 40, 0),
        ipc.Job("x" * 100_000, "csv", "nquads", ("a",), None, 7, 8, 9),
    ):
        ((kind, content),) = ipc.FrameReader().feed(ipc.pack_job(job))
        assert (kind, ipc.job(content)) == (ipc.Kind.JOB, job)


@pytest.mark.parametrize(
    "head",
    [
        ipc.ResultHead("SELECT", "json"),
        ipc.ResultHead("DESCRIBE", ""),
        ipc.ResultHead("SELECT", "csv", 1 << 40, "/sparql?query=é", True),
    ],
)
def test_a_head_comes_over_the_wire_as_it_was_alone_and_with_its_answer(head):
    ((kind, content),) = ipc.FrameReader().feed(ipc.pack_head(head))
    assert (kind, ipc.head(content)) == (ipc.Kind.HEAD, head)
    ((kind, content),) = ipc.FrameReader().feed(ipc.pack_answer(head, -5, b"body"))
    assert (kind, ipc.answer(content)) == (ipc.Kind.ANSWER, (head, -5, b"body"))


@pytest.mark.parametrize("pieces", [[b"x" * 100], [b"x"] * 100])
def test_an_answer_may_have_as_many_bytes_as_its_limit_and_no_more(pieces):
    job = ipc.Job("", "csv", "", None, None, 0, 100, 1000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        output = Output(theirs, job, ipc.ResultHead("SELECT", "csv"), lambda _: None, None)
        for piece in pieces:
            output.write(piece)
        with pytest.raises(AnswerTooLargeError):
            output.write(b"x")


def test_the_cache_keeps_to_its_bytes_and_forgets_the_oldest():
    cache = SizedCache(100_000)
    for number in range(20):
        cache.put(b"%d" % number, Answer(b"x" * 10_000, [], "json"))
    assert cache.size <= 100_000
    assert cache.get(b"0", Answer) is None
    assert cache.get(b"19", Answer) is not None
    cache.put(b"large", Answer(b"x" * 90_000, [], "json"))
    assert cache.get(b"large", Answer) is None


def small(built_tiny, tmp_path_factory, name, limits):
    copy = copy_built(built_tiny, tmp_path_factory.mktemp(name) / "tiny")
    copy.append("twingraph.toml", f"\n[limits]\nworkers = 1\nreserve_workers = 0\n{limits}\n")
    return serving_process(copy.directory)


@pytest.fixture(scope="module")
def few_rows(built_tiny, tmp_path_factory):
    with (
        small(built_tiny, tmp_path_factory, "rows", "rows = 7\nquery_seconds = 1") as (address, _),
        client(address) as http,
    ):
        yield http


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_a_cut_answer_says_so_in_its_head_and_its_body(few_rows, name):
    response = few_rows.get("/sparql", params={"query": ALL, "format": name})
    assert response.status_code == 200
    assert response.headers["answer-cut"] == "rows=7"
    assert '"cut"' in response.text or "cut after 7 rows" in response.text
    assert "rows=7" in response.headers["twingraph-limits"]


def test_a_cut_answer_is_counted_as_one_that_met_a_limit(few_rows):
    for _ in range(2):  # from a worker, and from what is kept
        few_rows.get("/sparql", params={"query": f"{ALL} # counted"})
    samples = few_rows.get("/metrics").text.splitlines()
    (line,) = [line for line in samples if line.startswith('twingraph_limits_hit_total{limit="Rows"}')]
    assert float(line.rpartition(" ")[2]) >= 2


def test_a_whole_answer_does_not_say_that_it_is_cut(few_rows):
    response = few_rows.get("/sparql", params={"query": f"{ALL} LIMIT 7", "format": "json"})
    assert "answer-cut" not in response.headers
    assert len(response.json()["results"]["bindings"]) == 7
    assert "cut" not in response.json()


# By predicate alone, most rows are alike: their order is the engine's, and must be the same in every worker.
@pytest.mark.parametrize("order", ["?s ?p ?o", "?p"])
def test_the_rest_of_an_ordered_answer_is_found_by_its_links(few_rows, order):
    text = f"SELECT ?s ?p ?o {{ ?s ?p ?o }} ORDER BY {order}"
    response = few_rows.get("/sparql", params={"query": text, "format": "json"})
    rows = response.json()["results"]["bindings"]
    for _ in range(100):
        if "next" not in response.links:
            break
        response = few_rows.get(response.links["next"]["url"])
        rows += response.json()["results"]["bindings"]
    whole = few_rows.get("/sparql", params={"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"})
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == len(rows)
    assert len(rows) == int(whole.json()["results"]["bindings"][0]["n"]["value"])


def test_rows_that_bind_nothing_are_counted_too(few_rows):
    for name in ("json", "xml", "csv", "tsv"):
        response = few_rows.get("/sparql", params={"query": "SELECT ?nothing { ?s ?p ?o }", "format": name})
        assert response.headers["answer-cut"] == "rows=7", name
    assert (
        len(few_rows.get("/sparql", params={"query": "SELECT ?nothing { ?s ?p ?o }"}).json()["results"]["bindings"])
        == 7
    )


@pytest.fixture(scope="module")
def small_buffer(built_tiny, tmp_path_factory):
    limits = "rows = 5000\nbuffer_bytes = 10_000"
    with small(built_tiny, tmp_path_factory, "buffer", limits) as (address, _), client(address) as http:
        yield http


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_a_cut_answer_says_so_in_its_head_however_large_it_is(small_buffer, name):
    text = "SELECT ?a ?d { ?a ?b ?c . ?d ?e ?f } ORDER BY ?a ?d"
    response = small_buffer.get("/sparql", params={"query": text, "format": name})
    assert "content-length" not in response.headers
    assert len(response.content) > 100_000
    assert response.headers["answer-cut"] == "rows=5000"
    assert response.links["next"]["url"].startswith("/sparql?query=")
    assert '"cut"' in response.text or "cut after 5000 rows" in response.text


def test_a_large_answer_that_is_whole_does_not_say_that_it_is_cut(small_buffer):
    text = "SELECT ?a ?d { ?a ?b ?c . ?d ?e ?f } LIMIT 5000"
    response = small_buffer.get("/sparql", params={"query": text, "format": "json"})
    assert "content-length" not in response.headers
    assert "answer-cut" not in response.headers
    assert len(response.json()["results"]["bindings"]) == 5000


def test_an_answer_without_an_order_has_no_link_to_the_rest(few_rows):
    assert "link" not in few_rows.get("/sparql", params={"query": ALL, "format": "json"}).headers


def test_a_query_past_its_time_is_ended_with_the_limit_in_the_problem(few_rows):
    text = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c < ?f) }"
    response = few_rows.get("/sparql", params={"query": text})
    assert response.status_code == 503
    assert "1 seconds, the limit" in response.json()["detail"]
    assert few_rows.get("/sparql", params={"query": "ASK {}"}).status_code == 200


def test_an_answer_is_compressed_for_those_who_ask_for_it(few_rows):
    params = {"query": f"{ALL} LIMIT 6", "format": "json"}
    plain = few_rows.get("/sparql", params=params, headers={"Accept-Encoding": "identity"})
    small = few_rows.get("/sparql", params=params, headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.content == plain.content
    assert small.headers["etag"] == plain.headers["etag"]
    assert plain.headers["etag"].startswith("W/")
    again = few_rows.get("/sparql", params=params, headers={"If-None-Match": small.headers["etag"]})
    assert again.status_code == 304


@pytest.fixture(scope="module")
def few_bytes(built_tiny, tmp_path_factory):
    limits = "answer_bytes = 5000\nmemory_bytes = 60_000_000"
    with small(built_tiny, tmp_path_factory, "bytes", limits) as (address, process), client(address) as http:
        yield http, process.pid


def test_an_answer_with_too_many_bytes_is_refused_with_the_limit(few_bytes):
    response = few_bytes[0].get("/sparql", params={"query": ALL})
    assert response.status_code == 413
    assert "5000 bytes" in response.json()["detail"]


def test_a_query_that_takes_too_much_memory_is_ended_with_the_limit(few_bytes):
    response = few_bytes[0].get(
        "/sparql", params={"query": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f"}
    )
    assert response.status_code == 503
    assert "60000000 bytes of memory" in response.json()["detail"]


def test_a_worker_has_no_way_to_the_network(few_bytes):
    http, server = few_bytes
    assert http.get("/sparql", params={"query": "ASK {}"}).status_code == 200
    (pid,) = workers_of(server)
    threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    assert threads
    assert all("Seccomp:\t2\n" in status for status in threads)


def test_a_large_answer_that_goes_over_a_limit_is_broken_off(built_tiny, tmp_path_factory):
    limits = "answer_bytes = 300_000\nbuffer_bytes = 100_000\nrows = 0"
    with small(built_tiny, tmp_path_factory, "broken", limits) as (address, _), client(address) as http:
        for _ in range(5):
            with pytest.raises(httpx.RemoteProtocolError):
                http.get("/sparql", params={"query": "SELECT * { ?a ?b ?c . ?d ?e ?f }", "format": "csv"})
            after = http.get("/sparql", params={"query": "ASK {}"})
            assert after.status_code == 200, after.text


def test_a_large_answer_does_not_keep_the_worker_from_the_next_one(built_tiny, tmp_path_factory):
    with (
        small(built_tiny, tmp_path_factory, "held", "buffer_bytes = 1000\ncache_bytes = 0") as (address, _),
        client(address) as http,
    ):
        for rows in range(20, 60):
            body = http.get("/sparql", params={"query": f"{ALL} LIMIT {rows}", "format": "json"}).json()
            assert len(body["results"]["bindings"]) == rows
