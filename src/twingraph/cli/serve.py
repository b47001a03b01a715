"""``twingraph serve``."""

import logging
import socket
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from twingraph.cli.building import build_with_report
from twingraph.cli.config import settings
from twingraph.cli.loose_files import loose_settings, temporary_release
from twingraph.cli.options import common, print_note
from twingraph.errors import SettingsError
from twingraph.processes import command
from twingraph.release.archive import Archive
from twingraph.server.supervisor import Supervisor
from twingraph.settings import Server, Settings

_FIRST_QUERY = "SELECT ?class (COUNT(*) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class ORDER BY DESC(?things)"


def serve_command(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Serve these files and folders, which need no twingraph.toml."),
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="Port to listen on; 0 for any free port.")] = None,
    base_iri: Annotated[
        str | None, typer.Option("--base-iri", metavar="IRI", help="The base IRI of files without twingraph.toml.")
    ] = None,
) -> None:
    """Serve the current release as a SPARQL endpoint with a home page, switching to each new release.

    If there is no release, one is built first. Files are served from a temporary release, which is removed at the end.

    Example: twingraph serve --port 8080

    Example: twingraph serve some.ttl more.trig
    """
    if files:
        own = loose_settings(context, files, base_iri=base_iri, server__host=host, server__port=port)
        with temporary_release(context, own) as publication:
            code = _serve(context, publication)
    else:
        publication = settings(context, server__host=host, server__port=port, base_iri=base_iri)
        if Archive(publication.releases).current_id() is None:
            print_note(context, "There is no release yet; building one.")
            build_with_report(context, publication)
        code = _serve(context, publication)
    raise typer.Exit(code)


def _serve(context: typer.Context, publication: Settings) -> int:
    with _listen(publication.server) as listener:
        level = logging.ERROR if common(context).quiet else logging.INFO
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        # The server runs in a child process, so that this one can restart it whatever happens to it.
        serialized, on_start = publication.model_dump_json().encode(), partial(_announce, listener)
        return Supervisor(command("twingraph.server.process"), listener, serialized, on_start).run()


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
