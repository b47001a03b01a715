"""Questions that are being answered: those who ask the same share one answer, and a query that nobody wants ends."""

import asyncio
from collections.abc import Callable, Coroutine

from starlette.requests import ClientDisconnect, Request

from twingraph.server.cache import Cached
from twingraph.workers.worker_handle import ResultStream

Outcome = Cached | ResultStream
# After so long (seconds) it is worth watching whether the client is still there.
_SOON = 0.05


class Flight:
    """One question under way: who asked first does the work in his own task, the others wait for him.

    ``taken`` is set once somebody has taken the answer, if it is one that only one can take, and ``is_abandoned``
    when nobody wants it any more.
    """

    def __init__(self) -> None:
        self._landing: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._pilot: asyncio.Task[object] | None = asyncio.current_task()
        self._aboard = 0
        self.is_abandoned = False
        self.taken = False

    async def fly(self, work: Coroutine[object, object, Outcome], request: Request | None) -> Outcome:
        """Do the work; raises what it raises, or ClientDisconnect when nobody wants its outcome any more."""
        self._aboard += 1
        # Most answers are there sooner than it takes to begin to watch for a client that leaves.
        watch = _Watch(request, self._leave) if request else None
        try:
            outcome = await work
        except asyncio.CancelledError:
            self._landing.cancel()
            if self.is_abandoned and self._pilot:
                self._pilot.uncancel()
                raise ClientDisconnect from None
            raise
        except Exception as error:
            self._landing.set_exception(error)
            self._landing.exception()  # it may be that nobody waits
            raise
        finally:
            if watch:
                watch.end()
        self._landing.set_result(outcome)
        return outcome

    async def join(self, request: Request | None) -> Outcome:
        """Wait for the outcome; raises what the work raises, or ClientDisconnect when the client has gone."""
        self._aboard += 1
        waiting = asyncio.ensure_future(asyncio.shield(self._landing))
        watch = _Watch(request, waiting.cancel) if request else None
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._landing.done():
                raise
            self._leave()
            raise ClientDisconnect from None
        finally:
            if watch:
                watch.end()

    def _leave(self) -> None:
        self._aboard -= 1
        if not self._aboard and self._pilot and not self._landing.done():
            self.is_abandoned = True
            self._pilot.cancel()


class _Watch:
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
        await gone(self._request)
        self._left()


class Flights:
    """The questions under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[object, Flight] = {}

    async def board(
        self, key: object, request: Request | None, work: Callable[[], Coroutine[object, object, Outcome]]
    ) -> Outcome:
        """Return the outcome of the work that is under way for a key, or is now begun.

        Raises what the work raises, or ClientDisconnect when the client of ``request`` has gone.
        """
        flight = self._flights.get(key)
        if flight is None or flight.is_abandoned:
            flight = self._flights[key] = Flight()
            try:
                outcome = await flight.fly(work(), request)
            finally:
                if self._flights.get(key) is flight:
                    del self._flights[key]
        else:
            outcome = await flight.join(request)
        if isinstance(outcome, ResultStream) and flight.taken:
            # A large answer is read once; the others ask for themselves.
            return await self.board(object(), request, work)
        flight.taken = True
        return outcome


async def gone(request: Request) -> None:
    """Return when the client of a request has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
