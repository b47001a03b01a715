"""What is wrong with settings, in plain words: pydantic's errors and the lines of the TOML file that they concern."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from twingraph.errors import SettingsError
from twingraph.settings_layers import FILE_NAME, Layers, origin, shown

Key = tuple[str | int, ...]
"""The names that lead to a setting, with the position, from 0, in a list."""

# What a statement of TOML is made of, as far as its keys are to be found (TOML 1.0, ABNF).
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|' r"'''.*?'''|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'|#[^\n]*|[\[\]{}\n]|[^\"'#\[\]{}\n]+|.",
    re.DOTALL,
)
_KEY = re.compile(r"""\s*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)\s*(\.|=|\]|$)""")
_HEADER = re.compile(r"\[(\[?)([^\n]*?)\]\]?\s*(?:#.*)?")
_TEXTS: Mapping[type, tuple[str, str]] = {
    bool: ("true or false", "true"),
    int: ("a whole number", "1"),
    float: ("a number", "1.5"),
    str: ("a text in quotation marks", '"text"'),
    Path: ("a text in quotation marks", '"text"'),
}
_MEANINGS = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}
_TYPE_ERRORS = re.compile(r".*_(?:type|parsing|attributes_type|from_float)|enum|literal_error|finite_number")


def first_error(error: ValidationError, model: type[BaseModel], layers: Layers, path: Path, text: str) -> SettingsError:
    """Return the first error by line, or the first of those that stand on none, such as a missing setting.

    ``path`` and ``text`` are those of the file, ``layers`` what it and others set.
    """
    found = []
    for each in error.errors():
        name = origin(each["loc"], layers)
        is_of_file = name in (FILE_NAME, "default")
        line = line_of(each["loc"], text) if is_of_file else None
        where = f"{shown(path)}:{line}" if line else shown(path) if is_of_file else name
        key = ".".join(str(part) for part in each["loc"])
        # A misspelt name explains why another is missing.
        found.append(
            (each["type"] == "missing", line is None, line or 0, SettingsError(where, key, explanation(each, model)))
        )
    return min(found, key=lambda each: each[:3])[3]


def explanation(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return what is wrong with a setting, and how it is written; ``model`` is the class of all settings."""
    kind, key = error["type"], error["loc"]
    if kind == "extra_forbidden":
        return _unknown(str(key[-1]), _fields_of(_annotation(key[:-1], model)))
    if kind == "missing":
        return f"is missing; write for example {_assignment(key, model)}"
    if kind in _MEANINGS:
        return _MEANINGS[kind].format(**error["ctx"]) + f", not {error['input']}"
    if _TYPE_ERRORS.fullmatch(kind):
        return f"must be {_noun(_annotation(key, model))}, as in {_assignment(key, model)}"
    message = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def line_of(key: Key, text: str) -> int | None:
    """Return the line, from 1, of the setting ``key`` in a TOML text, or of the table that lacks it."""
    found: dict[Key, int] = {}
    for path, line in _assignments(text):
        found.setdefault(path, line)
    return next((found[key[:length]] for length in range(len(key), 0, -1) if key[:length] in found), None)


def _assignments(text: str) -> Iterator[tuple[Key, int]]:
    """Yield the path and the line of each table and each setting, in linear time."""
    table: Key = ()
    tables: dict[Key, int] = {}
    for statement, line in _statements(text):
        header = _HEADER.fullmatch(statement.strip())
        if header and statement.lstrip().startswith("["):
            names = _names(header[2])
            if header[1]:
                tables[names] = tables.get(names, -1) + 1
            table = _numbered(names, tables)
            yield table, line
        elif names := _names(statement):
            for length in range(1, len(names) + 1):
                yield (*table, *names[:length]), line


