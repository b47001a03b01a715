"""Connections: heads that come in time, and answers that go out whole."""

import socket
import time

import pytest

from running import serving, twingraph


@pytest.fixture
def address(tiny):
    tiny.append("twingraph.toml", "\n[limits]\nrequest_seconds = 1\n")
    assert twingraph(tiny.directory, "build").returncode == 0
    with serving(tiny.directory) as address:
        yield address


def connect(address):
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def everything(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_in_time_is_answered_by_408_and_the_end(address, sent):
    with connect(address) as connection:
        connection.sendall(sent)
        begin = time.perf_counter()
        assert everything(connection).startswith(b"HTTP/1.1 408 ")
        assert 0.8 < time.perf_counter() - begin < 5


def test_a_head_that_comes_bit_by_bit_must_be_whole_in_time_all_the_same(address):
    with connect(address) as connection:
        begin = time.perf_counter()
        with pytest.raises(OSError, match=r"."):  # noqa: PT012 - which of the writes fails is the system's choice
            connection.sendall(b"GET / HTTP/1.1\r\n")
            for _ in range(100):
                connection.sendall(b"X: y\r\n")
                time.sleep(0.1)
        assert time.perf_counter() - begin < 5


def test_a_kept_connection_may_rest_longer_than_a_head_may_take(address):
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect(address) as connection:
        for _ in range(2):
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            time.sleep(1.5)


def test_requests_sent_together_are_answered_in_their_order(address):
    heads = ("/healthz HTTP/1.1", "/nothing HTTP/1.1", "/readyz HTTP/1.1\r\nConnection: close")
    with connect(address) as connection:
        connection.sendall("".join(f"GET {head}\r\nHost: a\r\n\r\n" for head in heads).encode())
        answered = everything(connection)
    statuses = [part[:3] for part in answered.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404", b"200"]
