"""SHACL over one graph in memory: results as findings, the number of focus nodes, what makes pyshacl fail."""

import logging

import pyoxigraph as ox
import rdflib
from rdflib.namespace import SH, XSD

from twingraph.check.run import check
from twingraph.check.shacl.graphs import MemoryGraph, memory_graph
from twingraph.check.shacl.shapes import (
    RetargetedShapes,
    focus_nodes,
    is_targeted_by_property,
    path_text,
    shapes_graph,
    targeted_shapes,
)
from twingraph.findings import Severity
from twingraph.publication.assembly import assemble
from twingraph.publication.files import Publication
from twingraph.publication.reading import read, read_shapes

PILOT = "data/books/pilot/lights.ttl"


def findings(tiny, rule):
    return [finding for finding in check(assemble(tiny.settings)).findings if finding.rule == f"shape/{rule}"]


def test_tiny_publication_conforms_with_the_focus_nodes_that_its_data_has(tiny):
    result = check(assemble(tiny.settings))
    names = {iri.rpartition("#")[2]: count for iri, count in result.focus_nodes.items()}
    assert result.findings == ()
    # A beacon is a light too: subclasses count.
    assert names == {"BookShape": 2, "ExcerptShape": 8, "IslandShape": 2, "LightShape": 3}
    assert result.focus_node_count == 15


def test_shape_that_reaches_nothing_is_remarked_on(tiny):
    tiny.edit("shapes/lights.ttl", "sh:targetClass l:Book", "sh:targetClass l:Beacon, l:Island ; sh:deactivated true")
    tiny.append("shapes/lights.ttl", "\nl:BookShape2 a sh:NodeShape ; sh:targetNode l:nothing .\n")
    tiny.edit("shapes/lights.ttl", "sh:targetNode l:nothing", "sh:targetClass sh:NodeShape")
    [finding] = findings(tiny, "no-focus-node")
    assert finding.severity is Severity.WARNING
    assert finding.focus.endswith("#BookShape2")
    assert finding.location.path == "shapes/lights.ttl"


def test_severity_of_the_shape_is_the_severity_of_the_finding(tiny):
    line = tiny.edit(PILOT, "l:height 21", "l:height 0")
    result = check(assemble(tiny.settings))
    [finding] = result.findings
    assert finding.severity is Severity.WARNING
    assert (finding.location.line, finding.value) == (line, "0")
    assert finding.remedy == "give l:height a value of at least 1"
    assert result.conforms


def test_missing_qualified_value_says_what_it_must_be(tiny):
    tiny.edit(PILOT, '    rdfs:label "Ness light"@en ;\n', "")
    [finding] = findings(tiny, "QualifiedMinCountConstraintComponent")
    assert finding.remedy == "add rdfs:label with a value with the language tag en"


def test_result_of_anonymous_property_shape_names_the_shape_that_holds_it(tiny):
    tiny.edit(PILOT, "l:stands island:holm ;\n", "")
    [finding] = findings(tiny, "MinCountConstraintComponent")
    assert finding.shape.endswith("#LightShape")
    assert finding.label == "Holm light"


def test_prefixes_of_the_settings_are_declared_for_sparql_constraints(tiny):
    tiny.edit(PILOT, "l:replaces light:angso-beacon", "l:replaces light:ness")
    [finding] = findings(tiny, "SPARQLConstraintComponent")
    assert finding.message == "a light cannot replace itself"


def test_declared_prefix_of_the_shapes_wins_over_the_settings(tiny):
    quads = list(read_shapes(Publication(tiny.settings)).lines)
    owner = ox.NamedNode(tiny.settings.base_iri + "ontology")
    node = ox.BlankNode()
    quads += [
        ox.Quad(owner, ox.NamedNode(SH.declare), node),
        ox.Quad(node, ox.NamedNode(SH.prefix), ox.Literal("l")),
        ox.Quad(node, ox.NamedNode(SH.namespace), ox.Literal("urn:own:", datatype=ox.NamedNode(XSD.anyURI))),
    ]
    graph = shapes_graph(quads, tiny.settings.iris)
    [declared] = [node for node in graph.objects(None, SH.declare) if str(graph.value(node, SH.prefix)) == "l"]
    assert str(graph.value(declared, SH.namespace)) == "urn:own:"


def test_shape_that_cannot_be_evaluated_is_a_finding(tiny):
    tiny.edit("shapes/lights.ttl", "WHERE { $this l:replaces ?value", "WHERE { $this l:replaces ?value MINUS { }")
    [finding] = findings(tiny, "failure")
    assert "MINUS" in finding.message
    assert finding.severity is Severity.VIOLATION


