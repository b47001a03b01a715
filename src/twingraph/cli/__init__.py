"""The command line, ``twingraph COMMAND``.

Each command is a few lines: it loads the settings, calls the packages that do the work, prints, and exits. Exit codes:
0 for success, 1 when the publication does not conform or a release is damaged, 2 for wrong usage, 3 for a failure, 130
when interrupted. The modules of the commands are imported when they are called, since some of them take half a second.
"""

from typing import NoReturn

from twingraph.cli.loading import load

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    load("twingraph.cli.application", "run")()
    raise AssertionError("it exits")
