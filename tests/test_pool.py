"""The pool: workers that cannot open their release, who is given a worker, what is left of those that died."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from twingraph.errors import NotReadyError, StoreError, TooBusyError, WorkerLostError
from twingraph.settings import Limits
from twingraph.workers import ipc
from twingraph.workers.admission import Admission, Usage
from twingraph.workers.backoff import Backoff, Penalties
from twingraph.workers.ipc import Job, OpenRequest
from twingraph.workers.pool import Pool
from twingraph.workers.worker_handle import WorkerHandle

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c < ?f) }"


def job(text):
    return ipc.pack_job(Job(text, "json", "ntriples", None, None, 0, 10**8, 1 << 20))


def pool_of(release, **limits):
    manifest = release.manifest
    request = OpenRequest(
        str(release.directory),
        manifest.quads,
        manifest.base_iri,
        manifest.prefixes,
        manifest.default_graph,
        limits.get("memory_quads", 10**6),
        limits.get("memory_bytes", 10**9),
    )
    return Pool(request, Limits(**{"workers": 1, "reserve_workers": 1, "queue_seconds": 10, **limits}))


@asynccontextmanager
async def started(pool):
    """Start all workers of a pool, and end them whatever becomes of the test."""
    try:
        await pool.start(complete=True)
        yield pool
    finally:
        await pool.close()


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - of processes, there is nothing to be told by
            await asyncio.sleep(0.01)


def children():
    """Return the workers that this process has started and that have not been waited for; not the servers of others."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listed if is_worker_or_gone(pid)]


def is_worker_or_gone(pid):
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return not command or b"twingraph.workers.worker" in command


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def pids(pool):
    """Return the process ids of the workers, of those too that are about to end."""
    return tuple(sorted(worker.pid for worker in pool._all if worker.pid))


async def killed(pool, pid):
    """Kill a worker and wait until another one has taken its place."""
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pid not in pids(pool) and pool.workers == 2)


def test_a_worker_that_cannot_open_its_release_is_gone_when_that_is_told(release):
    async def run():
        pool = pool_of(release)
        pool._request = OpenRequest("/nowhere", 1, "http://x/", {}, "union", 10**6, 10**9)
        before = set(children())
        with pytest.raises(StoreError):
            await pool.start()
        assert set(children()) <= before
        assert pids(pool) == ()
        await pool.close()

    asyncio.run(run())


def test_workers_without_their_release_are_tried_later_each_time_and_come_back_with_it(release, tmp_path, caplog):
    async def run():
        here, away = release.directory, tmp_path / "away"
        async with started(pool_of(release)) as pool:
            here.rename(away)
            try:
                most = 0
                for pid in pids(pool):
                    os.kill(pid, signal.SIGKILL)
                end = asyncio.get_running_loop().time() + 4
                while asyncio.get_running_loop().time() < end:
                    most = max(most, len(pids(pool)), len(children()))
                    await asyncio.sleep(0.02)
                starts = sum("workers do not start" in record.message for record in caplog.records)
                with pytest.raises(NotReadyError):
                    pool.ensure_available()
                assert pool.failing
            finally:
                away.rename(here)
            assert most <= 2
            assert starts == 1
            pool.retry_now()
            await until(lambda: pool.workers == 2, seconds=5)
            assert pool.failing is None

    asyncio.run(run())


def test_each_wait_is_twice_the_one_before_up_to_a_bound():
    backoff = Backoff(first=1, longest=60)
    waits = [backoff.failed() for _ in range(10)]
    for wait, most in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60, 60), strict=True):
        assert most / 2 <= wait <= most
    backoff.succeeded()
    assert backoff.failed() <= 1


def test_thirty_deaths_leave_no_descriptor_and_no_process(release):
    async def run():
        async with started(pool_of(release)) as pool:
            await killed(pool, pids(pool)[0])
            before = descriptors()
            for _ in range(30):
                await killed(pool, pids(pool)[0])
            assert descriptors() <= before
            assert len(children()) == 2

    asyncio.run(run())


def test_workers_that_cannot_be_started_leave_no_descriptor(release, monkeypatch):
    async def run():
        pool = pool_of(release)
        before = descriptors()
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        for _ in range(5):
            with pytest.raises(OSError, match="nowhere"):
                await pool._add()
        assert descriptors() <= before
        assert pids(pool) == ()

    asyncio.run(run())


