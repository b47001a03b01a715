"""The pool: the worker processes over one release, and their replacement.

Each release has its own pool, so that no answer can mix two. A pool never has more than ``limits.workers`` and
``limits.reserve_workers`` processes: a worker is replaced only when its process is gone. When workers cannot open the
release, starting them is retried with exponential back-off. `Admission` decides which query gets a worker next.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from twingraph.errors import (
    DamagedStoreError,
    LimitError,
    MemoryLimitError,
    NotReadyError,
    QueryTimeoutError,
    TooBusyError,
    TwingraphError,
    WorkerLostError,
)
from twingraph.settings import Limits
from twingraph.workers.admission import Admission
from twingraph.workers.backoff import Backoff, Penalties
from twingraph.workers.ipc import OpenRequest
from twingraph.workers.result_stream import ResultStream
from twingraph.workers.shared_timer import SharedTimer
from twingraph.workers.worker_handle import WorkerHandle

logger = logging.getLogger(__name__)

# A query that runs longer than this (seconds) gets a lower priority.
_LONG_SECONDS = 1.0
# A worker that has grown by more than this fraction of the memory limit is replaced: the next query needs the memory.
_MAX_GROWTH = 1 / 8
# How long (seconds) a failed query waits for the inspection of the store.
_INSPECTION_SECONDS = 10.0

Inspect = Callable[[], Coroutine[Any, Any, DamagedStoreError | None]]


@dataclass
class PoolStats:
    """Numbers of workers that were started, that ended unexpectedly, and that were killed, by reason."""

    started: int = 0
    lost: int = 0
    killed: Counter[str] = field(default_factory=Counter)


class Pool:
    """Workers over the release of an OpenRequest.

    ``inspect`` returns the damage of the release on disk, if any. It is called when a worker fails in a way that damage
    can explain. ``failing`` is the reason why workers do not start, None if they do.
    """

    def __init__(
        self,
        request: OpenRequest,
        limits: Limits,
        stats: PoolStats | None = None,
        penalties: Penalties | None = None,
        inspect: Inspect | None = None,
    ) -> None:
        self._request, self._limits, self._inspect = request, limits, inspect
        workers = limits.workers or max(2, os.cpu_count() or 1)
        self._size = workers + limits.reserve_workers
        self.stats = stats or PoolStats()
        self._admission = Admission(limits, limits.per_client or workers, penalties)
        self._all: set[WorkerHandle] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._filled, self._retry = asyncio.Event(), asyncio.Event()
        self._closed = False
        # A query is first slowed down and then given its deadline, unless the deadline comes first.
        seconds = limits.query_seconds
        self._long = SharedTimer(_LONG_SECONDS, self._slow_down)
        self._deadline = SharedTimer(seconds - _LONG_SECONDS if seconds > _LONG_SECONDS else seconds, self._time_out)
        self.failing: str | None = None

    @property
    def idle(self) -> int:
        """Number of free workers, reserve workers included."""
        return self._admission.idle

    @property
    def busy(self) -> int:
        """Number of workers with a running query."""
        return self._admission.busy

    @property
    def workers(self) -> int:
        """Number of workers that have started, reserve workers included."""
        return sum(worker.opened and not worker.has_ended for worker in self._all)

    @property
    def queued(self) -> int:
        """Number of queries waiting for a worker."""
        return self._admission.queued

    def ensure_available(self) -> None:
        """Raise NotReadyError when no worker is available or busy."""
        if not (self.idle or self.busy):
            raise NotReadyError("no worker is available at present; one is being started")

    async def start(self, *, complete: bool = False) -> None:
        """Start the workers; return when one is ready, or all of them if ``complete``.

        Raises StoreError when the release cannot be opened.
        """
        await self._add()
        work = self._add if complete else self._replace
        others = [self._spawn(work()) for _ in range(self._size - 1)]
        if complete:
            await asyncio.gather(*others)

    async def filled(self) -> None:
        """Wait until all workers have been ready."""
        await self._filled.wait()

    def retry_now(self) -> None:
        """Retry at once to start workers that could not open the release."""
        self._retry.set()
        self._retry = asyncio.Event()

    async def ask(self, job: bytes, client: str) -> ResultStream:
        """Return the answer to a job, given as a JOB frame, once its head is known.

        Raises QueryError, StoreError or a LimitError. Cancelling the calling task ends the query.
        """
        try:
            return await self._ask(job, client)
        except WorkerLostError as error:
            # Killed from outside, so the query is not to blame and is retried once.
            if error.signal != signal.SIGKILL or self._closed:
                raise
        try:
            return await self._ask(job, client)
        except WorkerLostError as error:
            # Killed twice: the query may make the system run out of memory, so it is charged to the client.
            if error.signal == signal.SIGKILL:
                self._admission.penalties.charge(client)
            raise

    def abandon(self, answer: ResultStream) -> None:
        """Kill the worker of an answer that is no longer needed, unless the query has ended."""
        self._kill(answer, None)

    async def drain(self, grace: float = 1.0) -> None:
        """Finish running and queued queries, then end the workers; queries may still arrive for ``grace`` seconds."""
        await asyncio.sleep(grace)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.query_seconds + self._limits.queue_seconds):
                await self._admission.rest()
        await self.close()

    async def close(self, reason: TwingraphError | None = None) -> None:
        """Kill every worker; waiting queries fail with the ``reason``."""
        reason = reason or TooBusyError("the server is shutting down", 1)
        self._closed = True
        self._admission.close(reason)
        self.retry_now()
        for worker in tuple(self._all):
            worker.kill(reason)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, job: bytes, client: str) -> ResultStream:
        worker = await self._admission.acquire(client)
        answer = worker.ask(job)
        (self._long if self._limits.query_seconds > _LONG_SECONDS else self._deadline).add(answer)
        try:
            await answer.head
        except asyncio.CancelledError:
            self._kill(answer, None)
            raise
        except MemoryLimitError as error:
            self.stats.killed["memory"] += 1
            raise await self._true_cause(error) from error
        except WorkerLostError as error:
            raise await self._true_cause(error) from error
        if answer.is_complete:
            self._long.discard(answer)
            self._deadline.discard(answer)
        return answer

    async def _true_cause(self, error: TwingraphError) -> TwingraphError:
        """Return the cause of a failure: a damaged store can make the engine run without end, or crash."""
        is_external = isinstance(error, WorkerLostError) and error.signal == signal.SIGKILL
        if self._inspect is None or self._closed or is_external:
            return error
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._inspect(), _INSPECTION_SECONDS) or error
        return error

    def _slow_down(self, answer: ResultStream) -> None:
        """Lower the priority of a query that takes long."""
        if worker := self._worker_of(answer):
            worker.slow_down()
            self._deadline.add(answer)

    def _time_out(self, answer: ResultStream) -> None:
        self._kill(answer, QueryTimeoutError(self._limits.query_seconds))

    def _worker_of(self, answer: ResultStream) -> WorkerHandle | None:
        return next((worker for worker in self._all if worker.answering(answer)), None)

    async def _add(self) -> None:
        """Start a worker; when it cannot open the release, its process is reaped before this raises."""
        worker = WorkerHandle(self._free, self._lost)
        self._all.add(worker)
        begin = time.monotonic()
        try:
            opened = await worker.start(self._request)
        except (TwingraphError, OSError):
            worker.kill()
            await worker.reap()
            self._all.discard(worker)
            raise
        self._admission.penalties.started(time.monotonic() - begin)
        if not self.stats.started:
            for note in opened.notes:
                logger.warning("%s", note)
        self.stats.started += 1
        if self.workers >= self._size:
            self._filled.set()
        if not worker.has_ended:
            self._free(worker)

    async def _replace(self) -> None:
        """Start a worker, and retry until that succeeds."""
        backoff = Backoff()
        while not self._closed:
            try:
                await self._add()
            except (TwingraphError, OSError) as error:
                if not self._closed:
                    self._report(str(error))
                    await self._pause(backoff.failed())
            else:
                self._report(None)
                return

    async def _pause(self, seconds: float) -> None:
        """Wait, or return early when `retry_now` is called."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._retry.wait()

    def _report(self, failure: str | None) -> None:
        """Record whether workers start, and log each change."""
        if failure == self.failing:
            return
        self.failing = failure
        if failure:
            logger.error("workers do not start: %s; will retry", failure)
        else:
            logger.info("workers start again")
            self.retry_now()

    def _free(self, worker: WorkerHandle) -> None:
        self._admission.release(worker)
        if worker.found_damage:
            self._inspect_in_background()
        has_grown = worker.grown > self._request.memory_bytes * _MAX_GROWTH
        is_stuck_slow = worker.slowed and not worker.speed_up()
        if self._closed or is_stuck_slow or has_grown:
            self.stats.killed["replaced"] += 1
            worker.kill()
            return
        self._admission.offer(worker)

    def _lost(self, worker: WorkerHandle) -> None:
        client = worker.client
        self._admission.withdraw(worker)
        self.stats.lost += worker.opened and not worker.was_killed
        # If it has not opened the release, `_replace` or the caller of `start` deals with it.
        self._spawn(self._reap_and_replace(worker, client) if worker.opened else worker.reap())

    async def _reap_and_replace(self, worker: WorkerHandle, client: str | None) -> None:
        """Wait until the process of a worker is gone, and start a replacement."""
        code = await worker.reap()
        self._all.discard(worker)
        if self._closed:
            return
        # A worker killed from outside (SIGKILL, not by this pool) is not charged to any client.
        if client is not None and (worker.was_killed or code != -signal.SIGKILL):
            self._admission.penalties.charge(client)
            if not worker.was_killed:
                self._inspect_in_background()
        await self._replace()

    def _inspect_in_background(self) -> None:
        if self._inspect and not self._closed:
            self._spawn(self._inspect())

    def _kill(self, answer: ResultStream, reason: LimitError | None) -> None:
        """Kill the worker of an answer, unless the query has ended."""
        if worker := self._worker_of(answer):
            self.stats.killed["deadline" if reason else "abandoned"] += 1
            worker.kill(reason)
            if reason:
                self._inspect_in_background()

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
