"""The process that answers requests for ``twingraph serve``, which starts it and, when it ends, another one.

It is started as ``python -m twingraph.server.process [--again] DESCRIPTOR PARENT``, with the settings as JSON on its
standard input. The first one ends when the release cannot be opened; later ones wait until it can.
"""

import gc
import logging
import resource
import socket
import sys
from typing import NoReturn

import typer
import uvicorn

from twingraph.errors import ExitCode, TwingraphError, exit_code
from twingraph.processes import exit_with_parent
from twingraph.server.app import create_app, current_release
from twingraph.server.http.access_log import LOGGER
from twingraph.server.http.uvicorn_protocol import configuration
from twingraph.server.query.current_release import CurrentRelease
from twingraph.server.supervisor import AGAIN
from twingraph.settings import Server, Settings

# What is open beside connections: workers, releases, those who are turned away.
_OTHER_FILES = 250
logger = logging.getLogger(__name__)


def main() -> None:
    """Answer requests over the listener of the command line until told to end."""
    descriptor, parent = (int(argument) for argument in sys.argv[-2:])
    exit_with_parent(parent)
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    _log(settings.server)
    try:
        current = current_release(settings, patient=AGAIN in sys.argv)
    except TwingraphError as error:
        _end(error)
    app = create_app(settings, current)
    # What is here now stays to the end: looking through it for rubbish again and again would delay answers.
    gc.collect()
    gc.freeze()
    server = _Server(configuration(app, settings, _connections(settings)), current)
    with socket.socket(fileno=descriptor) as listener:
        server.run(sockets=[listener])
    if server.failure:
        _end(server.failure)
    sys.exit(ExitCode.OK if server.started else ExitCode.NOT_DONE)


class _Server(uvicorn.Server):
    """uvicorn's, which opens the release before it takes requests, and says so by a line on standard output.

    ``failure`` is why the release could not be opened.
    """

    def __init__(self, config: uvicorn.Config, current: CurrentRelease) -> None:
        super().__init__(config)
        self._current = current
        self.failure: TwingraphError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await self._current.start()
        except TwingraphError as error:
            self.failure, self.should_exit = error, True
            return
        await super().startup(sockets)
        if self.started:
            typer.echo("ready")


def _end(error: TwingraphError) -> NoReturn:
    typer.echo(f"twingraph: {error}", err=True)
    sys.exit(exit_code(error))


def _connections(settings: Settings) -> int:
    """Return how many connections there may be; this process may open as many files then as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.limits.connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings.limits.connections
    possible = max(1, soft - _OTHER_FILES)
    logger.warning("the system lets this process have %d open files: %d connections at most", soft, possible)
    return possible


def _log(server: Server) -> None:
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.WARNING, format=form)
    logging.getLogger("twingraph").setLevel(logging.INFO)
    # Each of its lines is a JSON object by itself.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    access = logging.getLogger(LOGGER)
    access.addHandler(handler)
    access.propagate = False
    access.setLevel(logging.INFO if server.access_log else logging.WARNING)


if __name__ == "__main__":
    main()
