"""Connections: heads that come in time and are not too large, answers that arrive, and no more than there may be."""

import asyncio
import gc
import inspect
import re
import socket
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from conftest import copy_built
from running import client, release_served, serving, serving_process, wait_for
from twingraph.errors import RequestError
from twingraph.server.http.asgi_route import REFUSAL
from twingraph.server.http.connection_limit import ConnectionLimiter
from twingraph.server.http.problems import problem
from twingraph.server.http.request_head import RequestHead
from twingraph.server.http.uvicorn_protocol import HttpConnection, configuration
from twingraph.settings import Limits, load_settings

GET = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
SLOW_GET = GET % b"/sparql?query=SELECT(COUNT(*)AS?n){?a?b?c.?d?e?f.?g?h?i.?j?k?l}"
SETTINGS = """
[limits]
rows = 50_000
request_seconds = 1
stalled_seconds = 1
"""
FEW = """
[limits]
request_seconds = 20
keep_alive_seconds = 20
connections = 6
"""


def with_settings(built_tiny, tmp_path_factory, settings):
    copy = copy_built(built_tiny, tmp_path_factory.mktemp("connections") / "tiny")
    copy.append("twingraph.toml", settings)
    return copy.directory


@pytest.fixture(scope="module")
def address(built_tiny, tmp_path_factory):
    with serving(with_settings(built_tiny, tmp_path_factory, SETTINGS)) as address:
        yield address


@pytest.fixture(scope="module")
def few(built_tiny, tmp_path_factory):
    return with_settings(built_tiny, tmp_path_factory, FEW)


def connect(address, receive_buffer=None):
    host, _, port = address.removeprefix("http://").partition(":")
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(20)
    connection.connect((host, int(port)))
    return connection


def everything(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def answer(address, *sent):
    """Return all that is answered to what is sent, in so many pieces."""
    with connect(address) as connection:
        for piece in sent:
            connection.sendall(piece)
        return everything(connection)


def statuses(answered):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answered)]


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_in_time_is_answered_by_408_and_the_end(address, sent):
    begin = time.perf_counter()
    assert statuses(answer(address, sent)) == [408]
    assert time.perf_counter() - begin > 0.8


@pytest.mark.parametrize("bit", [b"X: y\r\n", b"\r\n"])
def test_a_head_that_comes_bit_by_bit_must_be_whole_in_time_all_the_same(address, bit):
    with connect(address) as connection:
        connection.sendall(GET % b"/healthz")
        connection.recv(65536)
        connection.sendall(b"GET / HTTP/1.1\r\n" if bit != b"\r\n" else bit)
        with pytest.raises(OSError, match=r"."):  # noqa: PT012 - which of the writes fails is the system's choice
            for _ in range(100):
                connection.sendall(bit)
                time.sleep(0.1)


def test_a_kept_connection_may_rest_longer_than_a_head_may_take(address):
    with connect(address) as connection:
        for _ in range(2):
            connection.sendall(GET % b"/healthz")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            time.sleep(1.5)


def test_requests_sent_together_are_answered_in_their_order(address):
    heads = ("/healthz HTTP/1.1", "/nothing HTTP/1.1", "/readyz HTTP/1.1\r\nConnection: close")
    assert statuses(answer(address, "".join(f"GET {head}\r\nHost: a\r\n\r\n" for head in heads).encode())) == [
        200,
        404,
        200,
    ]


def test_a_thousand_requests_sent_together_are_answered(address):
    last = b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert statuses(answer(address, (GET % b"/healthz") * 999 + last)) == [200] * 999 + [404]


# Each is over a bound of a head: what comes before the spaces is the request line.
TOO_LARGE = {
    "one long header": (431, b"X: " + b"a" * 40_000 + b"\r\n"),
    "a header that does not end": (431, b"X: " + b"a" * 3_000_000),
    "a name that does not end": (431, b"a" * 3_000_000),
    "many long headers": (431, b"".join(b"X%d: %b\r\n" % (n, b"a" * 4000) for n in range(9))),
    "many headers": (431, b"X: y\r\n" * 101),
    "many headers that do not end": (431, b"X: y\r\n" * 200_000),
}


