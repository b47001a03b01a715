"""Single flight: those who ask the same at the same time share one answer, and a query that nobody wants ends."""

import asyncio
from collections.abc import Callable, Coroutine

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from twingraph.server.http.request import HttpRequest
from twingraph.server.query.cache import Answer
from twingraph.workers.result_stream import ResultStream
from twingraph.workers.shared_timer import SharedTimer

Result = Answer | ResultStream
# After so long (seconds) it is worth watching whether the client is still there.
_SOON = 0.05


class InFlight:
    """A query under way: the first to ask does the work in its own task, the others wait for it.

    ``is_taken`` is set once somebody has taken the result, if it is one that only one can take, and ``is_abandoned``
    when nobody wants it any more.
    """

    __slots__ = ("_has_ended", "_leader", "_result", "_waiters", "is_abandoned", "is_taken")

    def __init__(self) -> None:
        # Made when somebody waits; most queries have no other client than the first.
        self._result: asyncio.Future[Result] | None = None
        self._leader: asyncio.Task[object] | None = asyncio.current_task()
        self._waiters = 0
        self._has_ended = self.is_abandoned = self.is_taken = False

    async def lead(self, work: Coroutine[object, object, Result]) -> Result:
        """Do the work; raises what it raises, or ClientDisconnect when nobody wants its result any more."""
        self._waiters += 1
        try:
            result = await work
        except asyncio.CancelledError:
            if self._result:
                self._result.cancel()
            if self.is_abandoned and self._leader:
                self._leader.uncancel()
                raise ClientDisconnect from None
            raise
        except Exception as error:  # whatever it is, those who wait are given it too
            if self._result:
                self._result.set_exception(error)
                self._result.exception()  # all who waited may have gone
            raise
        finally:
            self._has_ended = True
        if self._result:
            self._result.set_result(result)
        return result

    async def wait(self, request: HttpRequest | None, watches: "SharedTimer[_DisconnectWatch]") -> Result:
        """Wait for the result; raises what the work raises, or ClientDisconnect when the client has gone."""
        self._waiters += 1
        if self._result is None:
            self._result = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(asyncio.shield(self._result))
        watch = _DisconnectWatch(request, waiting.cancel, watches) if request else None
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._result.done():
                raise
            self.leave()
            raise ClientDisconnect from None
        finally:
            if watch:
                watch.end()

    def leave(self) -> None:
        """Count one client less, and cancel the work when none is left."""
        self._waiters -= 1
        if not self._waiters and self._leader and not self._has_ended:
            self.is_abandoned = True
            self._leader.cancel()


class SingleFlight:
    """The queries under way, by key."""

    def __init__(self) -> None:
        self._in_flight: dict[object, InFlight] = {}
        # Most answers are there sooner than it takes to begin to watch for a client that leaves.
        self._watches: SharedTimer[_DisconnectWatch] = SharedTimer(_SOON, _DisconnectWatch.begin)

    async def run(
        self, key: object, request: HttpRequest | None, work: Callable[[], Coroutine[object, object, Result]]
    ) -> Result:
        """Return the result of the work that is under way for a key, or is now begun.

        Raises what the work raises, or ClientDisconnect when the client of ``request`` has gone.
        """
        flight = self._in_flight.get(key)
        if flight is None or flight.is_abandoned:
            flight = self._in_flight[key] = InFlight()
            watch = _DisconnectWatch(request, flight.leave, self._watches) if request else None
            try:
                result = await flight.lead(work())
            finally:
                if watch:
                    watch.end()
                if self._in_flight.get(key) is flight:
                    del self._in_flight[key]
        else:
            result = await flight.wait(request, self._watches)
        if isinstance(result, ResultStream) and flight.is_taken:
            # A large answer is read once; the others ask for themselves.
            return await self.run(object(), request, work)
        flight.is_taken = True
        return result


async def disconnected(receive: Receive) -> None:
    """Return when the client of a request has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _DisconnectWatch:
    """Calls ``left`` when the client goes while its answer is awaited; begun by a timer that all share."""

    __slots__ = ("_left", "_request", "_task", "_timer")

    def __init__(
        self, request: HttpRequest, left: Callable[[], object], timer: "SharedTimer[_DisconnectWatch]"
    ) -> None:
        self._request, self._left, self._timer = request, left, timer
        self._task: asyncio.Task[None] | None = None
        timer.add(self)

    def begin(self) -> None:
        self._task = asyncio.create_task(self._look())

    def end(self) -> None:
        self._timer.discard(self)
        if self._task:
            self._task.cancel()

    async def _look(self) -> None:
        await disconnected(self._request.receive)
        self._left()
