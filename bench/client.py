"""A client that costs little: prepared requests over a kept connection, timed one by one."""

import multiprocessing
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from time import perf_counter, sleep
from urllib.parse import urlencode

ROWS = "application/sparql-results+json"
GRAPH = "text/turtle"


class AnswerError(Exception):
    """The server answered with an error, or not at all."""


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire."""

    data: bytes


@dataclass(frozen=True)
class Run:
    """What clients measured: seconds per request, failures, and how long it took in all."""

    seconds: list[float]
    failed: int
    elapsed: float


def request(path: str, query: str, *, is_graph: bool) -> Request:
    """Return the SPARQL Protocol's GET request of a query."""
    target = f"{path}?{urlencode({'query': query})}"
    accept = GRAPH if is_graph else ROWS
    lines = (f"GET {target} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {accept}", "User-Agent: twingraph-bench", "", "")
    return Request("\r\n".join(lines).encode())


class Connection:
    """One kept connection to a server on this machine, made again when the server closes it."""

    def __init__(self, port: int, timeout: float = 60, source: str = "127.0.0.1") -> None:
        self._port, self._timeout, self._source = port, timeout, source
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(self, request: Request) -> bytes:
        """Return the body of a 200 answer; raises AnswerError."""
        try:
            return self._ask(request)
        except (OSError, ValueError) as error:
            self.close()
            raise AnswerError(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connection; the next request makes it again."""
        if self._socket:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _ask(self, request: Request) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._timeout, (self._source, 0))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request.data)
        head = self._until(b"\r\n\r\n").lower()
        body = self._body(head)
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self.close()
        if b" 200" not in head[:16]:
            raise AnswerError(f"{head[:40].decode(errors='replace')} {body[:200].decode(errors='replace')}")
        if b"x-sql-state" in head:
            raise AnswerError("a partial answer")
        return body

    def _body(self, head: bytes) -> bytes:
        if b"transfer-encoding: chunked" in head:
            parts = []
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                parts.append(self._exactly(size + 2)[:-2])
            self._until(b"\r\n")
            return b"".join(parts)
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return self._exactly(int(line.partition(b":")[2]))
        return self._to_the_end()

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while have < size:
            self._rest = b""
            self._more()
            parts.append(self._rest)
            have += len(self._rest)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def _to_the_end(self) -> bytes:
        try:
            while True:
                self._more()
        except ConnectionError:
            data = self._rest
            self.close()
            return data

    def _more(self) -> None:
        data = self._socket.recv(1 << 18) if self._socket else b""
        if not data:
            raise ConnectionError("the server closed the connection")
        self._rest += data


def ask_all(port: int, requests: Iterable[Request], seconds: float) -> Run:
    """Ask one after the other over one connection, until all are answered or the time is over."""
    connection, taken, failed = Connection(port), [], 0
    begin = perf_counter()
    for each in requests:
        before = perf_counter()
        if before - begin > seconds and (taken or failed):
            break
        try:
            connection.ask(each)
            taken.append(perf_counter() - before)
        except AnswerError:
            failed += 1
    elapsed = perf_counter() - begin
    connection.close()
    return Run(taken, failed, elapsed)


def side_by_side(port: int, lists: list[list[Request]], seconds: float) -> Run:
    """Let one process for each list of requests ask at the same time."""
    context = multiprocessing.get_context("fork")
    started = []
    for requests in lists:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_client, args=(there, port, requests, seconds))
        process.start()
        started.append((process, here))
    runs = [here.recv() for _, here in started]
    for process, _ in started:
        process.join()
    together = [second for run in runs for second in run.seconds]
    return Run(together, sum(run.failed for run in runs), max(run.elapsed for run in runs))


def wait_until_ready(port: int, path: str, seconds: float, is_alive: Callable[[], bool]) -> None:
    """Wait until the server answers a query; raises AnswerError when it does not in time, or is not alive any more."""
    probe = request(path, "SELECT * WHERE { ?s ?p ?o } LIMIT 1", is_graph=False)
    deadline = perf_counter() + seconds
    while True:
        connection = Connection(port, timeout=30)
        try:
            connection.ask(probe)
        except AnswerError:
            if perf_counter() > deadline or not is_alive():
                raise
            sleep(0.05)
        else:
            connection.close()
            return


def _client(pipe: Pipe, port: int, requests: list[Request], seconds: float) -> None:
    pipe.send(ask_all(port, requests, seconds))
