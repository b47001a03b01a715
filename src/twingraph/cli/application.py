"""The program ``twingraph``: its commands by name, and how it ends."""

import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer

from twingraph import __version__
from twingraph.cli.help import Command, Group
from twingraph.cli.loading import INTERRUPTED, load
from twingraph.cli.options import Common, add_common_options, print_error
from twingraph.errors import ExitCode, TwingraphError, exit_code

# Name -> module, function, and what stands in the list of commands, so that it is shown without importing them.
COMMANDS = {
    "init": ("twingraph.cli.init", "init_command", "Write a small publication to start from."),
    "check": ("twingraph.cli.check", "check_command", "Check the publication, or files without settings."),
    "build": ("twingraph.cli.releases", "build_command", "Check, and write a release."),
    "serve": ("twingraph.cli.serve", "serve_command", "Serve the current release, or files without settings."),
    "query": ("twingraph.cli.query", "query_command", "Query the current release, files, or any SPARQL endpoint."),
    "config": ("twingraph.cli.config", "config_command", "Print the effective settings."),
    "coverage": ("twingraph.cli.documents", "coverage_command", "Show what of each source document is covered."),
    "locate": ("twingraph.cli.documents", "locate_command", "Print the offsets of words in a source document."),
    "rehearse": ("twingraph.cli.rehearse", "rehearse_command", "Play harvesters against a running server."),
    "verify": ("twingraph.cli.releases", "verify_command", "Compare releases with their digests."),
    "prune": ("twingraph.cli.releases", "prune_command", "Remove old releases."),
}


class _Commands(Group):
    """The commands, each of which is imported when it is called or its help is shown."""

    summaries = {name: summary for name, (_, _, summary) in COMMANDS.items()}  # noqa: RUF012 - never changed

    def load(self, name: str) -> Command:
        return command(name)


def command(name: str) -> Command:
    """Return a command by its name, its module imported."""
    module, function, _ = COMMANDS[name]
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, cls=Command, context_settings=_HELP)(load(module, function))
    found = typer.main.get_command(single)
    assert isinstance(found, Command)
    add_common_options(found)
    return found


_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="twingraph",
    cls=_Commands,
    help="Publish a directory of ontology, data, shapes and queries as linked data with a SPARQL endpoint.",
    epilog=(
        "Exit codes: 0 success, 1 not conforming or damaged, 2 wrong usage, 3 failure, 4 fault of this program, "
        "130 interrupted."
    ),
    context_settings=_HELP,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"twingraph {__version__}")
        raise typer.Exit


@app.callback()
def common_options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before the command."""


def group() -> Any:
    """Return the program as a command with subcommands."""
    found = typer.main.get_command(app)
    add_common_options(found)
    return found


def run() -> NoReturn:
    """Run the command line and exit with its code; an error is printed as one line on stderr, without a traceback."""
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except TwingraphError as error:
        print_error(str(error))
        sys.exit(exit_code(error))
    except OSError as error:
        print_error(str(error))
        sys.exit(ExitCode.NOT_DONE)
    except Exception:  # noqa: BLE001 - a fault of this program must not look as if the publication did not conform
        traceback.print_exc()
        print_error("this is a fault of the program, not of the publication; please report the above")
        sys.exit(ExitCode.FAULT)


def _run() -> int:
    try:
        code = group()(sys.argv[1:] or ["--help"], prog_name="twingraph", standalone_mode=False, obj=Common())
    except typer.Abort:  # Ctrl-C or the end of input at a question
        return INTERRUPTED
    except _USAGE_ERROR as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "twingraph"
        print_error(f"{_sentence(error.format_message())}; see `{path} --help`")
        return ExitCode.USAGE
    return (code or ExitCode.OK) if sys.argv[1:] else ExitCode.USAGE


# The library's base class of errors in the command line, which it does not export.
_USAGE_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def _sentence(text: str) -> str:
    """Return an error of the library in the form of ours: one line, no capital, no full stop."""
    line = " ".join(text.split()).rstrip(".").replace(". Did you mean", "; did you mean")
    return line[:1].lower() + line[1:]