@pytest.mark.parametrize("path", [b"/healthz", b"/sparql", b"/graph-store?default", b"/nothing"])
@pytest.mark.parametrize("case", TOO_LARGE)
def test_a_head_has_bounds_on_every_route(address, path, case):
    status, fields = TOO_LARGE[case]
    answered = answer(address, b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % (path, fields))
    assert statuses(answered) == [status]
    assert b"application/problem+json" in answered
    assert b"access-control-allow-origin: *" in answered.lower()


@pytest.mark.parametrize("size", [40_000, 3_000_000])
def test_an_address_that_is_too_long_is_414(address, size):
    assert statuses(answer(address, GET % (b"/sparql?query=" + b"a" * size))) == [414]


def test_a_query_of_thirty_thousand_bytes_fits_into_an_address(address):
    with client(address) as http:
        assert http.get("/sparql", params={"query": "ASK {} #" + "x" * 30_000}).status_code == 200


def test_a_head_that_is_too_large_is_refused_after_the_answers_before_it(address):
    sent = GET % b"/healthz" + b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n"
    assert statuses(answer(address, sent)) == [200, 431]


def test_trailers_have_the_bounds_of_headers_and_are_no_headers(address):
    head = (
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n"
    )
    chunks = b"\r\n6\r\nASK {}\r\n0\r\n"
    assert statuses(answer(address, head, chunks, b"X: y\r\n" * 200)) == [431]
    assert statuses(answer(address, head, chunks, b"X: " + b"a" * 100_000)) == [431]
    answered = answer(address, head, b"Connection: close\r\n", chunks, b"Accept: text/csv\r\n\r\n")
    assert (statuses(answered), b"sparql-results+json" in answered) == ([200], True)


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\n : \r\n\r\n"],
)
def test_what_is_not_http_is_a_problem_after_the_answers_before_it(address, sent):
    answered = answer(address, GET % b"/healthz" + sent)
    assert statuses(answered) == [200, 400]
    assert answered.count(b"application/problem+json") == 1


def test_a_broken_body_is_a_problem(address):
    head = (
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n"
    )
    assert statuses(answer(address, head, b"\r\nzz\r\n")) == [400]


