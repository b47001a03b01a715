"""Every rewrite is still needed: the engine alone gives another answer, and the right one to what is rewritten.

When a test here says "drop", the engine has been mended: remove the rewrite, its entry in ``REWRITES`` and the line
about it in ``docs/endpoint.md``.
"""

from dataclasses import dataclass
from itertools import permutations

import pyoxigraph as ox
import pytest

from twingraph.sparql.rewrites import REWRITES, DatasetFacts, rewritten

E = "http://e/"
STORE = ox.Store()
STORE.update(f"PREFIX : <{E}> INSERT DATA {{ GRAPH :g1 {{ :a :p 1 }} GRAPH :g2 {{ :a :p 1 , 2 }} }}")
FACTS = DatasetFacts(
    (E + "g1", E + "g2"),
    ("zh-Hans",),
    ask=lambda text: bool(STORE.query(text)),
    columns=lambda text: [one.value for one in STORE.query(text).variables],
    values=lambda text: [row[0].value for row in STORE.query(text)],
)
DATE = "^^<http://www.w3.org/2001/XMLSchema#date>"


@dataclass(frozen=True)
class Deviation:
    """The smallest queries that the engine gives another answer than the specification, as table: columns, rows."""

    queries: tuple[str, ...]
    answers: tuple[str, ...]


def ordered(values):
    return tuple(f"SELECT ?o {{ VALUES ?o {{ {' '.join(one)} }} }} ORDER BY ?o" for one in permutations(values))


NEEDED = {
    "keywords": Deviation(("SELECT (TRUE AS ?x) {}",), ("x | true",)),
    "group_concat": Deviation(
        (
            "SELECT (GROUP_CONCAT(?x) AS ?y) { VALUES ?x { <a:a> 2 'b'@en } }",
            "SELECT (LANG(GROUP_CONCAT(?x)) AS ?y) { VALUES ?x { 'a'@en 'b'@en } }",
        ),
        ("y | a:a 2 b", "y | "),
    ),
    "language_tags": Deviation(('SELECT (LANG("x"@zh-Hans) AS ?l) {}',), ("l | zh-Hans",)),
    "bnode_function": Deviation(
        ("SELECT (COUNT(DISTINCT ?b) AS ?n) { VALUES ?x { 1 2 } BIND(BNODE('x') AS ?b) }",), ("n | 2",)
    ),
    "order_by": Deviation(
        (
            *ordered(("10", '"1z"', "9")),
            *ordered((f'"2001-01-02"{DATE}', f'"2001-01-02+13:00"{DATE}', f'"2001-01-01-13:00"{DATE}')),
        ),
        (
            *["o | 1z | 9 | 10"] * 6,
            *["o | 2001-01-02 | 2001-01-02+13:00 | 2001-01-01-13:00"] * 6,
        ),
    ),
    "select_star": Deviation(("SELECT * { VALUES (?b ?a) { (1 2) } }",), ("b,a | 1,2",)),
    "absent_graph": Deviation((f"SELECT * {{ GRAPH <{E}nowhere> {{ VALUES ?x {{ 1 }} }} }}",), ("x",)),
    "graph_variable": Deviation(
        ("SELECT ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } } ORDER BY ?n",), ("n | 1 | 2",)
    ),
    "zero_length_paths": Deviation((f"SELECT ?o {{ <{E}z> <{E}p>* ?o }}",), (f"o | {E}z",)),
}


def asked(text):
    """Return the answer as a table, and an error as its class."""
    try:
        answer = STORE.query(text)
        names = [one.value for one in answer.variables]
        rows = [",".join("" if row[name] is None else row[name].value for name in names) for row in answer]
    except SyntaxError as error:
        return type(error).__name__
    return " | ".join((",".join(names), *rows))


def test_every_rewrite_is_asked_here():
    assert set(NEEDED) == {one.name for one in REWRITES}


@pytest.mark.parametrize("name", NEEDED)
def test_the_engine_needs_the_rewrite(name):
    for begin in (0, 6) if name == "order_by" else range(len(NEEDED[name].queries)):
        end = begin + 6 if name == "order_by" else begin + 1
        alone = tuple(asked(text) for text in NEEDED[name].queries[begin:end])
        assert alone != NEEDED[name].answers[begin:end], f"drop {name}: the engine alone answers {alone}"


@pytest.mark.parametrize("name", NEEDED)
def test_the_rewrite_gives_what_the_specification_says(name):
    one = next(one for one in REWRITES if one.name == name)
    for text, answer in zip(NEEDED[name].queries, NEEDED[name].answers, strict=True):
        assert one.may_change(text, text.lower())
        assert asked(rewritten(text, FACTS)) == answer


@pytest.mark.parametrize("one", REWRITES, ids=lambda one: one.name)
def test_a_rewrite_says_what_it_mends_and_when_to_drop_it(one):
    text = __import__(one.rewrite.__module__, fromlist=["_"]).__doc__
    assert "\nConcerns: " in text
    assert "\nDrop when " in text
    assert "ection " in text
    assert one.rewrite.__module__.endswith(f".{one.name}")
