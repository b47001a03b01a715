"""``twingraph config``."""

import json

import typer

from twingraph.cli.options import settings
from twingraph.settings import settings_origins


def config_command(context: typer.Context) -> None:
    """Print each effective setting with its value and where it came from.

    Example: TWINGRAPH_SERVER__PORT=8080 twingraph config
    """
    for name, value, origin in settings_origins(settings(context)):
        typer.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}  # {origin}")
