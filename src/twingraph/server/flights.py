"""Questions that are being answered: those who ask the same share one answer, and a query that nobody wants ends."""

import asyncio
from collections.abc import Callable, Coroutine

from starlette.requests import ClientDisconnect, Request

from twingraph.server.cache import Cached
from twingraph.workers.process import Answer

Outcome = Cached | Answer
# After so long (seconds) it is worth watching whether the client is still there.
_SOON = 0.05


class Flight:
    """One question under way; ``taken`` once somebody has taken the answer, if it is one that only one can take."""

    def __init__(self, work: Coroutine[object, object, Outcome], landed: Callable[[], object]) -> None:
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(lambda _: landed())
        self.passengers = 0
        self.taken = False


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
        if flight is None:
            flight = self._flights[key] = Flight(work(), lambda: self._flights.pop(key, None))
        flight.passengers += 1
        try:
            outcome = await _arrival(flight.task, request)
        finally:
            flight.passengers -= 1
            if not flight.passengers and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()
        if isinstance(outcome, Answer) and flight.taken:
            # A large answer is read once; the others ask for themselves.
            return await self.board(object(), request, work)
        flight.taken = True
        return outcome


async def gone(request: Request) -> None:
    """Return when the client of a request has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _arrival(task: asyncio.Task[Outcome], request: Request | None) -> Outcome:
    await asyncio.wait({task}, timeout=_SOON)
    if task.done() or request is None:
        return await asyncio.shield(task)
    watch = asyncio.create_task(gone(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
    if not task.done():
        raise ClientDisconnect
    return task.result()
