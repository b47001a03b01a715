"""Real processes and files for the tests: a server on a free port of this machine, builds, canonical N-Quads."""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pyoxigraph as ox

from twingraph.rdf.canonical import write_canonical
from twingraph.rdf.nquads import NQuads

# No proxy, and no setting of the environment, may stand between a test and its own server.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("TWINGRAPH_") and not name.lower().endswith("_proxy")
}


def twingraph(directory: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a command of twingraph to its end."""
    command = [sys.executable, "-m", "twingraph", "-C", str(directory), *arguments]
    options = {"env": ENVIRONMENT, "text": True, "timeout": 120, **options}
    return subprocess.run(command, capture_output=True, check=False, **options)


def canonical_nquads(quads: Iterable[ox.Quad]) -> bytes:
    """Return quads as a release writes them."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "canonical.nq"
        write_canonical(NQuads.of(quads), path)
        return path.read_bytes()


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """Serve a publication on a free port; yield the server's address."""
    with serving_process(directory) as (address, _):
        yield address


@contextmanager
def serving_process(directory: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a publication on a free port; yield the server's address and its process."""
    command = [sys.executable, "-m", "twingraph", "-C", str(directory), "serve", "--port", "0"]
    log = directory / "server.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=ENVIRONMENT) as server,
    ):
        try:
            first = server.stdout.readline()
            address = re.search(r"http://[0-9.:]+", first)
            assert address, f"the server said {first!r}; {log.read_text()}"
            yield address.group(), server
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()  # what it started ends with it
                raise


def growth(work: Callable[[int], object], small: int, large: int) -> float:
    """Return how many times the CPU time a larger work takes: as often as it is larger when the time is linear."""

    def seconds(size: int) -> float:
        begin = time.process_time()
        work(size)
        return time.process_time() - begin

    # The least of some tries, since whatever else runs on the machine only adds to it.
    return min(seconds(large) for _ in range(3)) / min(seconds(small) for _ in range(3))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep the other processes of a run of the tests out of what is done meanwhile."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def client(address: str) -> httpx.Client:
    """Return a client of the server that looks at no proxy."""
    return httpx.Client(base_url=address, trust_env=False, timeout=20)


def release_served(address: str) -> str:
    """Return the identifier of the release that a server answers from."""
    with client(address) as http:
        return http.get("/healthz").json()["release"]


def wait_for(condition, seconds: float = 20) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def front_of(server: int) -> int | None:
    """Return the process that answers for a server, none while it is being started anew."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"twingraph.server.process" in command and command[-2] == str(server).encode():
            return int(path.name)
    return None


def workers_of(server: int) -> dict[int, int]:
    """Return the workers of a server: process -> resident memory in bytes."""
    found = {}
    front = str(front_of(server)).encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().split(b"\0")
            pages = int((path / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        if b"twingraph.workers.worker" in command and command[-2] == front and pages:
            found[int(path.name)] = pages * os.sysconf("SC_PAGE_SIZE")
    return found
