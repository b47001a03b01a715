"""The pool: workers over one release, and who is answered next.

Each release has a pool of its own, so that no answer can be mixed from two. A pool has ``limits.workers`` processes and
``limits.spares`` more. A client that already has a query running leaves the spares alone: so they are there for those
who have none, whatever one client asks, and for taking the place of a worker that was killed.
"""

import asyncio
import contextlib
import logging
import math
import os
import signal
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field

from twingraph.errors import (
    LimitError,
    MemoryLimitError,
    NotReadyError,
    QueryTimeoutError,
    TooBusyError,
    TwingraphError,
    WorkerLostError,
)
from twingraph.settings import Limits
from twingraph.workers.wire import Opening, Question
from twingraph.workers.worker_handle import ResultStream, WorkerHandle

logger = logging.getLogger(__name__)

# A query that runs longer than this (seconds) goes behind shorter ones of others.
_LONG = 1.0
# A worker that has grown by more than this part of a query's memory is replaced: the next query is to have its own.
_GROWN = 8
# Between two attempts to start a worker that does not start (seconds).
_PAUSE = 1.0


@dataclass
class PoolStats:
    """What has happened in a pool; ``killed`` counts by reason."""

    started: int = 0
    lost: int = 0
    replaced: int = 0
    refused: int = 0
    killed: Counter[str] = field(default_factory=Counter)


