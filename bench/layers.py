"""Where the CPU time of a request goes: microseconds for each layer between the socket and the engine.

    python bench/layers.py [--publication tests/tiny] [--seconds 20]

Asks a look-up again and again, once so that no cache knows it and once so that one does, while py-spy (Linux; put
beside the other tools by `bench/install.py`) looks a few hundred times a second which function runs. What a process
used in that time, as the system counted it, is divided among the layers as the samples are; a sample belongs to the
innermost function of a layer, and what it calls in a library with it. Prints a table in Markdown. Sampling slows the
process down a little, so the sums are above what `make bench` measures; shares are good to about a twentieth.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

from places import COMPETITORS, ROOT
from processes import tree
from watching import cpu, front_of, serving, table

_RATE = 400
# The files of each layer, innermost first where one holds another.
FRONT: Mapping[str, tuple[str, ...]] = {
    "event loop, system calls": ("asyncio/runners.py", "asyncio/base_events.py", "asyncio/events.py"),
    "connection: HTTP/1.1, limits, timers": (
        *("uvicorn/", "http/uvicorn_protocol.py", "http/transport.py", "http/connection_limit.py"),
        "http/request_head.py",
    ),
    "access log, metrics": ("http/access_log.py", "http/metrics.py", "logging/"),
    "route": ("http/asgi_route.py", "server/app.py", "fastapi/", "starlette/"),
    "reading the request": ("http/request.py", "query/protocol.py", "http/negotiation.py", "http/headers.py"),
    "answering: keys, headers, response": (
        *("server/sparql_endpoint.py", "query/respond.py", "http/complete_response.py", "query/current_release.py"),
        "release/archive.py",
    ),
    "cache": ("query/cache.py",),
    "single flight": ("query/single_flight.py",),
    "pool: admission, deadlines": (
        *("workers/pool.py", "workers/admission.py", "workers/backoff.py", "workers/shared_timer.py"),
    ),
    "wire to the worker": ("workers/worker_handle.py", "workers/ipc.py", "workers/result_stream.py"),
}
WORKER: Mapping[str, tuple[str, ...]] = {
    "wire to the server, system calls": ("workers/worker.py", "workers/ipc.py"),
    "reading the query": ("sparql/query.py", "sparql/tokens.py", "sparql/nesting.py"),
    "rewriting the query": ("sparql/rewrites/",),
    "engine, dataset and prefixes": ("store/embedded.py", "store/datasets.py"),
    "filters of the output": ("store/output_filters.py",),
    "limits of rows and bytes": ("workers/output.py",),
}
_REST = "other"


def layer_of(stack: str, layers: Mapping[str, tuple[str, ...]]) -> str:
    """Return the layer of the innermost function of a stack, as py-spy writes it, that belongs to one."""
    for function in reversed(stack.split(";")):
        for layer, files in layers.items():
            if any(file in function for file in files):
                return layer
    return _REST


def shares(samples: str, layers: Mapping[str, tuple[str, ...]], main: str) -> dict[str, float]:
    """Return the part of the samples of each layer; other threads than that of ``main`` are left out."""
    found: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, number = line.rpartition(" ")
        if main in stack:
            found[layer_of(stack, layers)] += int(number)
    return {layer: number / found.total() for layer, number in found.items()}


def _queries(*, cached: bool) -> Iterator[str]:
    for number in count():
        comment = "" if cached else f" # {number}"
        yield f"SELECT ?p ?o {{ <urn:x> ?p ?o }}{comment}"


def measured(port: int, pid: int, seconds: int, *, cached: bool) -> list[dict[str, float]]:
    """Return the microseconds of each layer of the front, and of the workers when they have anything to do."""
    front = front_of(pid)
    workers = [each for each in tree(front) if each != front]
    connection, queries = HTTPConnection("127.0.0.1", port), _queries(cached=cached)
    asked = {"Accept": "application/sparql-results+json"}

    def ask(until: float) -> int:
        for number, query in enumerate(queries):
            connection.request("GET", f"/sparql?query={quote(query)}", headers=asked)
            connection.getresponse().read()
            if perf_counter() > until:
                return number
        return 0

    ask(perf_counter() + 1)
    used = {each: cpu(each) for each in (front, *workers)}
    kinds = [([front], FRONT, "server/process.py")]
    if not cached:
        kinds.append((workers, WORKER, "workers/worker.py"))
    with tempfile.TemporaryDirectory() as folder:
        spies = [_spy(each, seconds, Path(folder)) for each in (front, *(() if cached else workers))]
        asked_for = ask(perf_counter() + seconds)
        for spy in spies:
            spy.wait()
        found = []
        for processes, layers, main in kinds:
            samples = "".join((Path(folder) / str(each)).read_text() for each in processes)
            total = sum(cpu(each) - used[each] for each in processes) / asked_for * 1e6
            found.append({layer: share * total for layer, share in shares(samples, layers, main).items()})
    connection.close()
    return found


def _spy(pid: int, seconds: int, folder: Path) -> subprocess.Popen[bytes]:
    options = ("--duration", str(seconds), "--rate", str(_RATE), "--format", "raw", "--output", str(folder / str(pid)))
    command = [str(COMPETITORS / "py-spy"), "record", "--pid", str(pid), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--publication", type=Path, default=ROOT / "tests" / "tiny", help="whose release is served")
    parser.add_argument("--seconds", type=int, default=20, help="how long each of the two is sampled")
    options = parser.parse_args()
    if not (COMPETITORS / "py-spy").exists():
        print("py-spy is not here: run python bench/install.py", file=sys.stderr)
        return 1
    with serving(options.publication, reserve_workers=0, workers=1) as (port, process):
        front, worker = measured(port, process.pid, options.seconds, cached=False)
        (cached,) = measured(port, process.pid, options.seconds, cached=True)
    rows = [(layer, _microseconds(front, layer), _microseconds(cached, layer)) for layer in (*FRONT, _REST)]
    rows.append(("**server**", f"{sum(front.values()):.0f}", f"{sum(cached.values()):.0f}"))
    rows += [(layer, _microseconds(worker, layer), "") for layer in (*WORKER, _REST)]
    rows.append(("**worker**", f"{sum(worker.values()):.0f}", ""))
    print(table(("layer", "look-up, µs of CPU", "the same from the cache"), rows))
    return 0


def _microseconds(found: Mapping[str, float], layer: str) -> str:
    return f"{found.get(layer, 0):.0f}"


if __name__ == "__main__":
    sys.exit(main())
