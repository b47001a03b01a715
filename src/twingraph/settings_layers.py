"""The layers of settings: defaults < the file < environment variables < the command line, each a nested mapping."""

import os
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, EnvSettingsSource

from twingraph.errors import SettingsError

FILE_NAME = "twingraph.toml"
ENVIRONMENT = "TWINGRAPH_"

Layers = list[tuple[str, dict[str, Any]]]
"""The name and the values of each layer, from the lowest to the highest."""


def layers_of(model: type[BaseSettings], file: dict[str, Any], options: Mapping[str, Any]) -> Layers:
    """Return the layers of settings from the lowest to the highest; raises SettingsError for a variable of no use."""
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value is not None:
            outer, _, inner = name.partition("__")
            given = _merge(given, {outer: {inner: value} if inner else value})
    return [(FILE_NAME, file), ("environment", _environment(model)), ("command line", given)]


def merged(layers: Layers) -> dict[str, Any]:
    """Return the values of all layers, the higher ones before the lower."""
    values: dict[str, Any] = {}
    for _, layer in layers:
        values = _merge(values, layer)
    return values


def shown(path: Path) -> str:
    """Return a path relative to the current directory, if it lies there."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _environment(model: type[BaseSettings]) -> dict[str, Any]:
    """Return the settings in the environment.

    Raises SettingsError for a variable that names no setting, which pydantic would ignore, or is not in its syntax.
    """
    for variable in os.environ:
        name = variable.upper().removeprefix(ENVIRONMENT)
        if name != variable.upper() and name.partition("__")[0].lower() not in model.model_fields:
            near = get_close_matches(name.lower(), model.model_fields, n=1)
            hint = f"; did you mean {ENVIRONMENT}{near[0].upper()}?" if near else ""
            raise SettingsError("environment", variable, f"there is no such setting{hint}")
    try:
        return EnvSettingsSource(model)()
    except ValueError as error:  # SettingsError of pydantic-settings
        reason = f"{str(error).partition(' from source')[0]}; lists and tables are written as JSON"
        raise SettingsError("environment", "", reason) from error


def read_file(path: Path) -> str:
    """Return the text of a file of settings; raises SettingsError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        reason = "no such file; `twingraph init` writes one, and check, serve and query take files without it"
        raise SettingsError(shown(path), "", reason) from error
    except OSError as error:
        raise SettingsError(shown(path), "", f"cannot be read: {error.strerror or error}") from error
    if data.startswith(BOM_UTF8):
        reason = "the file begins with a byte order mark; save it as UTF-8 without one"
        raise SettingsError(f"{shown(path)}:1", "", reason)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{shown(path)}:{line}", "", "is not in UTF-8; save it as UTF-8") from error


def parsed(text: str, path: Path) -> dict[str, Any]:
    """Return what a file of settings says; raises SettingsError, with line and column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", reason)
        end = text.rstrip().count("\n") + 1
        line, column = (place[1] or end, place[2]) if place else (end, None)
        where = ":".join(str(part) for part in (shown(path), line, column) if part)
        message = reason[: place.start()] if place else reason
        raise SettingsError(where, "", f"not TOML: {message[:1].lower()}{message[1:]}") from error


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def origin(path: tuple[str | int, ...], layers: Layers) -> str:
    """Return the name of the layer that a setting's value comes from."""
    return next((name for name, values in reversed(layers) if _given(values, path)), "default")


def _given(values: object, path: tuple[str | int, ...]) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True
