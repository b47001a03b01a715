"""``twingraph serve``."""

import logging
import socket
from functools import partial
from typing import Annotated

import typer

from twingraph.cli.options import print_note, settings
from twingraph.cli.releases import build_with_report
from twingraph.errors import SettingsError
from twingraph.processes import command
from twingraph.release.archive import Archive
from twingraph.server.supervisor import Supervisor
from twingraph.settings import Server

_FIRST_QUERY = "SELECT ?class (COUNT(*) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class ORDER BY DESC(?things)"


def serve_command(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free port.")] = None,
) -> None:
    """Serve the current release as a SPARQL endpoint with a home page, switching to each new release.

    If there is no release, one is built first.

    Example: twingraph serve --port 8080
    """
    publication = settings(context, server__host=host, server__port=port)
    if Archive(publication.releases).current_id() is None:
        print_note("There is no release yet; building one.")
        build_with_report(publication)
    with _listen(publication.server) as listener:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        # The server runs in a child process, so that this one can restart it whatever happens to it.
        serialized, on_start = publication.model_dump_json().encode(), partial(_announce, listener)
        supervisor = Supervisor(command("twingraph.server.process"), listener, serialized, on_start)
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
    typer.echo(f"Serving at {address}/, with the SPARQL endpoint at {address}/sparql; press Ctrl+C to stop.")
    typer.echo("A first query to try:")
    typer.echo(f"  curl -H 'Accept: text/csv' --data-urlencode 'query={_FIRST_QUERY}' {address}/sparql")
