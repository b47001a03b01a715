"""``twingraph config``, and the publication's settings for every command."""

import json
from typing import Annotated

import typer

from twingraph.cli.options import common
from twingraph.settings import Settings, load_settings, settings_origins


def settings(context: typer.Context, **options: object) -> Settings:
    """Return the effective settings, with the options of a command applied; raises SettingsError."""
    return load_settings(common(context).directory, **options)


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
