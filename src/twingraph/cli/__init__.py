"""The command line, ``twingraph COMMAND``: the commands by name, and the options that stand before them.

Each command is a few lines: it loads the settings, calls the packages that do the work, prints, and exits. Exit codes:
0 for success, 1 when the publication does not conform or a release is damaged, 2 for wrong usage, 3 for a failure,
4 for a fault of this program.
"""

import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from twingraph import __version__
from twingraph.cli.options import config_command
from twingraph.cli.publication import check_command, coverage_command, locate_command
from twingraph.cli.query import query_command
from twingraph.cli.releases import build_command, prune_command, verify_command
from twingraph.cli.serve import serve_command
from twingraph.errors import ExitCode, TwingraphError, exit_code

__all__ = ["app", "main"]

app = typer.Typer(
    name="twingraph",
    help="Publish a directory of ontology, data, shapes and queries as linked data with a SPARQL endpoint.",
    epilog="Exit codes: 0 success, 1 not conforming or damaged, 2 wrong usage, 3 failure, 4 fault of this program.",
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


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"twingraph {__version__}")
        raise typer.Exit


@app.callback()
def common_options(
    context: typer.Context,
    directory: Annotated[
        Path,
        typer.Option("--directory", "-C", metavar="DIR", help="The publication's directory.", show_default="here"),
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Store the options that all commands share in the context."""
    context.obj = directory.resolve()


def main() -> NoReturn:
    """Run the command line and exit with its code; an error is printed as one line on stderr, without a traceback."""
    try:
        app()  # exits by itself, with 2 for wrong usage
    except TwingraphError as error:
        typer.echo(f"twingraph: {error}", err=True)
        sys.exit(exit_code(error))
    except OSError as error:
        typer.echo(f"twingraph: {error}", err=True)
        sys.exit(ExitCode.NOT_DONE)
    except Exception:  # noqa: BLE001 - a fault of this program must not look as if the publication did not conform
        traceback.print_exc()
        typer.echo(
            "twingraph: this is a fault of the program, not of the publication; please report the above", err=True
        )
        sys.exit(ExitCode.FAULT)
    sys.exit(ExitCode.OK)