class Pool:
    """Workers over the release of an opening."""

    def __init__(self, opening: Opening, limits: Limits, stats: PoolStats | None = None) -> None:
        self._opening, self._limits = opening, limits
        self._width = limits.workers or max(2, os.cpu_count() or 1)
        self._per_client = limits.per_client or self._width
        self._all: set[WorkerHandle] = set()
        self._idle: list[WorkerHandle] = []
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[WorkerHandle]]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest, self._filled = asyncio.Event(), asyncio.Event()
        self._closed = False
        self.stats = stats or PoolStats()

    @property
    def width(self) -> int:
        """How many workers there are beside the spares."""
        return self._width

    @property
    def idle(self) -> int:
        """How many workers are free, spares among them."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """How many workers have a query."""
        return self._running.total()

    @property
    def workers(self) -> int:
        """How many workers there are, spares among them."""
        return sum(worker.opened for worker in self._all)

    @property
    def queued(self) -> int:
        """How many queries wait for a worker."""
        return sum(len(queue) for queue in self._waiting.values())

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes."""
        return tuple(sorted(worker.pid for worker in self._all))

    def ensure_available(self) -> None:
        """Raise NotReadyError when there is no worker at all."""
        if not (self._idle or self._running):
            raise NotReadyError("there is no worker at the moment; the next one is being started")

    async def start(self, *, complete: bool = False) -> None:
        """Start the workers; return when one is ready, or all when the pool is to be ``complete``.

        Raises StoreError when the release cannot be opened.
        """
        await self._add()
        work = self._add if complete else self._replace
        others = [asyncio.create_task(work()) for _ in range(self._width + self._limits.spares - 1)]
        if complete:
            await asyncio.gather(*others)
        for task in others:
            self._keep(task)

    async def filled(self) -> None:
        """Return when all workers have been ready."""
        await self._filled.wait()

    async def ask(self, question: Question, client: str) -> ResultStream:
        """Return the answer once it is whole or as large as is held back.

        Raises QueryError, StoreError or a LimitError. When the task that asks is cancelled, so is the query.
        """
        try:
            return await self._ask(question, client)
        except WorkerLostError as error:
            # Killed from outside: it was not the query's fault.
            if error.signal != signal.SIGKILL or self._closed:
                raise
            return await self._ask(question, client)

    def abandon(self, answer: ResultStream) -> None:
        """End the query of an answer that nobody wants any more."""
        for worker in self._all:
            if worker.answering(answer):
                self._kill(worker, answer, None)
                return

    async def drain(self, grace: float = 1.0) -> None:
        """Answer what has been asked, then end the workers; those who are about to ask have a ``grace`` (seconds)."""
        await asyncio.sleep(grace)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.query_seconds + self._limits.queue_seconds):
                await self._empty()
        await self.close()

    async def _empty(self) -> None:
        """Return when nothing runs and nothing waits."""
        while self.busy or self.queued:
            self._rest.clear()
            await self._rest.wait()

    async def close(self) -> None:
        """End every worker at once."""
        self._closed = True
        for queue in self._waiting.values():
            for waiting in queue:
                if not waiting.done():
                    waiting.set_exception(TooBusyError("it is being stopped", 1))
        for worker in tuple(self._all):
            worker.kill(TooBusyError("it is being stopped", 1))
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, question: Question, client: str) -> ResultStream:
        is_free = not self._waiting and self._may_run(client)
        worker = self._assign(client) if is_free else await self._queue(client)
        answer = worker.ask(question, self._limits.held_bytes)
        self._watch(worker, answer)
        try:
            await answer.ready
        except asyncio.CancelledError:
            self._kill(worker, answer, None)
            raise
        except MemoryLimitError:
            self.stats.killed["memory"] += 1
            raise
        return answer

    def _watch(self, worker: WorkerHandle, answer: ResultStream) -> None:
        """Slow a query down when it takes long, and end it when it takes too long."""
        later, seconds = asyncio.get_running_loop().call_later, self._limits.query_seconds

        def slow_down() -> None:
            if worker.answering(answer):
                worker.slow_down()
                answer.timer = later(seconds - _LONG, self._kill, worker, answer, QueryTimeoutError(seconds))

        if seconds > _LONG:
            answer.timer = later(_LONG, slow_down)
        else:
            answer.timer = later(seconds, self._kill, worker, answer, QueryTimeoutError(seconds))

    async def _add(self) -> None:
        worker = WorkerHandle(self._free, self._lost)
        self._all.add(worker)
        try:
            opened = await worker.start(self._opening)
        except OSError:
            self._all.discard(worker)
            raise
        if not self.stats.started:
            for note in opened.notes:
                logger.warning("%s", note)
        self.stats.started += 1
        if self.workers >= self._width + self._limits.spares:
            self._filled.set()
        self._free(worker)

    async def _replace(self) -> None:
        while not self._closed:
            try:
                await self._add()
            except (TwingraphError, OSError) as error:
                logger.error("a worker does not start: %s", error)  # noqa: TRY400 - the message says it all
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _queue(self, client: str) -> WorkerHandle:
        """Wait for a worker; raises TooBusyError."""
        if self._closed or self.queued >= self._limits.queue:
            self.stats.refused += 1
            raise TooBusyError(f"{self.queued} queries are waiting", self._retry_after())
        waiting: asyncio.Future[WorkerHandle] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiting)
        self._dispatch()
        try:
            async with asyncio.timeout(self._limits.queue_seconds):
                return await waiting
        except TimeoutError:
            self.stats.refused += 1
            raise TooBusyError(
                f"no worker was free for {self._limits.queue_seconds:g} seconds", self._retry_after()
            ) from None
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._free(waiting.result())
            raise
        finally:
            self._dequeue(client, waiting)

    def _dequeue(self, client: str, waiting: asyncio.Future[WorkerHandle]) -> None:
        """Take a query that waits no more out of the queue."""
        if queue := self._waiting.get(client):
            if waiting in queue:
                queue.remove(waiting)
            if not queue:
                del self._waiting[client]

    def _may_run(self, client: str) -> bool:
        running = self._running[client]
        if not self._idle or running >= self._per_client:
            return False
        return not running or len(self._idle) > self._limits.spares

    def _assign(self, client: str) -> WorkerHandle:
        worker = self._idle.pop()
        worker.client = client
        self._running[client] += 1
        return worker

    def _dispatch(self) -> None:
        """Give free workers to those who wait: who has the fewest running goes first, then who has waited longest."""
        while self._idle and self._waiting:
            client = next(
                (one for one in sorted(self._waiting, key=self._running.__getitem__) if self._may_run(one)), None
            )
            if client is None:
                return
            queue = self._waiting[client]
            waiting = queue.popleft()
            self._waiting.move_to_end(client)
            if not queue:
                del self._waiting[client]
            if not waiting.done():
                waiting.set_result(self._assign(client))

    def _free(self, worker: WorkerHandle) -> None:
        self._release(worker)
        grown = worker.grown > self._opening.memory_bytes / _GROWN
        tired = worker.slowed and not worker.speed_up()
        if self._closed or tired or grown:
            self.stats.replaced += 1
            worker.kill()
            return
        self._idle.append(worker)
        self._dispatch()

    def _lost(self, worker: WorkerHandle) -> None:
        self._release(worker)
        self.stats.lost += 1
        self._all.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._keep(asyncio.create_task(worker.reap()))
        if worker.opened and not self._closed:
            self._keep(asyncio.create_task(self._replace()))

    def _release(self, worker: WorkerHandle) -> None:
        if worker.client is not None:
            self._running[worker.client] -= 1
            if not self._running[worker.client]:
                del self._running[worker.client]
            worker.client = None
            self._rest.set()

    def _kill(self, worker: WorkerHandle, answer: ResultStream, reason: LimitError | None) -> None:
        if worker.answering(answer):
            self.stats.killed["deadline" if reason else "abandoned"] += 1
            worker.kill(reason)

    def _retry_after(self) -> int:
        return math.ceil(self._limits.queue_seconds)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