def _statements(text: str) -> Iterator[tuple[str, int]]:
    """Yield each statement up to the value's first line end, and its line; brackets and quotes may span lines."""
    depth, line, begin, parts = 0, 1, 1, list[str]()
    for token in _TOKEN.findall(text + "\n"):
        if token == "\n" and depth <= 0:
            if statement := "".join(parts).strip():
                yield statement, begin
            depth, parts, begin = 0, [], line + 1
        elif not token.startswith("#"):
            depth += (token in "[{") - (token in "]}") if len(token) == 1 else 0
            if token != "\n":
                parts.append(token)
            elif not parts:
                begin = line + 1
        line += token.count("\n")


def _names(text: str) -> Key:
    """Return the keys at the beginning of a statement or in a header."""
    names, position = list[str | int](), 0
    while match := _KEY.match(text, position):
        name = match[1]
        names.append(name[1:-1] if name[0] in "\"'" else name)
        position = match.end()
        if match[2] != ".":
            break
    return tuple(names)


def _numbered(names: Key, tables: Mapping[Key, int]) -> Key:
    """Return the path of a table with the position after the name of each array of tables."""
    path: list[str | int] = []
    for length, name in enumerate(names, 1):
        path.append(name)
        if names[:length] in tables:
            path.append(tables[names[:length]])
    return tuple(path)


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return f"there is no such setting; {hint}"


def _annotation(key: Sequence[str | int], model: Any) -> Any:
    """Return the type of the setting ``key`` within a type, None when there is none."""
    found = model
    for part in key:
        found = _without_none(found)
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields.get(str(part))
            found = field.annotation if field else None
        elif arguments := get_args(found):
            found = arguments[-1] if get_origin(found) is dict else arguments[0]
    return _without_none(found)


def _field(key: Sequence[str | int], model: type[BaseModel]) -> FieldInfo | None:
    owner = _annotation(key[:-1], model)
    is_section = isinstance(owner, type) and issubclass(owner, BaseModel)
    return owner.model_fields.get(str(key[-1])) if is_section else None


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        return next(each for each in get_args(annotation) if each is not type(None))
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation


def _fields_of(annotation: Any) -> tuple[str, ...]:
    is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return tuple(sorted(annotation.model_fields)) if is_section else ()


def _noun(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin in (tuple, list):
        return f"a list of {_plural(_without_none(get_args(annotation)[0]))}"
    if origin is dict:
        return f"a table of {_plural(_without_none(get_args(annotation)[1]))}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "one of " + ", ".join(f'"{each.value}"' for each in annotation)
    if get_args(annotation):  # Literal
        return "one of " + ", ".join(f'"{each}"' for each in get_args(annotation))
    return _TEXTS.get(annotation, ("a table", ""))[0]


def _plural(annotation: Any) -> str:
    return {str: "texts", int: "whole numbers", float: "numbers"}.get(annotation, "tables")


def _assignment(key: Sequence[str | int], model: type[BaseModel]) -> str:
    """Return how a setting is written, with its default as the example when there is one."""
    field = _field(key, model)
    default = field.default if field and field.default is not PydanticUndefined else None
    value = _toml(default) if default not in (None, (), {}) else ""
    if isinstance(annotation := _annotation(key, model), type) and issubclass(annotation, BaseModel):
        return f"[{key[-1]}]"
    return f"{key[-1]} = {value or _example(str(key[-1]), annotation)}"


def _example(name: str, annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (tuple, list):
        return f"[{_example(name, _without_none(arguments[0]))}]"
    if origin is dict:
        return f"{{en = {_example(name, _without_none(arguments[1]))}}}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        required = (each for each, field in annotation.model_fields.items() if field.is_required())
        return "{" + ", ".join(f"{each} = ..." for each in required) + "}"
    if name in ("url", "licence") or name.endswith("iri"):
        return '"https://example.org/"'
    return _TEXTS.get(annotation, ("", '"text"'))[1]


def _toml(value: object) -> str:
    """Return a default as TOML, empty when it is no plain value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if isinstance(value, str | Path):
        return f'"{value}"'
    if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    return str(value) if isinstance(value, int | float) else ""
