"""Single flight: concurrent requests for one answer share one execution, which ends when no client is left."""

import asyncio
from collections.abc import Callable, Coroutine

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from twingraph.server.http.request import HttpRequest
from twingraph.server.query.cache import Answer
from twingraph.workers.result_stream import ResultStream
from twingraph.workers.shared_timer import SharedTimer

Result = Answer | ResultStream
# How long (seconds) a query runs before its client is watched for a disconnect; most are finished by then.
_UNWATCHED_SECONDS = 0.05


class InFlight:
    """A running query: the first request executes it in its own task, and the others wait for the result.

    ``is_taken`` is set once one of them has the result, because a stream can be read only once; ``is_abandoned`` is set
    when all clients have disconnected.
    """

    __slots__ = ("_has_ended", "_leader", "_result", "_waiters", "is_abandoned", "is_taken")

    def __init__(self) -> None:
        # Created when a second client waits, which is rare.
        self._result: asyncio.Future[Result] | None = None
        self._leader: asyncio.Task[object] | None = asyncio.current_task()
        self._waiters = 0
        self._has_ended = self.is_abandoned = self.is_taken = False

    async def lead(self, work: Coroutine[object, object, Result]) -> Result:
        """Do the work; raises what it raises, or ClientDisconnect when all clients have disconnected."""
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
        except Exception as error:  # any error is passed on to those who wait
            if self._result:
                self._result.set_exception(error)
                self._result.exception()  # retrieved, in case no one waits any more
            raise
        finally:
            self._has_ended = True
        if self._result:
            self._result.set_result(result)
        return result

    async def wait(self, request: HttpRequest | None, watches: "SharedTimer[_DisconnectWatch]") -> Result:
        """Wait for the result; raises what the work raises, or ClientDisconnect when the client disconnects."""
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
        """Remove one client, and cancel the work when none is left."""
        self._waiters -= 1
        if not self._waiters and self._leader and not self._has_ended:
            self.is_abandoned = True
            self._leader.cancel()


class SingleFlight:
    """The running queries by key."""

    def __init__(self) -> None:
        self._in_flight: dict[object, InFlight] = {}
        self._watches: SharedTimer[_DisconnectWatch] = SharedTimer(_UNWATCHED_SECONDS, _DisconnectWatch.begin)

    async def run(
        self, key: object, request: HttpRequest | None, work: Callable[[], Coroutine[object, object, Result]]
    ) -> Result:
        """Return the result of the work that is running for a key, or else start it.

        Raises what the work raises, or ClientDisconnect when the client of ``request`` disconnects.
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
            # A stream can be read only once, so the other clients run the query themselves.
            return await self.run(object(), request, work)
        flight.is_taken = True
        return result


async def disconnected(receive: Receive) -> None:
    """Wait until the client of a request disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _DisconnectWatch:
    """Calls ``on_disconnect`` when the client disconnects while it waits; a shared timer starts it."""

    __slots__ = ("_on_disconnect", "_request", "_task", "_timer")

    def __init__(
        self, request: HttpRequest, on_disconnect: Callable[[], object], timer: "SharedTimer[_DisconnectWatch]"
    ) -> None:
        self._request, self._on_disconnect, self._timer = request, on_disconnect, timer
        self._task: asyncio.Task[None] | None = None
        timer.add(self)

    def begin(self) -> None:
        self._task = asyncio.create_task(self._wait())

    def end(self) -> None:
        self._timer.discard(self)
        if self._task:
            self._task.cancel()

    async def _wait(self) -> None:
        await disconnected(self._request.receive)
        self._on_disconnect()
