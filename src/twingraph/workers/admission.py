"""Admission control: the free workers, the queue for them, and which query gets one next.

A client with a running query, or with heavy recent usage, may not use the reserve workers: they are for light clients
and replace a killed worker at once. In the queue, the client with the fewest running queries goes first, then the one
with the least recent usage, see `Usage`. A client whose queries killed workers has to wait, see `Penalties`. When the
queue is full, the last query of the client with the most waiting queries is refused.
"""

import asyncio
import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from twingraph.errors import TooBusyError, TwingraphError
from twingraph.settings import Limits
from twingraph.workers.backoff import Penalties
from twingraph.workers.worker_handle import WorkerHandle

# Time constant (seconds) of the exponential decay of usage.
_DECAY_SECONDS = 10.0
# Usage (seconds of workers) from which a client is heavy: a fifth of a worker all the time, or a recent long query.
_HEAVY_SECONDS = 2.0
_MAX_CLIENTS = 4096


class Usage:
    """Recent usage by client, in seconds of workers, with exponential decay; at most ``max_clients`` are tracked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_clients: int = _MAX_CLIENTS) -> None:
        self._clock, self._max_clients = clock, max_clients
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def add(self, client: str, seconds: float) -> None:
        """Add the time for which a client occupied a worker."""
        self._used[client] = self.of(client) + seconds, self._clock()
        self._used.move_to_end(client)
        if len(self._used) > self._max_clients:
            self._used.popitem(last=False)

    def of(self, client: str) -> float:
        """Return the recent usage of a client in seconds of workers."""
        seconds, since = self._used.get(client, (0.0, 0.0))
        return seconds * math.exp((since - self._clock()) / _DECAY_SECONDS) if seconds else 0.0

    def is_heavy(self, client: str) -> bool:
        """Return whether the recent usage of a client bars it from the reserve workers."""
        return self.of(client) > _HEAVY_SECONDS


class Admission:
    """Assigns workers to queries."""

    def __init__(
        self, limits: Limits, per_client: int, penalties: Penalties | None = None, usage: Usage | None = None
    ) -> None:
        self._limits, self._per_client = limits, per_client
        self.penalties, self._usage = penalties or Penalties(), usage or Usage()
        self._since: dict[WorkerHandle, float] = {}
        self._free: list[WorkerHandle] = []
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[WorkerHandle]]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._may_be_idle = asyncio.Event()
        self._closed: TwingraphError | None = None

    @property
    def idle(self) -> int:
        """Number of free workers, reserve workers included."""
        return len(self._free)

    @property
    def busy(self) -> int:
        """Number of workers with a running query."""
        return self._running.total()

    @property
    def queued(self) -> int:
        """Number of queries waiting for a worker."""
        return sum(len(queue) for queue in self._waiting.values())

    async def acquire(self, client: str) -> WorkerHandle:
        """Return a worker for a query of the client, after queueing if necessary; raises TooBusyError."""
        if self._closed:
            raise self._closed
        if client not in self._waiting and self._may_run(client):
            return self._assign(client)
        return await self._queue(client)

    def offer(self, worker: WorkerHandle) -> None:
        """Add a free worker, and assign it if a query is waiting."""
        self._free.append(worker)
        self._dispatch()

    def release(self, worker: WorkerHandle) -> None:
        """Record that a worker's query has ended."""
        if worker.client is not None:
            self._running[worker.client] -= 1
            if not self._running[worker.client]:
                del self._running[worker.client]
            self._usage.add(worker.client, time.monotonic() - self._since.pop(worker))
            worker.client = None
            self._may_be_idle.set()

    def withdraw(self, worker: WorkerHandle) -> None:
        """Remove a worker that has ended or is about to end."""
        self.release(worker)
        if worker in self._free:
            self._free.remove(worker)
        self._dispatch()

    async def rest(self) -> None:
        """Wait until no query is running or waiting."""
        while self.busy or self.queued:
            self._may_be_idle.clear()
            await self._may_be_idle.wait()

    def close(self, reason: TwingraphError) -> None:
        """Fail all waiting and all later queries with ``reason``."""
        self._closed = reason
        if self._timer:
            self._timer.cancel()
        for queue in self._waiting.values():
            for waiting in queue:
                if not waiting.done():
                    waiting.set_exception(reason)

    async def _queue(self, client: str) -> WorkerHandle:
        """Wait in the queue for a worker."""
        if self.penalties.wait(client) > self._limits.queue_seconds:
            raise self._refusal(client)
        if self.queued >= self._limits.queue and not self._make_room(client):
            raise TooBusyError(f"{self.queued} queries are waiting", self._retry_after())
        waiting: asyncio.Future[WorkerHandle] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiting)
        self._dispatch()
        try:
            async with asyncio.timeout(self._limits.queue_seconds):
                return await waiting
        except TimeoutError:
            # A worker assigned at the moment of the timeout must not be lost.
            if _has_result(waiting):
                return waiting.result()
            raise self._refusal(client) from None
        except asyncio.CancelledError:
            if _has_result(waiting):
                self._return(waiting.result())
            raise
        finally:
            self._dequeue(client, waiting)

    def _refusal(self, client: str) -> TooBusyError:
        """Return the error for a query that did not get a worker in time."""
        if wait := self.penalties.wait(client):
            return TooBusyError(
                "queries from your address have killed workers, which have to be replaced", math.ceil(wait)
            )
        return TooBusyError(f"no worker was free for {self._limits.queue_seconds:g} seconds", self._retry_after())

    def _make_room(self, client: str) -> bool:
        """Refuse the last query of the client with the most waiting queries; return False when it is this client."""
        if not self._waiting:
            return False
        longest = max(self._waiting.values(), key=len)
        if len(longest) <= len(self._waiting.get(client, ())) + 1:
            return False
        last = longest.pop()
        if not last.done():
            last.set_exception(TooBusyError("other clients wait with fewer queries", self._retry_after()))
        return True

    def _dequeue(self, client: str, waiting: asyncio.Future[WorkerHandle]) -> None:
        """Remove a query from the queue."""
        if queue := self._waiting.get(client):
            if waiting in queue:
                queue.remove(waiting)
            if not queue:
                del self._waiting[client]
        self._may_be_idle.set()

    def _return(self, worker: WorkerHandle) -> None:
        """Return a worker that was assigned to a cancelled query."""
        self.release(worker)
        if not worker.has_ended:
            self.offer(worker)

    def _may_run(self, client: str) -> bool:
        running = self._running[client]
        if not self._free or running >= self._per_client or self.penalties.wait(client):
            return False
        return len(self._free) > self._limits.reserve_workers or not (running or self._usage.is_heavy(client))

    def _assign(self, client: str) -> WorkerHandle:
        worker = self._free.pop()
        worker.client, self._since[worker] = client, time.monotonic()
        self._running[client] += 1
        return worker

    def _dispatch(self) -> None:
        """Assign free workers, to the client with the fewest running queries first, then the least recent usage."""
        while self._free and self._waiting:
            fewest_first = sorted(self._waiting, key=lambda one: (self._running[one], self._usage.of(one)))
            client = next((one for one in fewest_first if self._may_run(one)), None)
            if client is None:
                self._dispatch_later()
                return
            queue = self._waiting[client]
            waiting = queue.popleft()
            self._waiting.move_to_end(client)
            if not queue:
                del self._waiting[client]
            if not waiting.done():
                waiting.set_result(self._assign(client))

    def _dispatch_later(self) -> None:
        """Dispatch again when the first penalty of a waiting client has passed."""
        if self._timer:
            self._timer.cancel()
        waits = [wait for client in self._waiting if (wait := self.penalties.wait(client))]
        self._timer = asyncio.get_running_loop().call_later(min(waits), self._dispatch) if waits else None

    def _retry_after(self) -> int:
        return math.ceil(self._limits.queue_seconds)


def _has_result(waiting: asyncio.Future[WorkerHandle]) -> bool:
    return waiting.done() and not waiting.cancelled() and waiting.exception() is None
