"""Single flight: those who ask the same at the same time share one answer, and a query that nobody wants ends."""

import asyncio
from collections.abc import Callable, Coroutine

from starlette.requests import ClientDisconnect, Request

from twingraph.server.query.cache import Answer
from twingraph.workers.result_stream import ResultStream

Result = Answer | ResultStream
# After so long (seconds) it is worth watching whether the client is still there.
_SOON = 0.05


class InFlight:
    """A query under way: the first to ask does the work in its own task, the others wait for it.

    ``is_taken`` is set once somebody has taken the result, if it is one that only one can take, and ``is_abandoned``
    when nobody wants it any more.
    """

    def __init__(self) -> None:
        self._result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._leader: asyncio.Task[object] | None = asyncio.current_task()
        self._waiters = 0
        self.is_abandoned = False
        self.is_taken = False

    async def lead(self, work: Coroutine[object, object, Result], request: Request | None) -> Result:
        """Do the work; raises what it raises, or ClientDisconnect when nobody wants its result any more."""
        self._waiters += 1
        # Most answers are there sooner than it takes to begin to watch for a client that leaves.
        watch = _DisconnectWatch(request, self._leave) if request else None
        try:
            result = await work
        except asyncio.CancelledError:
            self._result.cancel()
            if self.is_abandoned and self._leader:
                self._leader.uncancel()
                raise ClientDisconnect from None
            raise
        except Exception as error:
            self._result.set_exception(error)
            self._result.exception()  # it may be that nobody waits
            raise
        finally:
            if watch:
                watch.end()
        self._result.set_result(result)
        return result

    async def wait(self, request: Request | None) -> Result:
        """Wait for the result; raises what the work raises, or ClientDisconnect when the client has gone."""
        self._waiters += 1
        waiting = asyncio.ensure_future(asyncio.shield(self._result))
        watch = _DisconnectWatch(request, waiting.cancel) if request else None
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._result.done():
                raise
            self._leave()
            raise ClientDisconnect from None
        finally:
            if watch:
                watch.end()

    def _leave(self) -> None:
        self._waiters -= 1
        if not self._waiters and self._leader and not self._result.done():
            self.is_abandoned = True
            self._leader.cancel()


class SingleFlight:
    """The queries under way, by key."""

    def __init__(self) -> None:
        self._in_flight: dict[object, InFlight] = {}

    async def run(
        self, key: object, request: Request | None, work: Callable[[], Coroutine[object, object, Result]]
    ) -> Result:
        """Return the result of the work that is under way for a key, or is now begun.

        Raises what the work raises, or ClientDisconnect when the client of ``request`` has gone.
        """
        flight = self._in_flight.get(key)
        if flight is None or flight.is_abandoned:
            flight = self._in_flight[key] = InFlight()
            try:
                result = await flight.lead(work(), request)
            finally:
                if self._in_flight.get(key) is flight:
                    del self._in_flight[key]
        else:
            result = await flight.wait(request)
        if isinstance(result, ResultStream) and flight.is_taken:
            # A large answer is read once; the others ask for themselves.
            return await self.run(object(), request, work)
        flight.is_taken = True
        return result


async def disconnected(request: Request) -> None:
    """Return when the client of a request has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _DisconnectWatch:
    """Calls ``left`` when the client goes while its answer is awaited."""

    def __init__(self, request: Request, left: Callable[[], object]) -> None:
        self._request, self._left = request, left
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_SOON, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._task:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        await disconnected(self._request)
        self._left()
