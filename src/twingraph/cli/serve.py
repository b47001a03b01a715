"""``twingraph serve``."""

import logging
import socket
from typing import Annotated

import typer
import uvicorn

from twingraph.cli.build import build_with_report
from twingraph.cli.exit_codes import ExitCode
from twingraph.cli.options import say, settings
from twingraph.errors import SettingsError
from twingraph.release.archive import Archive
from twingraph.server.access_log import LOGGER
from twingraph.server.app import create_app
from twingraph.settings import Server

_FIRST_QUERY = "SELECT ?class (COUNT(*) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class ORDER BY DESC(?things)"


def serve_command(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any that is free.")] = None,
) -> None:
    """Serve the current release as a SPARQL endpoint with a home page, and each later release as it comes.

    A release is built first when there is none.

    Example: twingraph serve --port 8080
    """
    chosen = settings(context, server__host=host, server__port=port)
    if Archive(chosen.releases).current_id() is None:
        say("There is no release yet: building one.")
        build_with_report(chosen)
    app = create_app(chosen)
    with _listen(chosen.server) as listener:
        _announce(listener)
        _log(chosen.server)
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise typer.Exit(ExitCode.NOT_DONE)


def _listen(server: Server) -> socket.socket:
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host, server.port), family=family)
    except OSError as error:
        reason = f"cannot listen on {server.host} port {server.port}: {error.strerror or error}"
        raise SettingsError("server", "port", reason) from error


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    typer.echo(f"Serving at {address}/ and, for programs, at {address}/sparql; Ctrl+C ends it.")
    typer.echo("A first query to try:")
    typer.echo(f"  curl -H 'Accept: text/csv' --data-urlencode 'query={_FIRST_QUERY}' {address}/sparql")


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
