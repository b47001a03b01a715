"""What the commands share: the publication and its settings, ``twingraph config`` with them, and remarks on stderr."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import typer
from rich.console import Console
from rich.status import Status

from twingraph.settings import Settings, load_settings, settings_origins

_QUIET_SECONDS = 1.0


def settings(context: typer.Context, **options: object) -> Settings:
    """Return the effective settings with a command's own options; raises SettingsError."""
    return load_settings(context.obj, **options)


def config_command(context: typer.Context) -> None:
    """Print each effective setting with its value and where it came from.

    Example: TWINGRAPH_SERVER__PORT=8080 twingraph config
    """
    for name, value, origin in settings_origins(settings(context)):
        typer.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}  # {origin}")


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say on stderr what is being done once it takes longer than a second, and only to a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    status = Status(f"{what} …", console=console)
    timer = Timer(_QUIET_SECONDS, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        status.stop()


def say(text: str) -> None:
    """Print a remark for people on stderr, so that stdout holds results only."""
    typer.echo(text, err=True)