def test_a_pool_is_available_while_all_its_workers_are_busy(release):
    async def run():
        async with started(pool_of(release, reserve_workers=0)) as pool:
            asked = asyncio.create_task(pool.ask(job(ENDLESS), "a"))
            await until(lambda: pool.busy == 1)
            assert pool.idle == 0
            pool.ensure_available()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    asyncio.run(run())


def test_a_client_with_a_query_running_leaves_the_spares_to_others(release):
    async def run():
        async with started(pool_of(release, workers=2, reserve_workers=1, per_client=3)) as pool:
            greedy = [asyncio.create_task(pool.ask(job(f"{ENDLESS} # {n}"), "10.0.0.1")) for n in range(3)]
            await until(lambda: pool.busy == 2 and pool.queued == 1)
            answer = await pool.ask(job("ASK {}"), "10.0.0.2")
            assert answer.is_complete
            assert (pool.busy, pool.queued) == (2, 1)
            for task in greedy:
                task.cancel()

    asyncio.run(run())


def test_a_worker_that_has_grown_is_replaced(release):
    async def run():
        async with started(pool_of(release, reserve_workers=0, memory_bytes=80_000_000)) as pool:
            (pid,) = pids(pool)
            await pool.ask(job("ASK {}"), "10.0.0.1")
            assert pids(pool) == (pid,)
            text = "SELECT ?x { ?a ?b ?c . ?d ?e ?f BIND(CONCAT(STR(?c), STR(?f)) AS ?x) } ORDER BY ?x"
            answer = await pool.ask(job(text), "10.0.0.1")
            async for _ in answer.pieces():
                pass
            await until(lambda: pool.workers == 1 and pids(pool) != (pid,))
            assert pool.stats.killed == {"replaced": 1}

    asyncio.run(run())


def test_who_has_the_most_waiting_gives_way_when_the_queue_is_full(release):
    async def run():
        async with started(pool_of(release, workers=1, reserve_workers=0, queue=3)) as pool:
            running = asyncio.create_task(pool.ask(job(ENDLESS), "10.0.0.1"))
            await until(lambda: pool.busy == 1)
            waiting = [asyncio.create_task(pool.ask(job(f"ASK {{}} # {n}"), "10.0.0.1")) for n in range(3)]
            await until(lambda: pool.queued == 3)
            other = asyncio.create_task(pool.ask(job("ASK {}"), "10.0.0.2"))
            with pytest.raises(TooBusyError, match="fewer"):
                await waiting[-1]
            assert pool.queued == 3
            with pytest.raises(TooBusyError, match="are waiting"):
                await pool.ask(job("ASK {}"), "10.0.0.1")
            running.cancel()
            assert (await other).is_complete
        await asyncio.gather(running, *waiting, return_exceptions=True)

    asyncio.run(run())


def test_who_ends_workers_waits_and_nobody_else_does(release):
    async def run():
        async with started(pool_of(release, reserve_workers=1, queue_seconds=0.2)) as pool:
            refused = 0
            for number in range(8):
                await until(lambda: pool.workers == 2)
                task = asyncio.create_task(pool.ask(job(f"{ENDLESS} # {number}"), "10.0.0.1"))
                await until(lambda: pool.busy == 1 or task.done())  # noqa: B023 - called at once
                task.cancel()
                try:
                    await task
                except TooBusyError as error:
                    refused += "your address" in str(error) and error.retry_after >= 1
                except asyncio.CancelledError:
                    pass
                assert (await pool.ask(job(f"ASK {{}} # {number}"), "10.0.0.2")).is_complete
            assert refused >= 2
            assert 3 <= pool.stats.killed["abandoned"] <= 6

    asyncio.run(run())


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_few_ended_workers_are_free_and_more_are_forgiven_one_after_the_other():
    clock = Clock()
    penalties = Penalties(clock)
    penalties.started(1.0)
    for _ in range(3):
        penalties.charge("a")
    assert penalties.wait("a") == 0
    penalties.charge("a")
    assert penalties.wait("a") == pytest.approx(4)
    penalties.charge("a")
    assert penalties.wait("a") == pytest.approx(8)
    assert penalties.wait("b") == 0
    clock.now = 8
    assert penalties.wait("a") == pytest.approx(0)
    clock.now = 100
    assert penalties.wait("a") == 0


def test_no_penalty_is_longer_than_a_bound_and_no_more_clients_are_remembered_than_a_bound():
    penalties = Penalties(Clock(), max_clients=10)
    penalties.started(1000)
    for _ in range(1000):
        penalties.charge("a")
    assert penalties.wait("a") == pytest.approx(120)
    clients = [f"client {number}" for number in range(100)]
    for client in clients:
        for _ in range(4):
            penalties.charge(client)
    assert [client for client in ["a", *clients] if penalties.wait(client)] == clients[-10:]


