"""Killing workers and the server, and switching releases, while questions are asked: no answer is wrong or mixed."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from running import client, front_of, release_served, serving_process, twingraph, wait_for, workers_of

LIMITS = "\n[limits]\nquery_seconds = 5\nworkers = 2\nreserve_workers = 1\ncache_bytes = 0\n"
# The label of the island stands in the answer as often as it has statements: a mixed answer would hold two labels.
QUERY = "SELECT ?label ?p ?o { island:holm rdfs:label ?label ; ?p ?o }"
KILLER = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c < ?f) }"


class Askers:
    """Threads that ask one query again and again and write down what they were told."""

    def __init__(self, address, threads=3):
        self._address, self._stop = address, threading.Event()
        self.answers, self.failures, self.times = set(), [], []
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(threads)]

    def __len__(self):
        return len(self._threads)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self, number):
        with client(self._address) as http:
            headers = {"X-Forwarded-For": f"10.0.0.{number}", "Accept": "text/csv"}
            while not self._stop.is_set():
                begin = time.perf_counter()
                try:
                    response = http.get("/sparql", params={"query": f"{QUERY} # {begin}"}, headers=headers)
                except httpx.TransportError:
                    self.failures.append("connection")
                    time.sleep(0.02)
                    continue
                self.times.append((begin, time.perf_counter() - begin))
                if response.status_code == 200:
                    self.answers.add(frozenset(response.text.splitlines()))
                else:
                    self.failures.append(response.status_code)


@pytest.fixture
def built(built):
    built.append("twingraph.toml", LIMITS)
    return built


@contextmanager
def served(publication):
    with serving_process(publication.directory) as (address, process):
        wait_for(lambda: len(workers_of(process.pid)) == 3)
        yield address, process


def started(pid):
    """Return when a process was started, in the system's ticks."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_killed_workers_are_replaced_and_no_answer_is_wrong(built):
    with served(built) as (address, process), Askers(address) as askers:
        seconds = []
        for _ in range(6):
            # The oldest, by the time at which it was started: numbers of processes begin again some day.
            victim = min(workers_of(process.pid), key=started)
            begin = time.perf_counter()
            os.kill(victim, signal.SIGKILL)
            # A query that meets two killed workers fails, so the next is killed only when some were answered again.
            answered = len(askers.times)
            wait_for(lambda: len(set(workers_of(process.pid)) - {victim}) == 3)  # noqa: B023 - called at once
            seconds.append(time.perf_counter() - begin)
            wait_for(lambda: len(askers.times) >= answered + 2 * len(askers))  # noqa: B023 - likewise
    print(f"a killed worker was replaced after {max(seconds):.2f} s at most")  # noqa: T201 - a measurement
    assert len(askers.answers) == 1
    assert askers.failures == []


def test_a_killed_front_is_replaced_and_no_answer_is_wrong(built):
    with served(built) as (address, process), Askers(address) as askers:
        seconds = []
        for _ in range(2):
            wait_for(lambda: askers.times and len(workers_of(process.pid)) == 3)
            victim, workers = front_of(process.pid), set(workers_of(process.pid))
            begin = time.perf_counter()
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda: front_of(process.pid) not in (victim, None))  # noqa: B023 - called at once
            assert release_served(address)
            seconds.append(time.perf_counter() - begin)
            assert not workers & set(workers_of(process.pid))
    print(f"a killed front was back after {max(seconds):.2f} s at most")  # noqa: T201 - a measurement
    # Who was being answered is cut off; who connects meanwhile waits.
    assert set(askers.failures) <= {"connection"}
    assert len(askers.failures) <= 2 * 3
    assert len(askers.answers) == 1


def test_workers_end_with_a_killed_server_and_the_next_one_answers(built):
    with served(built) as (address, process), Askers(address) as askers:
        workers = set(workers_of(process.pid))
        time.sleep(0.5)
        process.kill()
        process.wait(10)
        wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))  # noqa: PTH110
        wait_for(lambda: len(askers.failures) > 0)
    begin = time.perf_counter()
    with serving_process(built.directory) as (address, _):
        first = release_served(address)
        print(f"a killed server was back after {time.perf_counter() - begin:.2f} s")  # noqa: T201 - a measurement
        assert first
    assert len(askers.answers) == 1


def test_no_answer_is_mixed_from_two_releases(built):
    with served(built) as (address, process), Askers(address) as askers:
        wait_for(lambda: askers.answers)
        for number in range(2):
            built.append("data/islands.ttl", f"island:holm l:height {number}.5 .\n")
            assert twingraph(built.directory, "build").returncode == 0
            new = (built.settings.releases / "current").readlink().name
            begin = time.perf_counter()
            wait_for(lambda: release_served(address) == new)  # noqa: B023 - called at once
            print(f"a new release took over after {time.perf_counter() - begin:.2f} s")  # noqa: T201 - a measurement
            seen = len(askers.answers)
            wait_for(lambda: len(askers.answers) > seen or len(askers.answers) == number + 2)  # noqa: B023 - likewise
        wait_for(lambda: len(workers_of(process.pid)) == 3)
    assert askers.failures == []
    assert len(askers.answers) == 3
    sizes = sorted(len(answer) for answer in askers.answers)
    assert sizes == list(range(sizes[0], sizes[0] + 3))


def p95(times):
    return sorted(times)[int(len(times) * 0.95)]


def test_one_client_with_killer_queries_does_not_keep_others_waiting(built):
    with served(built) as (address, _):
        with Askers(address, threads=1) as alone:
            time.sleep(2)
        stop = threading.Event()

        def kill():
            with client(address) as http:
                while not stop.is_set():
                    try:
                        http.get("/sparql", params={"query": KILLER}, headers={"X-Forwarded-For": "10.9.9.9"})
                    except httpx.TransportError:
                        return

        killers = [threading.Thread(target=kill, daemon=True) for _ in range(4)]
        for one in killers:
            one.start()
        time.sleep(1.5)
        with Askers(address, threads=1) as beside:
            time.sleep(4)
        stop.set()
        undisturbed, disturbed = (p95([t for _, t in one.times]) * 1000 for one in (alone, beside))
        print(f"p95 of a look-up alone {undisturbed:.1f} ms, beside killers {disturbed:.1f} ms")  # noqa: T201
        assert beside.failures == []
        assert len(beside.answers) == 1
        # One that had to wait for a worker would wait as long as a killer may take: five seconds.
        assert disturbed < max(100, 20 * undisturbed)
        for one in killers:
            one.join(30)
