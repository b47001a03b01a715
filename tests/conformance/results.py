"""Answers and expected results, read by code that shares nothing with the engine.

A term is a tuple: ("iri", value), ("bnode", label) or ("literal", lexical form, datatype or language).
In CSV, which has no terms, a cell is ("text", characters).
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import rdflib
from rdflib import RDF, Graph, Namespace

Term = tuple[str, ...]
Row = Mapping[str, Term]

_XSD = "http://www.w3.org/2001/XMLSchema#"
_RS = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
_SRX = "{http://www.w3.org/2005/sparql-results#}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Solutions:
    """The solutions of SELECT: variables and rows; ``ordered`` when the order of the rows counts."""

    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Triples:
    """A graph, as triples of terms."""

    triples: frozenset[tuple[Term, Term, Term]]


Answer = Solutions | Triples | bool


def literal(lexical: str, datatype: str | None = None, language: str | None = None) -> Term:
    """Return a literal; one without datatype is an xsd:string (RDF 1.1), language tags have no case."""
    return ("literal", lexical, f"@{language.lower()}" if language else datatype or _XSD + "string")


def read_json(content: bytes) -> Answer:
    """Read SPARQL 1.1 Query Results JSON."""
    data = json.loads(content)
    if "boolean" in data:
        return data["boolean"]
    rows = ({name: _json_term(term) for name, term in row.items()} for row in data["results"]["bindings"])
    return Solutions(tuple(data["head"]["vars"]), tuple(rows))


def _json_term(term: Mapping[str, str]) -> Term:
    if term["type"] in ("uri", "bnode"):
        return ("iri" if term["type"] == "uri" else "bnode", term["value"])
    assert term["type"] in ("literal", "typed-literal"), term
    return literal(term["value"], term.get("datatype"), term.get("xml:lang"))


def read_xml(content: bytes) -> Answer:
    """Read SPARQL Query Results XML."""
    root = ET.fromstring(content)
    assert root.tag == f"{_SRX}sparql", root.tag
    boolean = root.find(f"{_SRX}boolean")
    if boolean is not None:
        return boolean.text.strip() == "true"
    variables = tuple(one.get("name") for one in root.iterfind(f"{_SRX}head/{_SRX}variable"))
    rows = []
    for result in root.iterfind(f"{_SRX}results/{_SRX}result"):
        bindings = result.findall(f"{_SRX}binding")
        rows.append({one.get("name"): _xml_term(one[0]) for one in bindings if len(one)})
    return Solutions(variables, tuple(rows))


def _xml_term(element: ET.Element) -> Term:
    kind, text = element.tag.removeprefix(_SRX), element.text or ""
    if kind in ("uri", "bnode"):
        return ("iri" if kind == "uri" else "bnode", text)
    assert kind == "literal", kind
    return literal(text, element.get("datatype"), element.get(_XML_LANG))


def read_csv(content: bytes) -> Answer:
    """Read SPARQL 1.1 Query Results CSV; a boolean, which has no form there, is the bare word."""
    text = content.decode("utf-8")
    if text.strip() in ("true", "false"):
        return text.strip() == "true"
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return Solutions(tuple(header), tuple(_csv_row(header, row) for row in rows))


def _csv_row(header: list[str], cells: list[str]) -> Row:
    # One empty column is an empty line, which the reader gives as no cells at all.
    assert len(cells) == len(header) or len(header) <= 1, cells
    return {name: _csv_cell(cell) for name, cell in zip(header, cells, strict=False) if cell}


def _csv_cell(cell: str) -> Term:
    return ("bnode", cell[2:]) if cell.startswith("_:") else ("text", cell)


def read_tsv(content: bytes) -> Answer:
    """Read SPARQL 1.1 Query Results TSV, where terms stand as in Turtle without prefixes."""
    text = content.decode("utf-8")
    if text.strip() in ("true", "false"):
        return text.strip() == "true"
    header, *lines = text.split("\n")
    assert lines.pop() == "", "the last line must end"
    names = tuple(name.removeprefix("?") for name in header.split("\t") if name)
    rows = tuple(dict(_tsv_cells(names, line.rstrip("\r"))) for line in lines)
    return Solutions(names, rows)


_TSV = re.compile(
    r"<(?P<iri>[^<>\"{}|^`\\\x00-\x20]*)>"
    r"|_:(?P<bnode>\S+)"
    r"|(?P<quote>[\"'])(?P<string>(?:[^\\\t\n\r]|\\.)*)(?P=quote)(?:@(?P<language>[A-Za-z0-9-]+)|\^\^<(?P<datatype>[^>]*)>)?"
    r"|(?P<boolean>true|false)"
    r"|(?P<integer>[+-]?\d+)"
    r"|(?P<decimal>[+-]?\d*\.\d+)"
    r"|(?P<double>[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+)"
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}


def _tsv_cells(names: tuple[str, ...], line: str) -> Iterator[tuple[str, Term]]:
    cells = line.split("\t")
    assert len(cells) == len(names) or not names, line
    for name, cell in zip(names, cells, strict=False):
        if cell:
            yield name, _tsv_term(cell)


def _tsv_term(cell: str) -> Term:
    match = _TSV.fullmatch(cell)
    assert match, f"{cell!r} is not a term in Turtle"
    found = match.groupdict()
    if found["iri"] is not None:
        return ("iri", _unescape(found["iri"]))
    if found["bnode"] is not None:
        return ("bnode", found["bnode"])
    if found["string"] is not None:
        return literal(_unescape(found["string"]), found["datatype"], found["language"])
    kind = next(name for name in ("boolean", "integer", "decimal", "double") if found[name] is not None)
    return literal(cell, _XSD + kind)


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" else _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", replace, text)


def read_graph(content: bytes, format_: str, base: str) -> Triples:
    """Read a graph in a format that rdflib knows, lexical forms as they stand."""
    graph = Graph().parse(data=content, format=format_, publicID=base)
    return Triples(frozenset(tuple(_rdflib_term(term) for term in triple) for triple in graph))


def _rdflib_term(term: rdflib.term.Node) -> Term:
    if isinstance(term, rdflib.URIRef):
        return ("iri", str(term))
    if isinstance(term, rdflib.BNode):
        return ("bnode", str(term))
    assert isinstance(term, rdflib.Literal)
    return literal(str(term), str(term.datatype) if term.datatype else None, term.language)


_RESULTS = {".srx": read_xml, ".srj": read_json, ".csv": read_csv, ".tsv": read_tsv}


@cache
def read_expected(path: Path, base: str) -> Answer:
    """Read the result that a test expects: a document of results, a result set told in RDF, or a graph."""
    content = path.read_bytes()
    if path.suffix in _RESULTS:
        answer = _RESULTS[path.suffix](content)
        # Both tests of the formats without types ask for an order, and their files follow it.
        ordered = path.suffix in (".csv", ".tsv")
        return Solutions(answer.variables, answer.rows, ordered) if ordered else answer
    graph = Graph().parse(data=content, format="xml" if path.suffix == ".rdf" else "turtle", publicID=base)
    for told in graph.subjects(RDF.type, _RS.ResultSet):
        return _told(graph, told)
    return Triples(frozenset(tuple(_rdflib_term(term) for term in triple) for triple in graph))


def _told(graph: Graph, told: rdflib.term.Node) -> Answer:
    boolean = graph.value(told, _RS.boolean)
    if boolean is not None:
        return str(boolean) == "true"
    solutions = list(graph.objects(told, _RS.solution))
    indexes = {solution: graph.value(solution, _RS["index"]) for solution in solutions}
    ordered = bool(solutions) and all(index is not None for index in indexes.values())
    if ordered:
        solutions.sort(key=lambda solution: int(indexes[solution]))
    variables = tuple(str(name) for name in graph.objects(told, _RS.resultVariable))
    return Solutions(variables, tuple(_told_row(graph, one) for one in solutions), ordered)


def _told_row(graph: Graph, solution: rdflib.term.Node) -> Row:
    bindings = graph.objects(solution, _RS.binding)
    return {str(graph.value(one, _RS.variable)): _rdflib_term(graph.value(one, _RS.value)) for one in bindings}