def test_those_who_end_workers_share_what_may_be_spent_on_replacing_them():
    alone, many = Penalties(Clock()), Penalties(Clock())
    for penalties, clients in ((alone, 1), (many, 8)):
        penalties.started(1)
        for client in range(clients):
            for _ in range(5):
                penalties.charge(f"client {client}")
    assert many.wait("client 0") == pytest.approx(8 * alone.wait("client 0"))
    assert many.wait("another") == 0


def test_what_was_used_fades_and_no_more_clients_are_remembered_than_a_bound():
    clock = Clock()
    usage = Usage(clock, max_clients=10)
    usage.add("a", 4)
    assert usage.is_heavy("a")
    clock.now = 20
    assert 0 < usage.of("a") < 1
    assert not usage.is_heavy("a")
    clients = [f"client {number}" for number in range(100)]
    for client in clients:
        usage.add(client, 1)
    assert [client for client in ["a", *clients] if usage.of(client)] == clients[-10:]


def free_workers(admission, number):
    workers = [WorkerHandle(lambda _: None, lambda _: None) for _ in range(number)]
    for worker in workers:
        admission.offer(worker)
    return workers


def test_who_has_used_much_leaves_the_spares_to_others():
    async def run():
        usage = Usage()
        usage.add("heavy", 100)
        admission = Admission(Limits(workers=1, reserve_workers=1, queue_seconds=0.05), 2, usage=usage)
        free_workers(admission, 2)
        await admission.acquire("another")
        with pytest.raises(TooBusyError):
            await admission.acquire("heavy")
        assert (await admission.acquire("light")).client == "light"

    asyncio.run(run())


def test_a_worker_that_is_assigned_when_the_time_is_up_is_not_lost():
    async def run():
        admission = Admission(Limits(workers=1, reserve_workers=0, queue_seconds=0.05), 1)
        (worker,) = free_workers(admission, 1)
        await admission.acquire("one")

        def free():
            admission.release(worker)
            admission.offer(worker)

        waiting = asyncio.create_task(admission.acquire("another"))
        await asyncio.sleep(0)
        # Both are due when the loop goes on: the worker first, and the end of the time right after it.
        asyncio.get_running_loop().call_later(0.04, free)
        time.sleep(0.1)  # noqa: ASYNC251 - the loop stands still on purpose
        assert await waiting is worker
        free()
        assert (admission.busy, admission.idle) == (0, 1)

    asyncio.run(run())


def test_who_has_used_least_goes_first():
    async def run():
        usage = Usage()
        for client, seconds in (("much", 100), ("less", 50), ("nothing", 0)):
            usage.add(client, seconds)
        admission = Admission(Limits(workers=1, reserve_workers=0), 1, usage=usage)
        (worker,) = free_workers(admission, 1)
        await admission.acquire("another")
        waiting = [asyncio.create_task(admission.acquire(client)) for client in ("much", "less", "nothing")]
        await asyncio.sleep(0)
        order = []
        for _ in waiting:
            admission.release(worker)
            admission.offer(worker)
            order.append(worker.client)
        await asyncio.gather(*waiting)
        assert order == ["nothing", "less", "much"]

    asyncio.run(run())


def test_a_loss_is_told_as_what_it_was():
    assert "nesting" not in str(WorkerLostError(signal.SIGABRT))
    assert "aborted (signal 6)" in str(WorkerLostError(signal.SIGABRT))
    assert "nesting" in str(WorkerLostError(signal.SIGSEGV))
    assert "nesting" not in str(WorkerLostError())


SANDBOX = """
import resource
from twingraph.workers import sandbox
sandbox.limit_files()
sandbox.limit_memory(1 << 28)
print(*resource.getrlimit(resource.RLIMIT_FSIZE), *resource.getrlimit(resource.RLIMIT_CORE))
print(0 < resource.getrlimit(resource.RLIMIT_AS)[1] <= sandbox.memory("VmSize") + (4 << 28))
print(0 < resource.getrlimit(resource.RLIMIT_DATA)[1] <= sandbox.memory("VmData") + (1 << 28))
"""


def test_a_sandbox_limits_files_and_memory_for_good():
    run = subprocess.run([sys.executable, "-c", SANDBOX], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:3] == [f"{1 << 20} {1 << 20} 0 0", "True", "True"]
    assert resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY
