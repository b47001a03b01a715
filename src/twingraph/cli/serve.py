"""``twingraph serve``."""

import logging
import socket
from functools import partial
from typing import Annotated

import typer

from twingraph.cli.build import build_with_report
from twingraph.cli.options import say, settings
from twingraph.errors import SettingsError
from twingraph.processes import command
from twingraph.release.archive import Archive
from twingraph.server.supervisor import Supervisor
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
    with _listen(chosen.server) as listener:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        # The process that answers is another one, so that this one is there to start it again whatever becomes of it.
        stdin, on_ready = chosen.model_dump_json().encode(), partial(_announce, listener)
        supervisor = Supervisor(command("twingraph.server.process"), listener, stdin, on_ready)
        raise typer.Exit(supervisor.run())


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
