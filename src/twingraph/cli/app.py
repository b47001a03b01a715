"""The commands by name, and the options that stand before them."""

from pathlib import Path
from typing import Annotated

import typer

from twingraph import __version__
from twingraph.cli.build import build_command
from twingraph.cli.check import check_command
from twingraph.cli.documents import coverage_command, locate_command
from twingraph.cli.options import config_command
from twingraph.cli.query import query_command
from twingraph.cli.releases import prune_command, verify_command
from twingraph.cli.serve import serve_command

app = typer.Typer(
    name="twingraph",
    help="Publish a directory of ontology, data, shapes and queries as linked data with a SPARQL endpoint.",
    epilog="Exit codes: 0 done, 1 something does not conform or is damaged, 2 wrong usage, 3 could not be done.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("check")(check_command)
app.command("build")(build_command)
app.command("serve")(serve_command)
app.command("query")(query_command)
app.command("coverage")(coverage_command)
app.command("locate")(locate_command)
app.command("verify")(verify_command)
app.command("prune")(prune_command)
app.command("config")(config_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twingraph {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    directory: Annotated[
        Path,
        typer.Option("--directory", "-C", metavar="DIR", help="The publication's directory.", show_default="here"),
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Take what holds for every command."""
    context.obj = directory.resolve()
