"""The server of the tests: the application itself behind a real HTTP server, one throw-away publication at a time.

Starting a process for each of some hundred datasets would take minutes; here one listener stays, and the application
behind it is made anew, its start-up and shut-down run, for each publication.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.server.app import create_app, current_release, following
from twingraph.settings import Settings

_SECONDS = 30


class Switchboard:
    """Passes every request to the application that is served now."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._life: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def serve(self, settings: Settings | None) -> None:
        """Shut down the application served so far and start that of other settings, if there are any."""
        self._end.set()
        if self._life:
            await self._life
        self._app = self._life = None
        if settings:
            self._end = asyncio.Event()
            ready = asyncio.get_running_loop().create_future()
            self._life = asyncio.create_task(self._live(settings, ready))
            await ready

    async def _live(self, settings: Settings, ready: asyncio.Future[None]) -> None:
        # In one task from beginning to end, as a server does it: what a start-up opens may be bound to its task.
        try:
            current = current_release(settings)
            self._app = create_app(settings, current)
            async with following(current):
                ready.set_result(None)
                await self._end.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)


class Endpoint:
    """Where tests ask: ``http`` is a client of the listener, ``serve`` puts a publication behind it."""

    def __init__(self, http: httpx.Client, board: Switchboard, loop: asyncio.AbstractEventLoop) -> None:
        self.http, self._board, self._loop = http, board, loop
        self.served: Settings | None = None

    def serve(self, settings: Settings | None) -> None:
        """Serve another publication from now on."""
        asyncio.run_coroutine_threadsafe(self._board.serve(settings), self._loop).result(_SECONDS)
        self.served = settings


@contextmanager
def listening() -> Iterator[Endpoint]:
    """Listen on a free port of this machine until the end."""
    # The protocol is named as event loops look for it before they switch off Nagle's algorithm, which would hold back
    # the body of each answer until the client has acknowledged its head.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        address = "http://{}:{}".format(*listener.getsockname())
        started = threading.Event()
        held: list[tuple[Switchboard, asyncio.AbstractEventLoop, uvicorn.Server]] = []

        async def run() -> None:
            board = Switchboard()
            config = uvicorn.Config(board, lifespan="off", ws="none", log_level="warning", access_log=False)
            server = uvicorn.Server(config)
            held.append((board, asyncio.get_running_loop(), server))
            started.set()
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
        thread.start()
        assert started.wait(_SECONDS)
        board, loop, server = held[0]
        with httpx.Client(base_url=address, trust_env=False, timeout=_SECONDS) as http:
            endpoint = Endpoint(http, board, loop)
            yield endpoint
            endpoint.serve(None)
        server.should_exit = True
        thread.join(_SECONDS)
