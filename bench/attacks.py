"""Four small attacks on a server, one after the other: the front's memory and another client's wait under each.

    python bench/attacks.py --port PORT --pid PID      a server that runs (PID: `twingraph serve`)
    python bench/attacks.py                            this version's over tests/tiny, a new one for each

They are those of the review: C1 a quote in Accept that does not end, H1 long queries that differ, H3 a million braces,
H4 a head of 80 MB. Prints a table in Markdown.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from places import ROOT
from watching import Latency, Lookups, front_of, resident, serving, table, vitals

_PATIENCE = 60.0
_QUIET, _AFTER = 3.0, 3.0
_LONG = 950_000


def ask(port: int, *pieces: bytes) -> bytes:
    """Send a request and return the first line of the answer, empty without one."""
    try:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE) as connection:
            for piece in pieces:
                connection.sendall(piece)
            return connection.recv(1 << 16).partition(b"\r\n")[0]
    except OSError as error:
        return type(error).__name__.encode()


def post(port: int, query: bytes) -> bytes:
    """Ask a query as the body of a POST."""
    head = "POST /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/sparql-query\r\n"
    return ask(port, f"{head}Content-Length: {len(query)}\r\n\r\n".encode(), query)


def c1(port: int, size: int) -> bytes:
    """Ask with an Accept header of which a quote does not end."""
    accept = b'"' + b'"\\' * (size // 2)
    return ask(
        port, b"GET /queries HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept: " + accept + b"\r\n\r\n"
    )


def h1(port: int, count: int) -> bytes:
    """Ask many long queries, each another one."""
    padding, line = b"x" * _LONG, b""
    for number in range(count):
        line = post(port, b"SELECT * { ?s ?p ?o } LIMIT 1 #%d" % number + padding)
    return line


def h3(port: int, count: int) -> bytes:
    """Ask queries of a million braces, so many at once."""
    query, lines = b"{" * _LONG + b" SELECT * { ?s ?p ?o }", []
    threads = [threading.Thread(target=lambda: lines.append(post(port, query)), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * _PATIENCE)
    return lines[0] if lines else b""


def h4(port: int, size: int) -> bytes:
    """Send a head with one header of so many bytes."""
    pieces = [b"a" * 1_000_000] * (size // 1_000_000)
    return ask(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ", *pieces, b"\r\n\r\n")


@dataclass(frozen=True)
class Attack:
    """One row of the table: what is sent, and how much of it."""

    name: str
    send: Callable[[int, int], bytes]
    size: int


ATTACKS = (
    Attack("C1: Accept of 20 kB", c1, 20_000),
    Attack("H1: 300 queries of 950 kB", h1, 300),
    Attack("H3: 20 queries of 950 kB of `{` at once", h3, 20),
    Attack("H4: a head of 80 MB", h4, 80_000_000),
)
_HEAD = (
    *("attack", "takes s", "answer", "front before MiB", "at most", "after"),
    *("p95 before ms", "p95 under it", "worst", "failed"),
)


@dataclass(frozen=True)
class Outcome:
    """What an attack did."""

    seconds: float
    line: bytes
    memory: tuple[float, float, float]
    before: Latency
    under: Latency

    def row(self, name: str) -> list[object]:
        times = (self.before.p95, self.under.p95, self.under.worst)
        answer = self.line.decode("latin-1").removeprefix("HTTP/1.1 ") or "none"
        return [
            name, f"{self.seconds:.1f}", answer, *(f"{one:.0f}" for one in self.memory),
            *(f"{one * 1000:.0f}" for one in times), self.under.failed,
        ]  # fmt: skip


def measure(attack: Attack, port: int, pid: int, lookups: Lookups) -> Outcome:
    """Make one attack and watch."""
    front, most, over = front_of(pid), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, resident(front))

    quiet, memory = lookups.undisturbed(_QUIET), resident(front)
    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = perf_counter()
    line = attack.send(port, attack.size)
    end = perf_counter()
    over.set()
    watcher.join()
    # A short attack is over before many look-ups were due; those of the next half second had to wait for it too.
    under = lookups.between(begin, max(end, begin + 0.5))
    sleep(_AFTER)
    return Outcome(end - begin, line, (memory, max(most, memory), resident(front)), quiet, under)


@contextmanager
def publication() -> Iterator[Path]:
    """Yield a copy of the tests' small publication, with a release."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "publication"
        shutil.copytree(ROOT / "tests" / "tiny", copy)
        subprocess.run([sys.executable, "-m", "twingraph", "-C", str(copy), "build"], check=True, capture_output=True)
        yield copy


def attack_server(attack: Attack, port: int, pid: int) -> list[object]:
    """Return the row of an attack on a server that runs."""
    print(f"{attack.name} ...", file=sys.stderr)
    with Lookups(port) as lookups:
        sleep(1)
        return measure(attack, port, pid, lookups).row(attack.name)


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, help="the server's port on 127.0.0.1")
    parser.add_argument("--pid", type=int, help="its process, or that which started it")
    parser.add_argument("--only", default="", help="such attacks only as begin so, as in C1")
    options = parser.parse_args()
    wanted = [attack for attack in ATTACKS if attack.name.startswith(options.only)]
    if options.port and options.pid:
        rows = [attack_server(attack, options.port, options.pid) for attack in wanted]
        print(table(_HEAD, rows), f"\n\nAt the end: {vitals(options.pid)}")
        return
    rows = []
    with publication() as directory:
        for attack in wanted:
            with serving(directory) as (port, process):
                rows.append(attack_server(attack, port, process.pid))
    print(table(_HEAD, rows))


if __name__ == "__main__":
    main()
