"""Saved queries: SPARQL files with a header that describes them and declares their parameters.

The header is YAML in lines that begin with ``#+``: ``title``, ``description``, ``parameters`` (name -> type, default,
description), ``tags``, ``rows`` (the minimum number of rows to expect), ``question``. A parameter ``year`` is written
``$year`` in the query, wherever a constant is allowed; variables are written ``?year``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyoxigraph as ox
import yaml

from twingraph.errors import IriError, ParameterError, QueryError
from twingraph.rdf.iris import Iris
from twingraph.rdf.terms import XSD, is_lexical_form, ntriples
from twingraph.sparql.query import parameters, replace_parameters
from twingraph.sparql.tokens import place

# Longer than any name, date or IRI.
MAX_VALUE = 2000
# Names of HTTP request parameters that choose the representation of the result.
RESERVED = {"format": "format", "lang": "language"}
TYPES = ("iri", "string", "integer", "decimal", "date", "boolean")


class _TextLoader(yaml.SafeLoader):
    """YAML in which all scalars but null are strings: a title ``2020``, a default ``1_000``."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [(tag, form) for tag, form in resolvers if tag == "tag:yaml.org,2002:null"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a saved query; ``type`` is one of TYPES; without a ``default`` a value is required."""

    name: str
    type: str
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A query, named after its file, with the entries of its header; ``text`` is the whole file."""

    name: str
    path: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    tags: tuple[str, ...]
    rows: int
    question: str | None
    text: str

    def bind(self, values: Mapping[str, str], iris: Iris) -> str:
        """Return the query with each ``$name`` replaced by its value or default as an RDF term.

        Raises ParameterError for a missing value, an unknown parameter, or a value of another type.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in values:
            if name not in known:
                there_are = f"it has {', '.join(known)}" if known else "it has no parameters"
                raise ParameterError(self.name, name, f"unknown; {there_are}")
        terms = {name: self._term(parameter, values.get(name), iris) for name, parameter in known.items()}
        return replace_parameters(self.text, terms)

    def _term(self, parameter: Parameter, value: str | None, iris: Iris) -> str:
        value = parameter.default if value is None else value
        if value is None:
            raise ParameterError(
                self.name, parameter.name, f"needs a value ({parameter.type}): {parameter.description}"
            )
        if len(value) > MAX_VALUE:
            raise ParameterError(self.name, parameter.name, f"a value can have at most {MAX_VALUE} characters")
        try:
            return _serialize(parameter.type, value, iris)
        except (IriError, ValueError) as error:
            raise ParameterError(self.name, parameter.name, f"{value!r} is not of type {parameter.type}") from error


def parse_saved_query(path: str, text: str) -> SavedQuery:
    """Parse a file; raises QueryError, with the line, when the header is missing, malformed or incomplete."""
    header = _header(path, text)
    try:
        declared = tuple(_parameter(name, facts) for name, facts in (header.get("parameters") or {}).items())
        query = SavedQuery(
            name=PurePosixPath(path).stem,
            path=path,
            title=_text("title", header["title"]),
            description=_text("description", header["description"]),
            parameters=declared,
            tags=tuple(_text("tags", tag) for tag in _list("tags", header.get("tags"))),
            rows=int(header.get("rows", 0)),
            question=None if header.get("question") is None else _text("question", header["question"]),
            text=text,
        )
    except KeyError as error:
        raise QueryError(f"{path}: the header has no {error}", 1, 1) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise QueryError(f"{path}: the header is wrong: {error}", 1, 1) from error
    _match_parameters(query)
    return query


def body(text: str) -> str:
    """Return a query's text without its header."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("#+")).strip() + "\n"


def parse_header(path: str, text: str) -> dict[str, Any]:
    """Return the YAML in a file's ``#+`` lines, empty if there are none; raises QueryError with the line."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.startswith("#+")]
    try:
        header = yaml.load("\n".join(line[2:].removeprefix(" ") for _, line in lines), _TextLoader) or {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        number = lines[min(mark.line, len(lines) - 1)][0] if mark else 1
        raise QueryError(f"{path}: the header is not YAML: {error.problem}", number, 1) from error
    if not isinstance(header, dict):
        raise QueryError(f"{path}: the header is not a list of 'name: value' lines", 1, 1)
    return header


def _header(path: str, text: str) -> dict[str, Any]:
    header = parse_header(path, text)
    unknown = set(header) - {"title", "description", "parameters", "tags", "rows", "question"}
    if unknown:
        raise QueryError(f"{path}: the header has unknown entries: {', '.join(sorted(unknown))}", 1, 1)
    return header


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value.strip()


def _list(name: str, value: object) -> list[object]:
    if value is not None and not isinstance(value, list):
        raise TypeError(f"{name} is not a list")
    return value or []


def _parameter(name: str, facts: Mapping[str, Any]) -> Parameter:
    kind = str(facts["type"]).removeprefix("xsd:")
    if kind not in TYPES:
        raise ValueError(f"parameter {name}: the type {kind!r} is not one of {', '.join(TYPES)}")
    if name in RESERVED:
        raise ValueError(f"parameter {name}: over HTTP this name chooses the {RESERVED[name]} of the result; rename it")
    default = None if facts.get("default") is None else _text("default", facts["default"])
    return Parameter(name, kind, default, str(facts.get("description", "")))


def _match_parameters(query: SavedQuery) -> None:
    used = parameters(query.text)
    declared = {parameter.name for parameter in query.parameters}
    for name, offset in used.items():
        if name not in declared:
            message = f"{query.path}: ${name} is not declared as a parameter in the header"
            raise QueryError(message, *place(query.text, offset))
    for name in sorted(declared - set(used)):
        raise QueryError(f"{query.path}: parameter {name} is declared but ${name} does not occur", 1, 1)


def _serialize(kind: str, value: str, iris: Iris) -> str:
    if kind == "iri":
        return ntriples(ox.NamedNode(iris.expand(value)))
    if not is_lexical_form(value, XSD + kind):
        raise ValueError(value)
    return ntriples(ox.Literal(value, datatype=ox.NamedNode(XSD + kind)))
