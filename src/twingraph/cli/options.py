"""What the commands share: the options that every command has, and stderr."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer


@dataclass
class Common:
    """The options that may stand before and after a command."""

    directory: Path = field(default_factory=Path.cwd)
    quiet: bool = False
    verbose: bool = False


def common(context: typer.Context) -> Common:
    """Return the options that all commands have."""
    found = context.find_object(Common)
    assert found is not None
    return found


def print_note(context: typer.Context, text: str) -> None:
    """Print a note for people on stderr, so that stdout holds results only; nothing with ``--quiet``."""
    if not common(context).quiet:
        typer.echo(text, err=True)


def print_error(text: str) -> None:
    """Print why a command ends, in the one form that all errors have."""
    typer.echo(f"twingraph: {text}", err=True)


def chosen_format(format_: str | None, *, json: bool) -> str | None:
    """Return the format that ``--format`` or ``--json`` chooses, None when neither is given."""
    if json and format_ not in (None, "json"):
        raise typer.BadParameter(f"--json and --format {format_} contradict one another")
    return "json" if json else format_


def add_common_options(command: Any) -> None:
    """Give a command the options that all commands have."""
    own = typer.Typer(add_completion=False)
    own.command()(_declare)
    command.params.extend(typer.main.get_command(own).params)


def _take_directory(context: typer.Context, value: Path | None) -> None:
    if value is not None:
        common(context).directory = value.resolve()


def _take_quiet(context: typer.Context, value: bool) -> None:
    common(context).quiet |= value


def _take_verbose(context: typer.Context, value: bool) -> None:
    common(context).verbose |= value


def _declare(
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            "-C",
            metavar="DIR",
            callback=_take_directory,
            expose_value=False,
            help="The publication's directory.",
            show_default="here",
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", callback=_take_quiet, expose_value=False, help="Print results and errors only."),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", callback=_take_verbose, expose_value=False, help="Print each step and its time."
        ),
    ] = False,
) -> None:
    """Declare the options that all commands have; never called."""
