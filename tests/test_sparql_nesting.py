"""The deepest queries that are let through do not end the engine's process, on the stack that a process has anyway."""

import json
import resource
import subprocess
import sys

import pytest

from twingraph.errors import QueryError
from twingraph.sparql.query import read_query

STACK = 8 << 20
ASK = """
import json, sys
import pyoxigraph as ox
from twingraph.sparql.rewrites import DatasetFacts, rewritten
store = ox.Store()
store.update("INSERT DATA { <a:a> <a:p> 1 GRAPH <a:g> { <a:a> <a:p> 1 } }")
ask, values = lambda text: bool(store.query(text)), lambda text: [row[0].value for row in store.query(text)]
columns = lambda text: [one.value for one in store.query(text).variables]
for text in json.load(sys.stdin):
    answer = store.query(rewritten(text, DatasetFacts(("a:g",), (), ask, columns, values)))
    answer.serialize(format=ox.QueryResultsFormat.JSON)
    print("answered", flush=True)
"""
SHAPES = {
    "groups": ("SELECT * {", "{", "?s ?p ?o", "}", "}"),
    "brackets": ("ASK { FILTER(", "(", "1", ")", ")}"),
    "functions": ("ASK { FILTER(", "STR(", "1", ")", ")}"),
    "conditions": ("ASK { FILTER(", "IF(true, 1, ", "1", ")", ")}"),
    "alternatives": ("ASK { FILTER(", "COALESCE(", "1", ")", ")}"),
    "negations": ("ASK { FILTER(", "!", "true", "", ")}"),
    "negations in brackets": ("ASK { FILTER(", "!(!", "true", ")", ")}"),
    "exists": ("ASK { ?s ?p ?o ", "FILTER NOT EXISTS { ?s ?p ?o ", "", "}", "}"),
    "sub-queries": ("SELECT * {", "{ SELECT * {", "?s ?p ?o", "} }", "}"),
    "graphs": ("SELECT * {", "GRAPH ?g {", "?s ?p ?o", "}", "}"),
    "minus": ("SELECT * { ?s ?p ?o", " MINUS { ?s ?p ?o", "", "}", "}"),
    "paths": ("SELECT * { ?s ", "(", "<a:p>", ")", " ?o }"),
    "a sum": ("ASK { FILTER(1", " + 1", "", "", ")}"),
    "a list of conditions": ("ASK { ?s ?p ?o FILTER(?o = 1", " || ?o = 1", "", "", ")}"),
    "unions": ("ASK { {}", " UNION { ?s ?p ?o }", "", "", "}"),
    "bindings": ("ASK {", " BIND(1 AS ?x@)", "", "", "}"),
    "filters": ("ASK { ?s ?p ?o", " FILTER(?o = 1)", "", "", "}"),
    "differences": ("ASK { ?s ?p ?o", " MINUS { ?x ?y ?o }", "", "", "}"),
    "columns": ("SELECT ", "(1 AS ?x@)", "", "", "{}"),
    "aggregates": ("SELECT ", "(COUNT(?s) AS ?x@)", "", "", "{ ?s ?p ?o }"),
}


def deep(shape, number):
    begin, opening, middle, closing, end = shape
    pieces = "".join(opening.replace("@", str(one)) for one in range(number))
    return f"{begin}{pieces}{middle}{closing * number}{end}"


def is_read(text):
    try:
        read_query(text, {}, "http://b.example/")
    except QueryError:
        return False
    return True


def deepest(shape):
    """Return the deepest query of a shape that is let through."""
    least, most = 1, 20_000
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if is_read(deep(shape, middle)) else (least, middle)
    return deep(shape, least)


@pytest.fixture(scope="module")
def outcome():
    """How many of the deepest queries were answered before the process ended, if it did."""

    def limit():
        resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))

    texts = [deepest(shape) for shape in SHAPES.values()]
    command = [sys.executable, "-c", ASK]
    return subprocess.run(
        command, input=json.dumps(texts), capture_output=True, text=True, check=False, preexec_fn=limit
    )


def test_the_deepest_queries_are_answered(outcome):
    answered = outcome.stdout.count("answered")
    assert outcome.returncode == 0, f"{list(SHAPES)[answered]}: {outcome.returncode} {outcome.stderr[-300:]}"


@pytest.mark.parametrize("name", SHAPES)
def test_what_anybody_writes_is_let_through(name):
    assert is_read(deep(SHAPES[name], 100))
