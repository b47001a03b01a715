"""What the commands share: the publication they work on, and saying on stderr that work goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import typer
from rich.console import Console
from rich.status import Status

from twingraph.settings import Settings, load_settings

_PATIENCE = 1.0


def directory(context: typer.Context) -> Path:
    """Return the publication's directory, as ``--directory`` gave it."""
    chosen: Path = context.obj
    return chosen


def settings(context: typer.Context, **options: object) -> Settings:
    """Return the effective settings with a command's own options; raises SettingsError."""
    return load_settings(directory(context), **options)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say on stderr what is being done once it takes longer than a second, and only to a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    status = Status(f"{what} …", console=console)
    timer = Timer(_PATIENCE, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        status.stop()


def say(text: str) -> None:
    """Print a remark for people on stderr, so that stdout holds results only."""
    typer.echo(text, err=True)
