"""The pool: the worker processes over one release, started, watched, ended and replaced.

Each release has a pool of its own, so that no answer can be mixed from two. A pool has ``limits.workers`` processes and
``limits.reserve_workers`` more, and never more than that: one is replaced when it is gone. When the release cannot be
opened, it is tried again, later each time. Whose query is given a worker next is decided by `Admission`.
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

# A query that runs longer than this (seconds) goes behind shorter ones of others.
_LONG = 1.0
# A worker that has grown by more than this part of a query's memory is replaced: the next query is to have its own.
_GROWN = 8
# How long (seconds) a failed query waits for the inspection that may blame the store.
_INSPECTION = 10.0

Inspect = Callable[[], Coroutine[Any, Any, DamagedStoreError | None]]


@dataclass
class PoolStats:
    """How many workers were started, ended by themselves, and were killed, by reason."""

    started: int = 0
    lost: int = 0
    killed: Counter[str] = field(default_factory=Counter)


class Pool:
    """Workers over the release of an opening.

    ``inspect`` finds out whether the release is damaged on the disk. It is asked when a worker has ended in a way that
    damage can explain, and may refuse to look again so soon. ``failing`` is why workers do not start, if they do not.
    """

    def __init__(
        self,
        opening: OpenRequest,
        limits: Limits,
        stats: PoolStats | None = None,
        penalties: Penalties | None = None,
        inspect: Inspect | None = None,
    ) -> None:
        self._opening, self._limits, self._inspect = opening, limits, inspect
        self._width = limits.workers or max(2, os.cpu_count() or 1)
        self._size = self._width + limits.reserve_workers
        self.stats = stats or PoolStats()
        self._admission = Admission(limits, limits.per_client or self._width, penalties)
        self._all: set[WorkerHandle] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._filled, self._retry = asyncio.Event(), asyncio.Event()
        self._closed = False
        # Until a query is slowed down, and from then, or from its start when it has less, until it is ended.
        seconds = limits.query_seconds
        self._long = SharedTimer(_LONG, self._slow_down)
        self._deadline = SharedTimer(seconds - _LONG if seconds > _LONG else seconds, self._end_late)
        self.failing: str | None = None

    @property
    def width(self) -> int:
        """How many workers there are beside the spares."""
        return self._width

    @property
    def idle(self) -> int:
        """How many workers are free, spares among them."""
        return self._admission.idle

    @property
    def busy(self) -> int:
        """How many workers have a query."""
        return self._admission.busy

    @property
    def workers(self) -> int:
        """How many workers there are, spares among them."""
        return sum(worker.opened and not worker.has_ended for worker in self._all)

    @property
    def queued(self) -> int:
        """How many queries wait for a worker."""
        return self._admission.queued

    def ensure_available(self) -> None:
        """Raise NotReadyError when there is no worker at all."""
        if not (self.idle or self.busy):
            raise NotReadyError("there is no worker at the moment; the next one is being started")

    async def start(self, *, complete: bool = False) -> None:
        """Start the workers; return when one is ready, or all when the pool is to be ``complete``.

        Raises StoreError when the release cannot be opened.
        """
        await self._add()
        work = self._add if complete else self._replace
        others = [self._keep(work()) for _ in range(self._size - 1)]
        if complete:
            await asyncio.gather(*others)

    async def filled(self) -> None:
        """Return when all workers have been ready."""
        await self._filled.wait()

    def retry_now(self) -> None:
        """Try at once to start the workers that could not open the release."""
        self._retry.set()
        self._retry = asyncio.Event()

    async def ask(self, job: bytes, client: str) -> ResultStream:
        """Return the answer to a job, given as its JOB frame, once its head is known.

        Raises QueryError, StoreError or a LimitError. Cancelling the calling task ends the query.
        """
        try:
            return await self._ask(job, client)
        except WorkerLostError as error:
            # Killed from outside: it was not the query's fault.
            if error.signal != signal.SIGKILL or self._closed:
                raise
        try:
            return await self._ask(job, client)
        except WorkerLostError as error:
            # Twice: it may be what the system ends when it runs out of memory.
            if error.signal == signal.SIGKILL:
                self._admission.penalties.charge(client)
            raise

    def abandon(self, answer: ResultStream) -> None:
        """Kill the worker of an answer that is no longer needed."""
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
        reason = reason or TooBusyError("it is being stopped", 1)
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
        (self._long if self._limits.query_seconds > _LONG else self._deadline).add(answer)
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
        """Return why a query has ended: the engine can take a damaged block for endless work, or end at it."""
        is_external = isinstance(error, WorkerLostError) and error.signal == signal.SIGKILL
        if self._inspect is None or self._closed or is_external:
            return error
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._inspect(), _INSPECTION) or error
        return error

    def _slow_down(self, answer: ResultStream) -> None:
        """Lower the priority of a query that takes long."""
        if worker := self._worker_of(answer):
            worker.slow_down()
            self._deadline.add(answer)

    def _end_late(self, answer: ResultStream) -> None:
        self._kill(answer, QueryTimeoutError(self._limits.query_seconds))

    def _worker_of(self, answer: ResultStream) -> WorkerHandle | None:
        return next((worker for worker in self._all if worker.answering(answer)), None)

    async def _add(self) -> None:
        """Start a worker; what cannot open the release is ended, and gone when this raises."""
        worker = WorkerHandle(self._free, self._lost)
        self._all.add(worker)
        begin = time.monotonic()
        try:
            opened = await worker.start(self._opening)
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
        """Start a worker, with as many attempts as it takes."""
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
        """Log that workers do not start, and that they do again, when that is news."""
        if failure == self.failing:
            return
        self.failing = failure
        if failure:
            logger.error("workers do not start: %s; they are tried again, later each time", failure)
        else:
            logger.info("workers start again")
            self.retry_now()

    def _free(self, worker: WorkerHandle) -> None:
        self._admission.release(worker)
        if worker.found_damage:
            self._look_for_damage()
        grown = worker.grown > self._opening.memory_bytes / _GROWN
        is_stuck_slow = worker.slowed and not worker.speed_up()
        if self._closed or is_stuck_slow or grown:
            self.stats.killed["replaced"] += 1
            worker.kill()
            return
        self._admission.offer(worker)

    def _lost(self, worker: WorkerHandle) -> None:
        client = worker.client
        self._admission.withdraw(worker)
        self.stats.lost += worker.opened and not worker.was_killed
        # One that has not opened the release is tried again by who started it.
        self._keep(self._bury(worker, client) if worker.opened else worker.reap())

    async def _bury(self, worker: WorkerHandle, client: str | None) -> None:
        """Wait until a worker is gone, and start the next one in its place."""
        code = await worker.reap()
        self._all.discard(worker)
        if self._closed:
            return
        # Nobody pays for a worker that was killed from outside.
        if client is not None and (worker.was_killed or code != -signal.SIGKILL):
            self._admission.penalties.charge(client)
            if not worker.was_killed:
                self._look_for_damage()
        await self._replace()

    def _look_for_damage(self) -> None:
        if self._inspect and not self._closed:
            self._keep(self._inspect())

    def _kill(self, answer: ResultStream, reason: LimitError | None) -> None:
        """End the query of an answer, unless it has ended."""
        if worker := self._worker_of(answer):
            self.stats.killed["deadline" if reason else "abandoned"] += 1
            worker.kill(reason)
            if reason:
                self._look_for_damage()

    def _keep(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
