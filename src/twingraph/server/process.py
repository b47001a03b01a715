"""The server process: ``twingraph serve`` starts it, and starts another one when it ends unexpectedly.

It is started as ``python -m twingraph.server.process [--again] DESCRIPTOR PARENT``, with the settings as JSON on its
standard input. Without ``--again`` it exits when the release cannot be opened; with it, it waits until it can.
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

# File descriptors reserved for anything but connections: workers, releases, connections that are being refused.
_RESERVED_FILES = 250
logger = logging.getLogger(__name__)


def main() -> None:
    """Serve requests on the listener named on the command line until a signal ends the process."""
    descriptor, parent = (int(argument) for argument in sys.argv[-2:])
    exit_with_parent(parent)
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    _configure_logging(settings.server)
    try:
        current = current_release(settings, patient=AGAIN in sys.argv)
    except TwingraphError as error:
        _exit_with(error)
    app = create_app(settings, current)
    # Everything allocated so far lives as long as the process; collecting it again and again would delay responses.
    gc.collect()
    gc.freeze()
    server = _Server(configuration(app, settings, _max_connections(settings)), current)
    with socket.socket(fileno=descriptor) as listener:
        server.run(sockets=[listener])
    if server.failure:
        _exit_with(server.failure)
    sys.exit(ExitCode.OK if server.started else ExitCode.NOT_DONE)


class _Server(uvicorn.Server):
    """uvicorn's server, which opens the release before it accepts requests and then prints ``ready``.

    ``failure`` is the error when the release could not be opened.
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


def _exit_with(error: TwingraphError) -> NoReturn:
    typer.echo(f"twingraph: {error}", err=True)
    sys.exit(exit_code(error))


def _max_connections(settings: Settings) -> int:
    """Raise the limit of open files as far as needed and allowed; return the number of connections that then fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.limits.connections + _RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return settings.limits.connections
    possible = max(1, soft - _RESERVED_FILES)
    logger.warning("the limit of open files is %d: at most %d connections are accepted", soft, possible)
    return possible


def _configure_logging(server: Server) -> None:
    line = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.WARNING, format=line)
    logging.getLogger("twingraph").setLevel(logging.INFO)
    # An access log line is a complete JSON object and takes no prefix.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    access = logging.getLogger(LOGGER)
    access.addHandler(handler)
    access.propagate = False
    access.setLevel(logging.INFO if server.access_log else logging.WARNING)


if __name__ == "__main__":
    main()
