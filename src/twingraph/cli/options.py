"""What the commands share: the publication's settings (and ``twingraph config``, which prints them), and stderr."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import typer
from rich.console import Console
from rich.status import Status

from twingraph.settings import Settings, load_settings, settings_origins

# Shorter tasks show no status line, which would only flicker.
_STATUS_DELAY_SECONDS = 1.0


def settings(context: typer.Context, **options: object) -> Settings:
    """Return the effective settings, with the options of a command applied; raises SettingsError."""
    return load_settings(context.obj, **options)


def config_command(context: typer.Context) -> None:
    """Print each effective setting with its value and where it comes from.

    Example: TWINGRAPH_SERVER__PORT=8080 twingraph config
    """
    for name, value, origin in settings_origins(settings(context)):
        typer.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}  # {origin}")


@contextmanager
def progress(task: str) -> Iterator[None]:
    """Show the name of a task on stderr once it takes longer than a second, if stderr is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    status = Status(f"{task} …", console=console)
    timer = Timer(_STATUS_DELAY_SECONDS, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        status.stop()


def print_note(text: str) -> None:
    """Print a note for people on stderr, so that stdout holds results only."""
    typer.echo(text, err=True)
