"""``twingraph rehearse``."""

from typing import Annotated

import typer

from twingraph.cli.config import settings
from twingraph.cli.options import print_note
from twingraph.errors import ExitCode, UnknownNameError
from twingraph.rehearsal.complaints import Level
from twingraph.rehearsal.profiles import HARVESTERS, public_address, visit
from twingraph.rehearsal.visiting import Visitor
from twingraph.tables import plural


def rehearse_command(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Argument(metavar="PROFILE", help="dcat-ap, dcat-ap-se, schema.org or void; all by default.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The address of the server; by default that of settings.")
    ] = None,
) -> None:
    """Play harvesters against a running server and print what they would complain about, with what to change.

    Addresses in the catalogue that begin with the base IRI are fetched from the server. Exits with 1 on an error.

    Example: twingraph rehearse dcat-ap --url http://127.0.0.1:8000/
    """
    if profile is not None and profile not in HARVESTERS:
        raise UnknownNameError("profile", profile, HARVESTERS)
    if url is None:
        server = settings(context).server
        url = f"http://{server.host}:{server.port}"
    here = f"{url.rstrip('/')}/"
    visitor = Visitor(here, public_address(Visitor(here)))
    if visitor.public != here:
        print_note(context, f"Addresses under {visitor.public} are fetched from {here}.")
    errors = 0
    for name in [profile] if profile else HARVESTERS:
        found = list(dict.fromkeys(visit(name, visitor)))
        for one in found:
            typer.echo(f"{name}: {one}")
        errors += sum(one.level is Level.ERROR for one in found)
        if not found:
            typer.echo(f"{name}: nothing to complain about")
    print_note(context, f"{plural(visitor.fetched, 'request')}, {plural(errors, 'error')}.")
    raise typer.Exit(ExitCode.NOT_CONFORMING if errors else ExitCode.OK)
