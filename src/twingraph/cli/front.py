"""The process that answers requests for ``twingraph serve``, which starts it and, when it ends, another one.

It is started as ``python -m twingraph.cli.front DESCRIPTOR PARENT``, with the settings as JSON on its standard input.
"""

import gc
import logging
import socket
import sys

import typer
import uvicorn

from twingraph.children import end_with_parent
from twingraph.cli.exit_codes import ExitCode, exit_code
from twingraph.errors import TwingraphError
from twingraph.server.access_log import LOGGER
from twingraph.server.app import create_app
from twingraph.server.connections import configuration
from twingraph.settings import Server, Settings


def main() -> None:
    """Answer requests over the listener of the command line until told to end."""
    descriptor, parent = (int(argument) for argument in sys.argv[1:])
    end_with_parent(parent)
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    _log(settings.server)
    try:
        app = create_app(settings)
    except TwingraphError as error:
        typer.echo(f"twingraph: {error}", err=True)
        sys.exit(exit_code(error))
    # What is here now stays to the end: looking through it for rubbish again and again would delay answers.
    gc.collect()
    gc.freeze()
    server = uvicorn.Server(configuration(app, settings.limits.request_seconds))
    with socket.socket(fileno=descriptor) as listener:
        server.run(sockets=[listener])
    sys.exit(ExitCode.OK if server.started else ExitCode.NOT_DONE)


def _log(server: Server) -> None:
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.WARNING, format=form)
    logging.getLogger("twingraph").setLevel(logging.INFO)
    # Each of its lines is a JSON object by itself.
    lines = logging.StreamHandler()
    lines.setFormatter(logging.Formatter("%(message)s"))
    access = logging.getLogger(LOGGER)
    access.addHandler(lines)
    access.propagate = False
    access.setLevel(logging.INFO if server.access_log else logging.WARNING)


if __name__ == "__main__":
    main()
