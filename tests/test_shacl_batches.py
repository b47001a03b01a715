"""Validating in batches, over a graph whose subjects are fetched lazily, gives what validating in memory gives."""

from contextlib import closing
from dataclasses import replace

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given
from rdflib.namespace import RDF

from conftest import REPOSITORY, copy_publication
from test_breakages import REAL, TINY
from test_lines import QUADS
from twingraph.check.shacl import validation
from twingraph.check.shacl.graphs import lazy_graph, memory_graph
from twingraph.check.shacl.shapes import focus_nodes, shapes_graph, targeted_shapes, validate
from twingraph.check.shacl.validation import ShapesRun
from twingraph.check.shacl.validator import Validator
from twingraph.check.statements import Statements
from twingraph.errors import StoreError
from twingraph.publication.assembly import assemble
from twingraph.rdf.nquads import NQuads
from twingraph.settings import CheckLimits


def check_shapes(statements, places, min_to_shard=10**9, batch_size=20_000):
    with closing(ShapesRun(statements.lines, places, CheckLimits(), min_to_shard, batch_size)) as run:
        return run.result(statements)


def whole(assembly):
    """What pyshacl gives over a memory graph with the shapes as they are, and how many nodes each shape reaches."""
    iris = assembly.settings.iris
    shapes, data = shapes_graph(assembly.shapes.lines, iris), memory_graph(assembly.quads)
    reached = {str(shape): len(focus_nodes(shapes, shape, data)) for shape in targeted_shapes(shapes)}
    return ordered(map(facts, (result.terms for result in validate(data, shapes)))), reached


def in_batches(assembly, batch_size):
    iris = assembly.settings.iris
    validator = Validator(lazy_graph(assembly.quads), shapes_graph(assembly.shapes.lines, iris), iris, batch_size)
    plan = validator.plan()
    outcomes = [validator.evaluate(batch) for batch in plan.batches]
    assert [outcome.reason for outcome in outcomes] == [None] * len(outcomes)
    terms = (result.terms for outcome in outcomes for result in outcome.results)
    return ordered(map(facts, terms)), dict(zip(plan.shapes, plan.reached, strict=True))


def facts(terms):
    """A result without the labels of blank nodes among the shapes, which change with every reading."""
    return replace(terms, shape="" if terms.shape.startswith("_:") else terms.shape)


def ordered(results):
    return sorted(results, key=repr)


def statements(assembly):
    def of(lines, reading):
        return Statements(lines, reading.locations, assembly.settings.iris, assembly.settings.languages)

    return of(assembly.quads, assembly.reading), of(assembly.shapes.lines, assembly.shapes)


@pytest.mark.parametrize("breakage", TINY, ids=lambda breakage: breakage.name)
def test_batches_of_each_broken_tiny_publication_are_the_whole(tiny, breakage):
    breakage.apply(tiny)
    assembly = assemble(tiny.settings)
    expected = whole(assembly)
    assert in_batches(assembly, batch_size=1) == expected
    assert in_batches(assembly, batch_size=1000) == expected


@pytest.fixture(scope="module")
def broken_real(real, tmp_path_factory):
    """The real publication with all of its breakages, which the tests only read."""
    copy = copy_publication(REPOSITORY, tmp_path_factory.mktemp("real") / "copy", real.source_archive)
    for breakage in REAL:
        breakage.apply(copy)
    return assemble(copy.settings)


def test_batches_of_the_broken_real_publication_are_the_whole(broken_real):
    expected = whole(broken_real)
    assert len(expected[0]) >= 3
    assert in_batches(broken_real, batch_size=500) == expected


def test_processes_find_what_one_process_finds(broken_real):
    said, places = statements(broken_real)
    alone, together = (check_shapes(said, places, large) for large in (10**9, 0))
    assert {finding.rule for finding in alone.findings} >= {"shape/MinCountConstraintComponent"}
    assert sorted(together.findings, key=repr) == sorted(alone.findings, key=repr)
    assert together.focus_nodes == alone.focus_nodes


def test_shapes_that_cannot_be_evaluated_fail_in_processes_too(tiny):
    tiny.append("shapes/lights.ttl", '\nl:LightShape sh:property [ sh:path l:height ; sh:pattern "(" ] .\n')
    said, places = statements(assemble(tiny.settings))
    alone, together = (check_shapes(said, places, large) for large in (10**9, 0))
    assert [finding.rule for finding in together.findings] == ["shape/failure"]
    assert alone == together


def test_processes_share_the_batches(broken_real):
    said, places = statements(broken_real)
    alone, together = (check_shapes(said, places, large, 700) for large in (10**9, 0))
    assert sorted(together.findings, key=repr) == sorted(alone.findings, key=repr)


def test_a_process_that_does_not_begin_is_no_result(tiny, monkeypatch):
    monkeypatch.setattr(validation, "_MODULE", "twingraph.no_such_module")
    said, places = statements(assemble(tiny.settings))
    with pytest.raises(StoreError, match="the shapes were not evaluated"):
        check_shapes(said, places)


@given(QUADS.map(lambda quads: [one for one in quads if not isinstance(one.object, ox.Triple)]))
def test_a_lazy_graph_says_what_a_memory_graph_says(quads):
    fetched, held = lazy_graph(NQuads.of(quads)), memory_graph(quads)
    assert set(fetched) == set(held)
    assert len(fetched) == len(held)
    for subject, predicate, value in held:
        for pattern in ((subject, None, None), (None, predicate, None), (None, None, value), (subject, None, value)):
            assert set(fetched.triples(pattern)) == set(held.triples(pattern))
        assert (subject, predicate, value) in fetched
        assert set(fetched.triples((None, predicate, value))) == set(held.triples((None, predicate, value)))


XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.mark.parametrize(
    ("text", "kind"), [("1.50", "decimal"), ("01", "integer"), ("2010-01-01+00:00", "date"), ("x", "integer")]
)
def test_a_fetched_literal_keeps_its_lexical_form(text, kind):
    literal = ox.Literal(text, datatype=ox.NamedNode(XSD + kind))
    graph = lazy_graph(NQuads.of([ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), literal)]))
    [(_, _, value)] = graph
    assert isinstance(value, rdflib.Literal)
    assert (str(value), str(value.datatype)) == (text, XSD + kind)


def test_a_lazy_graph_knows_nothing_of_what_is_no_statement():
    graph = lazy_graph(NQuads.of([ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal("x"))]))
    absent = [
        (rdflib.Literal("x"), RDF.type, None),
        (rdflib.URIRef("not an iri"), None, None),
        (None, rdflib.BNode(), None),
        (rdflib.URIRef("urn:s"), rdflib.URIRef("urn:p"), rdflib.Literal("x", datatype=rdflib.URIRef(XSD + "string"))),
    ]
    assert [list(graph.triples(pattern)) for pattern in absent] == [[], [], [], []]
