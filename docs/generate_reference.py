"""Write docs/reference.md from the program and docs/questions.md from the publication (`make docs`).

A test holds that both are current.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from twingraph import errors
from twingraph.cli.application import COMMANDS, command, group
from twingraph.errors import EXIT_CODES
from twingraph.findings import RULES
from twingraph.publication.files import Publication
from twingraph.publication.query_files import read_saved_queries
from twingraph.publication.saved_queries import parse_header
from twingraph.server.http.problems import STATUSES
from twingraph.settings import NOT_IN_FILE, Settings, load_settings

ROOT = Path(__file__).parents[1]
REFERENCE, QUESTIONS = ROOT / "docs" / "reference.md", ROOT / "docs" / "questions.md"
_WRITTEN = "Written by `make docs` from the {}; do not edit."


def reference() -> str:
    """Return the page about the program."""
    head = f"# Reference\n\n{_WRITTEN.format('program')} How they are used: [publication.md](publication.md).\n"
    return "\n".join([head, *("\n".join(part) for part in (_commands(), _settings(), _findings(), _errors()))])


def questions() -> str:
    """Return the page about the saved queries and checks of the publication in this repository."""
    publication = Publication(load_settings(ROOT))
    head = f"# Saved queries and checks of this publication\n\n{_WRITTEN.format('publication')}\n"
    return "\n".join([head, *("\n".join(part) for part in (_queries(publication), _checks(publication)))])


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    program = group()
    yield f"{program.help}\n\n`-C`, `-q` and `-v` may stand before or after the command.\n"
    yield from _parameters(program.params)
    common = {parameter.name for parameter in program.params}
    for name in sorted(COMMANDS):
        one = command(name)
        words = " ".join(_usage(parameter) for parameter in one.params if parameter.param_type_name == "argument")
        yield f"### `{' '.join(f'twingraph {name} {words}'.split())}`\n"
        yield inspect.cleandoc(one.help or "") + "\n"
        yield from _parameters([parameter for parameter in one.params if parameter.name not in common])
    yield f"{program.epilog}\n"


def _usage(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name).upper()
    return name if parameter.required else f"[{name}...]"


def _parameters(parameters: list[Any]) -> Iterator[str]:
    options = [
        parameter for parameter in parameters if parameter.param_type_name == "option" and parameter.name != "help"
    ]
    if options:
        yield "| option | meaning |\n|---|---|"
        yield from (f"| `{'`, `'.join(option.opts)}` | {_cell(option.help)} |" for option in options)
        yield ""


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "In `twingraph.toml`, or in the environment as `TWINGRAPH_` and the name in capitals, `__` for the dot.\n"
    yield "| setting | default | meaning |\n|---|---|---|"
    yield from _fields(Settings, "")
    yield ""


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name in NOT_IN_FILE:
            continue
        inner = _section(field.annotation)
        yield f"| `{prefix}{name}` | {_default(field.default, inner)} | {_cell(field.description)} |"
        if inner:
            yield from _fields(inner, f"{prefix}{name}.")


def _section(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    found = (kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel))
    return next(found, None)


def _default(value: object, inner: type[BaseModel] | None) -> str:
    if value is PydanticUndefined:
        return "(to be given)"
    if inner or value in ({}, (), None):
        return ""
    shown = ", ".join(value) if isinstance(value, tuple) else str(value)
    return f"`{shown}`"


def _queries(publication: Publication) -> Iterator[str]:
    yield "## Saved queries\n"
    yield "`twingraph query NAME -p parameter=value`, or `/queries/NAME?parameter=value` on the server.\n"
    for query in read_saved_queries(publication).queries:
        yield f"### `{query.name}`: {query.title}\n"
        yield f"{query.description}\n"
        for parameter in query.parameters:
            default = f", by default `{parameter.default}`" if parameter.default is not None else ""
            yield f"- `{parameter.name}` ({parameter.type}{default}): {parameter.description}"
        if query.parameters:
            yield ""


def _checks(publication: Publication) -> Iterator[str]:
    yield "## Checks\n"
    yield "Queries of which any row is a violation.\n"
    yield "| check | what is wrong | what to do |\n|---|---|---|"
    for path in publication.check_files:
        header = parse_header(path.name, path.read_text(encoding="utf-8"))
        yield f"| `{path.stem}` | {_cell(header['description'])} | {_cell(header['remedy'])} |"
    yield ""


def _findings() -> Iterator[str]:
    yield "## Findings\n"
    yield "What `twingraph check` reports, by the rule in brackets; each finding also says where, and what to do.\n"
    yield "| rule | meaning | what to do |\n|---|---|---|"
    yield from (f"| `{name}` | {_cell(rule.meaning)} | {_cell(rule.remedy)} |" for name, rule in RULES.items())
    yield ""


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "| error | when | exit code | HTTP status |\n|---|---|---|---|"
    for kind in _tree(errors.TwingraphError):
        meaning = (inspect.getdoc(kind) or "").partition("\n")[0]
        yield f"| `{kind.__name__}` | {_cell(meaning)} | {EXIT_CODES[kind].value} | {STATUSES[kind].value} |"
    yield ""


def _tree(kind: type[errors.TwingraphError]) -> Iterator[type[errors.TwingraphError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)


def _cell(text: object) -> str:
    return " ".join(str(text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    QUESTIONS.write_text(questions(), encoding="utf-8")
    sys.stderr.write(f"wrote {REFERENCE.name} and {QUESTIONS.name}\n")
