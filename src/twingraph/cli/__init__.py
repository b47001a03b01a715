"""The command line: ``twingraph COMMAND``. Each command is a few lines; the work is done by the other packages.

Exit codes: 0 done, 1 the publication does not conform, 2 wrong usage, 3 could not be done.
"""

import sys
from typing import NoReturn

import click

from twingraph.cli.app import app
from twingraph.cli.exit_codes import ExitCode, exit_code
from twingraph.errors import TwingraphError

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and leave with its exit code; an error is one line on stderr, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    except TwingraphError as error:
        click.echo(f"twingraph: {error}", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does; stdout must not be flushed again at exit.
        sys.stderr.close()
        sys.exit(ExitCode.OK)
    except OSError as error:
        click.echo(f"twingraph: {error}", err=True)
        sys.exit(ExitCode.NOT_DONE)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)
