"""The command line: ``twingraph COMMAND``. Each command is a few lines; the work is done by the other packages.

Exit codes: 0 done, 1 the publication does not conform or a release is damaged, 2 wrong usage, 3 could not be done.
"""

import sys
from typing import NoReturn

import typer

from twingraph.cli.app import app
from twingraph.errors import TwingraphError
from twingraph.exit_codes import ExitCode, exit_code

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and leave with its exit code; an error is one line on stderr, never a traceback."""
    try:
        app()  # leaves by itself, with 2 for wrong usage
    except TwingraphError as error:
        typer.echo(f"twingraph: {error}", err=True)
        sys.exit(exit_code(error))
    except OSError as error:
        typer.echo(f"twingraph: {error}", err=True)
        sys.exit(ExitCode.NOT_DONE)
    sys.exit(ExitCode.OK)
