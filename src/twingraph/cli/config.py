"""``twingraph config``."""

import json
from typing import Annotated

import typer

from twingraph.cli.options import settings
from twingraph.settings import settings_origins


def config_command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object, name to value and origin.")] = False,
) -> None:
    """Print each effective setting with its value and where it comes from.

    Example: TWINGRAPH_SERVER__PORT=8080 twingraph config
    """
    rows = list(settings_origins(settings(context)))
    if as_json:
        facts = {name: {"value": value, "origin": origin} for name, value, origin in rows}
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for name, value, origin in rows:
        typer.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}  # {origin}")
