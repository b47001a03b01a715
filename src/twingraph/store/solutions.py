"""Query results parsed into rows of cells, for tables in the terminal and on pages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from twingraph.rdf.iris import Iris, canonical_language
from twingraph.rdf.terms import Term

_STRING = "http://www.w3.org/2001/XMLSchema#string"


@dataclass(frozen=True, slots=True)
class Cell:
    """A term for display: its text, its ``iri`` if it is one, the language or shortened datatype of a literal."""

    text: str
    iri: str | None = None
    language: str | None = None
    datatype: str | None = None

    @property
    def label(self) -> str:
        """The text, with the language after an @."""
        return f"{self.text} @{self.language}" if self.language else self.text


@dataclass(frozen=True, slots=True)
class Solutions:
    """The columns of a result, in the order of the query, and its rows; None where a variable is unbound."""

    variables: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]


def read_solutions(document: bytes, iris: Iris) -> Solutions:
    """Parse a result in JSON; that of ASK becomes one cell in the column ``answer``."""
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
    language = term.get("xml:lang")
    return Cell(
        value,
        language=canonical_language(language) if language else None,
        datatype=iris.shorten(datatype) if datatype else None,
    )


def read_triples(document: bytes, iris: Iris) -> Solutions:
    """Parse a graph in N-Triples into sorted rows of subject, predicate and object."""
    triples = sorted(ox.parse(document, format=ox.RdfFormat.N_TRIPLES), key=str)
    rows = ((quad.subject, quad.predicate, quad.object) for quad in triples)
    return Solutions(
        ("subject", "predicate", "object"), tuple(tuple(_term(term, iris) for term in row) for row in rows)
    )


def _term(term: Term, iris: Iris) -> Cell:
    if isinstance(term, ox.NamedNode):
        return Cell(iris.shorten(term.value), iri=term.value)
    if not isinstance(term, ox.Literal):
        return Cell(str(term))
    if term.language:
        return Cell(term.value, language=canonical_language(term.language))
    plain = term.datatype.value == _STRING
    return Cell(term.value, datatype=None if plain else iris.shorten(term.datatype.value))
