"""Everything that is read from a stranger, at its bound and ten times over it, in twenty shapes, beside another client.

CI sends every shape to every input, elsewhere a seeded choice of them is sent to each.
Each answer is of a plain status, none is waited for in vain, and the other client, which asks look-ups from a process
of its own all the while, does not notice: its waiting is compared with that without an attack, in the same run.
"""

import importlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from time import perf_counter
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from conftest import REPOSITORY
from running import serving_process, wait_for, workers_of
from twingraph.settings import Limits

LIMITS = Limits()
# What a request may have at most (bytes, and fields of its head).
BODY = LIMITS.query_bytes
TARGET = getattr(LIMITS, "target_bytes", 16_384)
HEADER = getattr(LIMITS, "header_bytes", 16_384)
FIELDS = getattr(LIMITS, "header_fields", 100)
OVER = 10
# How often longer than undisturbed the other client may wait: for 95 of 100 look-ups, and for the worst.
# The suite runs in several processes, which share the processors with both; the faults that this is for took a
# thousand times as long and more.
P95, WORST = 400, 2000
# Seconds after which an answer counts as not given: the longest that any limit allows.
PATIENCE = LIMITS.query_seconds + LIMITS.queue_seconds
AT_ONCE = 2
TRIES = 3
ALL = bool(os.environ.get("CI"))
CHOSEN = 5
# Seconds of the other client's look-ups that are looked at, at the least.
WATCHED = 1.0 if ALL else 0.3
AROUND = 300

SHAPES = {
    "quotes": '"',
    "apostrophes": "'",
    "escapes": '"\\',
    "commas": ",",
    "braces": "{",
    "brackets": "[",
    "parentheses": "(",
    "angle brackets": "<",
    "digits": "1",
    "percent signs": "%",
    "encoded braces": "%7B",
    "encoded nulls": "%00",
    "repeated names": "query=1&",
    "semicolons": ";",
    "weights": ";q=0.1",
    "media ranges": "a/b,*/*;q=0.2,",
    "spaces": "a ",
    "stars": "*",
    "dots": ".",
    "unicode": "斯ö",
    "control characters": "\x01",
    "comments": "#\\u007B",
}


