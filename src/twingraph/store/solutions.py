"""The solutions of a query read from SPARQL 1.1 Query Results JSON, for those who lay them out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from twingraph.iris import Iris


@dataclass(frozen=True, slots=True)
class Cell:
    """A term as people read it; ``iri`` when it is one, ``language`` or shortened ``datatype`` of a literal."""

    text: str
    iri: str | None = None
    language: str | None = None
    datatype: str | None = None


@dataclass(frozen=True, slots=True)
class Solutions:
    """The columns that a query names, in its order, and its rows; None where a variable is unbound."""

    variables: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]


def read_solutions(document: bytes, iris: Iris) -> Solutions:
    """Return what a JSON document of results holds; the answer of ASK becomes one cell under ``answer``."""
    data = json.loads(document)
    if "boolean" in data:
        return Solutions(("answer",), ((Cell("yes" if data["boolean"] else "no"),),))
    variables = tuple(data["head"]["vars"])
    rows = (tuple(_cell(row.get(name), iris) for name in variables) for row in data["results"]["bindings"])
    return Solutions(variables, tuple(rows))


def _cell(term: Mapping[str, str] | None, iris: Iris) -> Cell | None:
    if term is None:
        return None
    value = term["value"]
    if term["type"] == "uri":
        return Cell(iris.shorten(value), iri=value)
    if term["type"] == "bnode":
        return Cell(f"_:{value}")
    datatype = term.get("datatype")
    return Cell(value, language=term.get("xml:lang"), datatype=iris.shorten(datatype) if datatype else None)