def test_constraint_query_that_does_not_parse_is_a_finding(tiny):
    tiny.edit("shapes/lights.ttl", "WHERE { $this l:replaces ?value", "WHERE { $this l:replaces")
    assert len(findings(tiny, "failure")) == 1


def test_pattern_that_is_no_regular_expression_is_a_finding(tiny):
    tiny.edit("shapes/lights.ttl", "^[0-9a-f]{64}$", "[0-9")
    assert len(findings(tiny, "failure")) == 1


def test_graph_in_memory_keeps_terms_and_flattens_graphs(tiny):
    quads = tuple(read(Publication(tiny.settings)).lines)
    graph = memory_graph(quads)
    assert len(graph) == len({(quad.subject, quad.predicate, quad.object) for quad in quads})
    assert rdflib.Literal("Ängsö", lang="sv") in set(graph.objects())
    assert str(next(graph.objects(None, rdflib.URIRef(tiny.settings.iris.expand("l:height"))))) == "21"


def test_ill_typed_literal_enters_the_graph_without_a_traceback_in_the_log(caplog):
    quad = ox.Quad(
        ox.NamedNode("urn:a"), ox.NamedNode("urn:p"), ox.Literal("x", datatype=ox.NamedNode(str(XSD.integer)))
    )
    with caplog.at_level(logging.WARNING):
        graph = memory_graph([quad])
    [value] = graph.objects()
    assert isinstance(value, rdflib.Literal)
    assert value.ill_typed
    assert caplog.records == []


def test_query_with_bindings_gives_the_same_when_asked_again():
    graph = MemoryGraph()
    one, two, path = rdflib.URIRef("urn:1"), rdflib.URIRef("urn:2"), rdflib.URIRef("urn:p")
    graph.add((one, path, two))
    text = "SELECT ?value WHERE { ?this <urn:p> ?value }"
    answers = [len(graph.query(text, initBindings={"this": node})) for node in (one, two, one)]
    assert answers == [1, 0, 1]


SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <urn:> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
:Node a sh:NodeShape ; sh:targetNode :a .
:Implicit a sh:NodeShape, rdfs:Class .
:Subjects a sh:NodeShape ; sh:targetSubjectsOf :p .
:Objects a sh:NodeShape ; sh:targetObjectsOf :p .
:None a sh:NodeShape .
:Path sh:path [ sh:inversePath :p ] . :Path2 sh:path ( :p [ sh:zeroOrMorePath :q ] ) .
:Path3 sh:path [ sh:alternativePath ( :p :q ) ] .
"""
DATA = """@prefix : <urn:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Sub rdfs:subClassOf :Implicit . :x a :Sub . :y a :Implicit . :x :p :z . :b :p :z .
"""


def graphs():
    return rdflib.Graph().parse(data=SHAPES, format="turtle"), rdflib.Graph().parse(data=DATA, format="turtle")


def test_focus_nodes_of_every_kind_of_target():
    shapes, data = graphs()
    reached = {
        str(shape): {str(node) for node in focus_nodes(shapes, shape, data)} for shape in targeted_shapes(shapes)
    }
    assert reached == {
        "urn:Node": {"urn:a"},
        "urn:Implicit": {"urn:x", "urn:y"},
        "urn:Subjects": {"urn:x", "urn:b"},
        "urn:Objects": {"urn:z"},
    }


def test_shape_with_a_class_does_not_find_by_property_alone():
    shapes, _ = graphs()
    found = {str(shape) for shape in targeted_shapes(shapes) if is_targeted_by_property(shapes, shape)}
    assert found == {"urn:Subjects", "urn:Objects"}


def test_aimed_shapes_have_one_target_only():
    shapes, data = graphs()
    aimed = RetargetedShapes(shapes).with_targets({rdflib.URIRef("urn:Subjects"): [rdflib.URIRef("urn:b")]})
    assert {str(shape) for shape in targeted_shapes(aimed)} == {"urn:Subjects"}
    assert focus_nodes(aimed, rdflib.URIRef("urn:Subjects"), data) == {rdflib.URIRef("urn:b")}


def test_paths_are_written_as_sparql_writes_them(tiny):
    shapes, _ = graphs()
    iris = tiny.settings.iris
    texts = {path_text(path, shapes, iris) for path in shapes.objects(None, SH.path)}
    assert texts == {"^urn:p", "urn:p/urn:q*", "urn:p|urn:q"}