def filled(shape: str, size: int) -> str:
    """Return a text of so many bytes, made of a shape."""
    data = (shape * (size // len(shape) + 1)).encode()[:size]
    return data.decode("utf-8", "ignore")


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join((line, *fields, "Connection: close", "", "")).encode()


def get(target: str, *fields: str) -> bytes:
    return head(f"GET {target} HTTP/1.1", "Host: 127.0.0.1", *fields)


def post(body: bytes, media_type: str) -> bytes:
    fields = ("Host: 127.0.0.1", f"Content-Type: {media_type}", f"Content-Length: {len(body)}")
    return head("POST /sparql HTTP/1.1", *fields) + body


def form(body: str) -> bytes:
    return post(body.encode(), "application/x-www-form-urlencoded")


def direct(query: str) -> bytes:
    return post(query.encode(), "application/sparql-query")


def encoded(shape: str, size: int) -> str:
    """Return the same with the shape percent-encoded."""
    return filled(quote(shape, safe=""), size)


def of_target(path: str):
    return lambda shape, times: get(path + encoded(shape, TARGET * times - len(path)))


def of_query(before: str, after: str):
    return lambda shape, times: direct(f"{before}{filled(shape, BODY * times - AROUND)}{after}")


def many_fields(shape: str, times: int) -> bytes:
    value = filled(shape, 6)
    return get("/healthz", *(f"X-{number}: {value}" for number in range(FIELDS * times - 5)))


def of_header(name: str, path: str = "/queries"):
    return lambda shape, times: get(path, f"{name}: {filled(shape, HEADER * times - AROUND)}")


# What is read from a stranger -> a request of a shape, so many times the bound.
INPUTS = {
    "request line": lambda shape, times: head(f"GET /{filled(shape, TARGET * times - 20)} HTTP/1.1", "Host: x"),
    "path": of_target("/graph/"),
    "name of a saved query": of_target("/queries/"),
    "number of headers": many_fields,
    "a header": of_header("X-Other", "/healthz"),
    "Host": lambda shape, times: head(
        "GET /.well-known/void HTTP/1.1", f"Host: {filled(shape, HEADER * times - AROUND)}"
    ),
    "Accept": of_header("Accept"),
    "Accept of a query": of_header("Accept", "/sparql?query=ASK%7B%7D"),
    "Accept-Language": of_header("Accept-Language", "/"),
    "Accept-Encoding": of_header("Accept-Encoding", f"/sparql?query={quote('SELECT * { ?s ?p ?o }')}"),
    "If-None-Match": of_header("If-None-Match", "/sparql?query=ASK%7B%7D"),
    "Content-Type": lambda shape, times: post(b"ASK {}", filled(shape, HEADER * times - AROUND)),
    "body": lambda shape, times: direct(filled(shape, BODY * times)),
    "fields of a form": lambda shape, times: form(filled(f"{quote_plus(shape)}=1&default-graph-uri=x&", BODY * times)),
    "an encoded field": lambda shape, times: form(f"query={encoded(shape, BODY * times - AROUND)}"),
    "before a query": of_query("", " SELECT * { ?s ?p ?o }"),
    "within a query": of_query("SELECT * { ", " }"),
    "a text in a query": of_query('ASK { FILTER("', '" = 1) }'),
    "default-graph-uri": of_target("/sparql?query=ASK%7B%7D&default-graph-uri="),
    "a saved query's parameter": of_target("/queries/lit-on?day="),
    "format": of_target("/sparql?query=ASK%7B%7D&format="),
}


@dataclass(frozen=True)
class Answer:
    """How a request was answered; status 0 without an answer, -1 when it was waited for in vain, or not sent then."""

    status: int
    retry: bool = False

    def is_plain(self, times: int) -> bool:
        """Tell whether this may be said of a request so many times over the bound; beyond it, nothing is answered."""
        busy = self.status == 503 and self.retry
        return busy or (400 if times > 1 else 200) <= self.status < 500


def answered(port: int, request: bytes) -> Answer:
    """Send a request, and read on while the server closes before it has read everything."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        data = b""
        try:
            connection.sendall(request)
        except TimeoutError:
            return Answer(-1)
        except ConnectionError:
            pass
        try:
            while b"\r\n\r\n" not in data and (piece := connection.recv(1 << 16)):
                data += piece
        except TimeoutError:
            return Answer(-1)
        except ConnectionError:
            pass
    found = data.partition(b"\r\n\r\n")[0].lower()
    return Answer(int(found[9:12]) if found[:9] == b"http/1.1 " else 0, b"\nretry-after:" in found)


@pytest.fixture(scope="module")
def port(publication):
    with serving_process(publication.directory) as (address, process):
        wait_for(lambda: len(workers_of(process.pid)) >= 3)
        yield urlsplit(address).port


@pytest.fixture(scope="module")
def lookups(port):
    """Another client, at work for as long as the tests of this module run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "bench"))
        with importlib.import_module("watching").Lookups(port) as lookups:
            wait_for(lambda: lookups.asked > 20)
            yield lookups


@pytest.fixture(scope="module")
def undisturbed(lookups):
    return lookups.undisturbed(2)


def shapes_for(name: str) -> list[str]:
    """Return the shapes that an input is tried with: all, or some that are the same at every run."""
    return list(SHAPES) if ALL else Random(name).sample(list(SHAPES), CHOSEN)


def test_every_shape_is_chosen_for_some_input():
    assert {shape for name in INPUTS for shape in shapes_for(name)} == set(SHAPES)


@pytest.mark.parametrize("name", INPUTS)
def test_what_a_stranger_sends_is_answered_plainly_and_others_do_not_wait(name, port, lookups, undisturbed):
    sent = [(shape, times, INPUTS[name](SHAPES[shape], times)) for shape in shapes_for(name) for times in (1, OVER)]
    hung = threading.Event()

    def send(one):
        answer = Answer(-1) if hung.is_set() else answered(port, one[2])
        if answer.status == -1:
            hung.set()
        return answer

    # Whatever else runs on the machine only adds to the waiting, so one try of these is enough.
    for _ in range(TRIES):
        begin = perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(send, sent))
        found = [
            f"{shape}, {times} times the bound: status {answer.status}"
            for (shape, times, _), answer in zip(sent, answers, strict=True)
            if not answer.is_plain(times)
        ]
        assert not found, "\n".join(found)
        # A short attack is over before many look-ups were due; those that come next had to wait for it too.
        latency = lookups.between(begin, max(perf_counter(), begin + WATCHED))
        if latency.p95 <= P95 * undisturbed.p95 and latency.worst <= WORST * undisturbed.p95:
            break
    else:
        pytest.fail(f"{latency}; undisturbed {undisturbed}")
    assert not latency.failed
