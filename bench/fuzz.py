"""Queries of the W3C's suites, mutated, over HTTP: how many were answered with which status, and each 5xx by its cause.

    python bench/fuzz.py --count 200000                a server of this version over tests/tiny
    python bench/fuzz.py --count 200000 --port PORT    one that runs

Goes on where it was interrupted (`--fresh` begins again). The same seed and number give the same query:
`--show 17` prints the seventeenth. Exits 1 when a query was answered with a 5xx that is not a limit met, or not at all.
"""

import argparse
import json
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from random import Random
from time import perf_counter
from urllib.parse import urlencode

from attacks import publication
from mutate import mutated, w3c_queries
from places import RESULTS, ROOT
from watching import serving, table

SUITES = Path(os.environ.get("CONFORMANCE_SUITES") or ROOT / "../shared/conformance").resolve()
_CONNECTIONS, _BATCH, _PATIENCE = 8, 1000, 60.0
_ACCEPTS = ("*/*", "text/csv", "application/sparql-results+xml", "text/turtle, application/json;q=0.5", "text/html")
# A query may meet these limits; that it does so is no fault.
_LIMITED = re.compile(r"503 .*the limit|503 the server is busy")
_ON_A_PAGE = re.compile(r'role="alert">\s*<p>(?:<strong>[^<]*</strong> )?(.*?)</p>', re.DOTALL)
_NO_ANSWER = "no answer"


@dataclass
class Tally:
    """What was answered so far: how many of each status, and of each cause the number of its first query."""

    seed: int
    done: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, status: str, cause: str) -> None:
        """Count one answer; the cause is empty when there is nothing to explain."""
        self.statuses[status] += 1
        if cause:
            self.causes[cause] += 1
            self.first[cause] = min(number, self.first.get(cause, number))

    @property
    def faults(self) -> int:
        """How many answers there should not have been."""
        return sum(number for cause, number in self.causes.items() if not _LIMITED.match(cause))

    def __str__(self) -> str:
        statuses = [(status, number) for status, number in sorted(self.statuses.items())]
        causes = [(number, self.first[cause], cause.replace("|", "\\|")) for cause, number in self.causes.most_common()]
        rate = self.done / self.seconds if self.seconds else 0
        parts = (f"{self.done} queries, seed {self.seed}, {rate:.0f} a second", table(("status", "answers"), statuses))
        return "\n\n".join((*parts, table(("5xx", "first number", "cause"), causes) if causes else "no 5xx"))


class Asker:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)

    def ask(self, query: bytes, random: Random) -> tuple[str, str]:
        """Return the status of a query's answer, and the cause when it is a 5xx or there is none."""
        headers, path, body = {"Accept": random.choice(_ACCEPTS)}, "/sparql", query
        if (way := random.random()) < 0.3:
            headers["Content-Type"], body = "application/x-www-form-urlencoded", urlencode({"query": query}).encode()
        elif way < 0.5 and len(query) < 5_000:
            path, body = f"/sparql?{urlencode({'query': query})}", b""
        else:
            headers["Content-Type"] = "application/sparql-query"
        try:
            self._http.request("POST" if body else "GET", path, body or None, headers)
            answer = self._http.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            self._http.close()
            return _NO_ANSWER, f"{_NO_ANSWER}: {type(error).__name__}"
        status = str(answer.status)
        return status, cause_of(answer.status, content) if answer.status >= 500 else ""

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def cause_of(status: int, content: bytes) -> str:
    """Return what a problem document or a page says, without its numbers: the same causes are counted together."""
    try:
        detail = str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        text = content.decode("utf-8", "replace")
        found = _ON_A_PAGE.search(text)
        detail = found[1] if found else text[:100]
    return f"{status} {re.sub(r'[0-9]+', 'N', detail)[:150]}"


def run(port: int, queries: list[str], tally: Tally, until: int, state: Path) -> None:
    """Ask the queries up to a number, a batch at a time, and keep the tally in a file after each."""
    while tally.done < until:
        begin, size = perf_counter(), min(_BATCH, until - tally.done)
        _batch(port, queries, tally, tally.done + size)
        tally.seconds += perf_counter() - begin
        tally.done += size
        state.write_text(json.dumps(vars(tally)))
        print(f"{tally.done} of {until}: {dict(tally.statuses)}", file=sys.stderr, flush=True)


def _batch(port: int, queries: list[str], tally: Tally, end: int) -> None:
    numbers, lock = count(tally.done), threading.Lock()

    def ask() -> None:
        asker = Asker(port)
        while True:
            with lock:
                number = next(numbers)
            if number >= end:
                break
            outcome = asker.ask(mutated(queries, tally.seed, number), Random(f"{tally.seed}:{number}:way"))
            with lock:
                tally.add(number, *outcome)
        asker.close()

    threads = [threading.Thread(target=ask) for _ in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def resumed(state: Path, seed: int) -> Tally:
    """Return the tally that an earlier run with this seed has left, or an empty one."""
    if not state.exists():
        return Tally(seed)
    kept = json.loads(state.read_text())
    return Tally(**{**kept, "statuses": Counter(kept["statuses"]), "causes": Counter(kept["causes"])})


@contextmanager
def _target(port: int | None) -> Iterator[int]:
    if port:
        yield port
        return
    with publication() as directory, serving(directory, query_seconds=3, memory_bytes=300_000_000) as (own, _):
        yield own


def main() -> int:
    """Ask, print, and tell whether all went well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="how many queries")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, help="a server on 127.0.0.1; without it, one of our own")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has done")
    parser.add_argument("--state", type=Path, help="the file in which it is kept what was done")
    parser.add_argument("--show", type=int, help="print the query of a number and end")
    options = parser.parse_args()
    queries = w3c_queries(SUITES)
    if not queries:
        sys.exit(f"no queries in {SUITES}: CONFORMANCE_SUITES names the folder of the W3C's suites")
    if options.show is not None:
        sys.stdout.buffer.write(mutated(queries, options.seed, options.show))
        return 0
    state = options.state or RESULTS / f"fuzz-{options.seed}.json"
    state.parent.mkdir(exist_ok=True)
    if options.fresh:
        state.unlink(missing_ok=True)
    tally = resumed(state, options.seed)
    with _target(options.port) as port:
        run(port, queries, tally, options.count, state)
    print(tally)
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
