"""Mixed abuse of a real server for a time, and whether it is afterwards as it was before.

    python bench/abuse.py --seconds 3600

The first quarter of the time warms up: every kind of abuse is met and the caches are filled. Then the server rests and
is measured, is abused for the rest of the time, rests and is measured again. Every ten seconds a line says how it is.
It exits 1, naming what, when after the rest

- the front holds more than a quarter and 24 MiB more than at the first measurement,
- there are other than the set number of workers, or they hold half as much and 64 MiB more together,
- the front has more than 8 more descriptors or 6 more threads open,
- the p50 or p95 of another client's look-ups is more than thrice as long and 10 ms longer,

or when the front was started anew, or a look-up of the other client while the server rested was not answered.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

from abuses import KINDS, Abuse, commit, idle, mutants
from attacks import publication
from fuzz import SUITES
from mutate import w3c_queries
from places import ROOT
from watching import Latency, Lookups, Vitals, front_of, serving, vitals

_WORKERS, _SPARES = 2, 1
# Short limits, so that each is met often; and a cache that the warming up fills.
_LIMITS = {
    "workers": _WORKERS, "reserve_workers": _SPARES, "query_seconds": 2, "request_seconds": 2, "queue_seconds": 2,
    "memory_bytes": 200_000_000, "answer_bytes": 50_000_000, "cache_bytes": 8_000_000,
}  # fmt: skip
_AT_ONCE, _FLOOD, _EVERY, _STEP = 16, 150, 10.0, 0.5
# For so long (seconds) at most the server may come to rest; so long is another client watched then.
_REST, _WATCH = 8.0, 3.0


@dataclass(frozen=True)
class State:
    """How a server at rest is, and how another client fares there."""

    front: int
    vitals: Vitals
    latency: Latency

    def __str__(self) -> str:
        return f"{self.vitals}; {self.latency}"


def worse(begin: State, end: State) -> Iterator[str]:
    """Yield what has grown from one state to the other by more than the criteria allow."""
    one, other = begin.vitals, end.vitals
    if begin.front != end.front:
        yield "the front was started anew"
    if other.front > one.front * 1.25 + 24:
        yield f"the front's memory: {one.front:.0f} -> {other.front:.0f} MiB"
    if other.workers_memory > one.workers_memory * 1.5 + 64:
        yield f"the workers' memory: {one.workers_memory:.0f} -> {other.workers_memory:.0f} MiB"
    if other.workers != _WORKERS + _SPARES:
        yield f"the number of workers: {other.workers}, not {_WORKERS + _SPARES}"
    if other.descriptors > one.descriptors + 8:
        yield f"descriptors: {one.descriptors} -> {other.descriptors}"
    if other.threads > one.threads + 6:
        yield f"threads: {one.threads} -> {other.threads}"
    for name in ("p50", "p95"):
        before, after = getattr(begin.latency, name), getattr(end.latency, name)
        if after > before * 3 + 0.01:
            yield f"{name} of a look-up: {before * 1000:.1f} -> {after * 1000:.1f} ms"
    if end.latency.failed:
        yield f"{end.latency.failed} look-ups were not answered although the server rested"


class Abuser:
    """Abuses a server, so many connections at once, and counts by kind how it answers."""

    def __init__(self, port: int, seed: int) -> None:
        self._port, self._random = port, Random(seed)
        queries = w3c_queries(SUITES) or [path.read_text() for path in sorted((ROOT / "queries").glob("*.rq"))]
        mutant = mutants(queries, seed)
        self._kinds: Sequence[Callable[[Random], Abuse]] = (*KINDS, mutant, mutant)
        self.counts: Counter[tuple[str, str]] = Counter()

    async def abuse(self, seconds: float, report: Callable[[], None]) -> None:
        """Abuse for some seconds; ends all that it began."""
        end = perf_counter() + seconds
        tasks = [asyncio.create_task(self._go_on(end)) for _ in range(_AT_ONCE)]
        tasks += [asyncio.create_task(self._flood(end)), asyncio.create_task(_repeat(end, report))]
        await asyncio.gather(*tasks)

    async def _go_on(self, end: float) -> None:
        while perf_counter() < end:
            kind = self._random.choice(self._kinds)
            await self._one(kind.__name__, kind(self._random))

    async def _flood(self, end: float) -> None:
        """Open many connections at once now and then, with nothing or half a head on them."""
        while perf_counter() < end:
            await asyncio.gather(*(self._one("idle", idle(self._random)) for _ in range(_FLOOD)))
            await asyncio.sleep(5)

    async def _one(self, kind: str, abuse: Abuse) -> None:
        self.counts[kind, await commit(abuse, self._port, self._random)] += 1

    def __str__(self) -> str:
        kinds = sorted({kind for kind, _ in self.counts})
        lines = []
        for kind in kinds:
            statuses = sorted((status, number) for (name, status), number in self.counts.items() if name == kind)
            lines.append(f"  {kind}: {', '.join(f'{status} {number}' for status, number in statuses)}")
        return "\n".join(lines)


async def _repeat(end: float, report: Callable[[], None]) -> None:
    due = perf_counter() + _EVERY
    while (now := perf_counter()) < end:
        await asyncio.sleep(min(_STEP, max(0.0, end - now)))
        if perf_counter() >= due:
            report()
            due += _EVERY


def at_rest(port: int, pid: int) -> State:
    """Return how the server is when nobody abuses it any more; it is given time to come to rest."""
    deadline = perf_counter() + _REST
    with Lookups(port) as lookups:
        while perf_counter() < deadline:
            latency, now = lookups.undisturbed(1), vitals(pid)
            if not latency.failed and now.workers == _WORKERS + _SPARES and perf_counter() > deadline - _REST / 2:
                break
        latency = lookups.undisturbed(_WATCH)
    # Measured without the connection of those look-ups.
    return State(front_of(pid), vitals(pid), latency)


def soak(port: int, pid: int, seconds: float, seed: int) -> list[str]:
    """Abuse a server for some seconds, print how it is all the while, and return what has grown."""
    abuser, begin = Abuser(port, seed), perf_counter()

    def abuse(part: float) -> None:
        with Lookups(port) as lookups:
            since = perf_counter()

            def report() -> None:
                nonlocal since
                now = perf_counter()
                # What is not answered yet will be told of the next time.
                latency = lookups.between(since, now, patience=0)
                since = now
                print(f"{now - begin:6.0f} s  {vitals(pid)}; {latency}", flush=True)

            asyncio.run(abuser.abuse(part, report))

    abuse(seconds / 4)
    first = at_rest(port, pid)
    print(f"beginning: {first}", flush=True)
    abuse(seconds * 3 / 4)
    last = at_rest(port, pid)
    print(f"answers by kind of abuse (status, number):\n{abuser}\nbeginning: {first}\nend:       {last}", flush=True)
    return list(worse(first, last))


@contextmanager
def _target(given: Path | None) -> Iterator[tuple[int, int]]:
    if given:
        with serving(given, **_LIMITS) as (port, process):
            yield port, process.pid
        return
    with publication() as directory, serving(directory, **_LIMITS) as (port, process):
        yield port, process.pid


def main() -> int:
    """Abuse, print and tell whether anything grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="how long the server is abused")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publication", type=Path, help="a publication with a release, instead of tests/tiny")
    options = parser.parse_args()
    with _target(options.publication) as (port, pid):
        grown = soak(port, pid, options.seconds, options.seed)
    print("\n".join(f"GROWN: {one}" for one in grown) or "nothing has grown")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