@pytest.mark.parametrize(
    "hosts",
    [
        b"",
        b"Host: a\r\nHost: a\r\n",
        b"Host: \r\n",
        b"Host: a%6\r\n",
        b"Host: a b\r\n",
        b"Host: a:b\r\n",
        b"Host: a:65536\r\n",
        b"Host: a/b\r\n",
        b"Host: $(ls)\r\n",
        b"Host: [::1\r\n",
        b"Host: user@a\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"/healthz", b"/.well-known/void"])
def test_a_request_names_one_host(address, path, hosts):
    assert statuses(answer(address, b"GET %b HTTP/1.1\r\n%b\r\n" % (path, hosts))) == [400]


@pytest.mark.parametrize("host", [b"a", b"a:", b"a.example:8080", b"[::1]:80", b"data_1.internal", b"127.0.0.1"])
def test_a_host_may_have_a_port(address, host):
    head = b"GET /.well-known/void HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
    assert statuses(answer(address, head % host)) == [200]


def test_options_may_be_asked_of_the_whole_server(address):
    assert statuses(answer(address, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) == [204]


def test_http_1_0_needs_no_host(address):
    assert answer(address, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def post(size, *headers, path=b"/sparql"):
    lines = (b"POST %b HTTP/1.1" % path, b"Host: a", b"Content-Length: %d" % size, *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"


DIRECT = b"Content-Type: application/sparql-query"


@pytest.mark.parametrize("path", [b"/sparql", b"/healthz", b"/graph-store?default", b"/nothing"])
def test_a_body_that_is_too_large_is_answered_to_those_who_read_after_they_have_written(address, path):
    answered = answer(address, post(20_000_000, DIRECT, path=path), b"x" * 20_000_000)
    assert statuses(answered) in ([413], [405], [404])
    assert b"connection: close" in answered


def test_a_body_that_nobody_reads_does_not_hold_a_connection(address):
    with connect(address) as connection:
        connection.sendall(post(10**9, path=b"/healthz"))
        assert statuses(connection.recv(65536)) == [405]
        with pytest.raises(OSError, match=r"."):  # noqa: PT012 - which of the writes fails is the system's choice
            for _ in range(100):
                connection.sendall(b"x")
                time.sleep(0.1)


def test_a_client_that_expects_to_be_told_to_go_on_is(address):
    with connect(address) as connection:
        connection.sendall(post(6, DIRECT, b"Expect: 100-continue", b"Connection: close"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ASK {}")
        assert statuses(everything(connection)) == [200]


def test_a_client_that_expects_to_be_told_to_go_on_is_refused_before_it_sends_its_body(address):
    answered = answer(address, post(6, b"Content-Type: text/plain", b"Expect: 100-continue"))
    assert statuses(answered) == [415]
    assert b"connection: close" in answered


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_body_is_read_when_its_request_offers_another_protocol(address, pieces):
    head = post(6, DIRECT, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA")
    last = b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    sent = [head + b"ASK {}" + last] if pieces == 1 else [head, b"ASK {}" + last]
    answered = answer(address, *sent)
    assert (statuses(answered), b'"boolean":true' in answered.replace(b" ", b"")) == ([200, 404], True)


def test_no_websocket_is_opened(address):
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    keys = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    assert statuses(answer(address, head + keys + b"GET /nothing HTTP/1.0\r\n\r\n")) == [200, 404]


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(address):
    query = b"/sparql?format=csv&query=SELECT*%7B?a?b?c.?d?e?f.?g?h?i%7D"
    with connect(address, receive_buffer=4096) as connection:
        connection.sendall(GET % query)
        wait_for(lambda: running(address) == 1)
        wait_for(lambda: running(address) == 0)


def running(address):
    with client(address) as http:
        return int(float(re.search(r"^twingraph_queries_running (\S+)", http.get("/metrics").text, re.MULTILINE)[1]))


def test_a_client_that_hangs_up_ends_its_query_whatever_waits_behind_it(address):
    with connect(address) as connection:
        connection.sendall(SLOW_GET + GET % b"/healthz")
        wait_for(lambda: running(address) == 1)
    wait_for(lambda: running(address) == 0, seconds=10)


@contextmanager
def connections(address, count, sent=b""):
    opened = [connect(address) for _ in range(count)]
    try:
        for connection in opened:
            connection.sendall(sent)
        yield opened
    finally:
        for connection in opened:
            connection.close()


def test_connections_that_wait_for_a_request_give_way(few):
    with serving(few) as address, connections(address, 5) as idle, connections(address, 1, SLOW_GET) as busy:
        wait_for(lambda: running_beside(address) == 1)
        assert idle[0].recv(1) == b""
        busy[0].settimeout(0.1)
        with pytest.raises(TimeoutError):
            busy[0].recv(1)


def running_beside(address):
    """Return how many queries run, over a connection that is closed at once."""
    answered = answer(address, b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").decode()
    found = re.search(r"^twingraph_queries_running (\S+)", answered, re.MULTILINE)
    return int(float(found[1])) if found else None


def test_one_connection_too_many_is_told_to_come_back(few):
    with serving(few) as address, connections(address, 6, SLOW_GET):
        answered = b""
        while statuses(answered) != [503]:
            answered = answer(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"retry-after: 5" in answered
        assert b"application/problem+json" in answered


def test_a_server_that_is_stopped_waits_for_no_head(few):
    with serving_process(few) as (address, server), connections(address, 2, b"GET / HTTP/1.1\r\nHost: a\r\n") as held:
        assert release_served(address)
        server.terminate()
        server.wait(10)  # of the 20 seconds that a head may take there
        assert held[0].recv(1) == b""


class Held:
    """A connection, of which is to be known whether it gave way."""

    has_given_way = False

    def give_way(self):
        self.has_given_way = True


def test_who_has_waited_longest_gives_way():
    admission, held = ConnectionLimiter(3, 3), [Held() for _ in range(4)]
    assert all(admission.enter(one, "192.0.2.1") for one in held[:3])
    admission.work(held[0])
    admission.rest(held[0])
    assert admission.enter(held[3], "192.0.2.2")
    assert [one.has_given_way for one in held] == [False, True, False, False]
    assert admission.enter(Held(), "192.0.2.2")
    assert [one.has_given_way for one in held] == [False, True, True, False]


def test_nobody_gives_way_who_is_being_answered():
    admission, held = ConnectionLimiter(2, 2), [Held() for _ in range(3)]
    for one in held[:2]:
        assert admission.enter(one, "192.0.2.1")
        admission.work(one)
    assert not admission.enter(held[2], "192.0.2.2")
    admission.leave(held[0])
    assert admission.enter(held[2], "192.0.2.2")


@pytest.mark.parametrize(
    ("addresses", "entered"),
    [
        (["192.0.2.1"] * 3 + ["192.0.2.2"], [True, True, False, True]),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:1::1"], [True, True, False, True]),
        (["::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"], [True, True, False, False]),
        (["10.1.2.3"] * 4, [True] * 4),
        ([""] * 4, [True] * 4),
    ],
)
def test_one_client_has_its_share_and_a_proxy_those_of_all(addresses, entered):
    admission = ConnectionLimiter(100, 2, ["10.0.0.0/8"])
    assert [admission.enter(Held(), one) for one in addresses] == entered


def test_few_are_told_that_they_may_not_stay():
    admission, held = ConnectionLimiter(1, 1), [Held() for _ in range(200)]
    told = [one for one in held if admission.turn_away(one)]
    assert 0 < len(told) < 200
    admission.leave(told[0])
    assert admission.turn_away(held[-1])


def test_the_bounds_of_a_head_are_inclusive():
    head = RequestHead(Limits(target_bytes=10, header_bytes=20, header_fields=2))
    head.count_target(10)
    fields = [(b"host", b"a"), (b"x", b"123456")]
    head.count(fields)
    head.complete(fields, "1.1")
    assert head.is_complete
    for more in (lambda: head.count_target(1), lambda: head.count_trailer(b"", b"")):
        with pytest.raises(RequestError):
            more()
    for others in ([*fields, (b"", b"")], [(b"host", b"a"), (b"x", b"1234567")]):
        head.begin()
        with pytest.raises(RequestError):
            head.count(others)
        with pytest.raises(RequestError):
            head.complete(others, "1.1")
    head.begin()
    head.count_target(10)


def test_what_is_used_of_the_http_server_is_still_there():
    """`HttpConnection` builds on parts of uvicorn that it does not promise to keep."""
    cycle = inspect.signature(RequestResponseCycle).parameters
    assert set(cycle) == {
        *("scope", "transport", "flow", "logger", "access_logger", "access_log", "default_headers", "message_event"),
        *("expect_100_continue", "keep_alive", "on_response"),
    }
    used = "_start_asgi_task _unset_keepalive_if_required on_message_begin on_message_complete on_response_complete"
    assert all(callable(getattr(HttpToolsProtocol, name)) for name in used.split())
    source = inspect.getsource(RequestResponseCycle.send)
    state = "response_started response_complete chunked_encoding keep_alive disconnected"
    assert all(f"self.{name}" in source for name in state.split())


def test_nothing_of_a_refused_connection_is_kept():
    async def refuse():
        config = configuration(refusal, load_settings(Path(__file__).parent / "tiny"), 10)
        config.load()
        protocol: Any = config.http_protocol_class
        connection = partial(protocol, config=config, server_state=ServerState(), app_state={})
        server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"no request\r\n\r\n")
                assert b" 400 " in await reader.read()
                writer.close()
                await writer.wait_closed()
        await asyncio.sleep(0)

    async def refusal(scope, receive, send):
        await problem(scope[REFUSAL])(scope, receive, send)

    asyncio.run(refuse())
    gc.collect()
    assert [one for one in gc.get_objects() if isinstance(one, HttpConnection)] == []
