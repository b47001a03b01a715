"""Where statements about blank nodes stand, and how findings name these nodes: by place, never by a label."""

import re

import pytest

from test_reading import publication, reading, xml
from twingraph.check.run import check
from twingraph.findings import Severity
from twingraph.publication.assembly import assemble
from twingraph.rdf.blank_nodes import equal_nodes

# Every node says on which line it is, and most have the same statement besides.
NESTED = """@prefix : <urn:> .
:a :p [ :line 2 ; :q "same" ; :p [ :line 2 ;
    :q "same", "other" ] , [ :line "3 b" ; :q "same" ] ] ;
  :p ( [ :line 4 ; :q "same" ] 1 (
    [ :line 5 ; :q "same" ] ) () ) .
[ :line 6 ;
  :q "same" ] :p [] , [ :line 7 ; :q "same" ] .
_:x :p _:y ; :line 8 ; :q "same" .
_:y :line 9 ; :q "same" . ( [ :line 9 ; :q
  "same" ] ) :p :b .
"""
# The line on which the statement ``:q "same"`` of the node with this ``:line`` stands.
LINES = {"2": {2, 3}, "3 b": {3}, "4": {4}, "5": {5}, "6": {7}, "7": {7}, "8": {8}, "9": {9, 10}}


@pytest.mark.parametrize("blank_nodes", ["allow", "skolemise"])
@pytest.mark.parametrize("name", ["a.ttl", "a.n3", "a.trig"])
def test_statement_of_a_nested_node_is_found_on_its_own_line(name, blank_nodes, tmp_path):
    files = {f"data/{name}": NESTED, "data/0.ttl": NESTED.replace('"same"', '"here"')}
    settings = f'[policy]\nblank_nodes = "{blank_nodes}"\n'
    found = assemble(publication(tmp_path, files, settings).settings).reading
    of = {}
    for quad in found.lines:
        of.setdefault(str(quad.subject), []).append((quad.predicate.value, quad.object))
    places = {}
    for subject, facts in of.items():
        if ("urn:q", "same") in [(predicate, getattr(value, "value", "")) for predicate, value in facts]:
            line = next(value.value for predicate, value in facts if predicate == "urn:line")
            place = found.locations.find(subject.strip("<>"), "urn:q", "same")
            assert place.path == f"data/{name}"
            places.setdefault(line, set()).add(place.line)
    assert places == LINES


def test_labels_of_n_triples_are_matched(tmp_path):
    content = '_:a <urn:p> _:b .\n_:b <urn:q> "same" .\n_:c <urn:q> "same" .\n_:c <urn:r> "x" .\n'
    found = reading(tmp_path, {"data/a.nt": content})
    [subject] = [str(quad.subject) for quad in found.lines if quad.predicate.value == "urn:r"]
    assert str(found.locations.find(subject, "urn:q", "same")) == "data/a.nt:3:13"


def test_nodes_that_are_alike_are_told_apart_by_their_order():
    one = [("_:a", "urn:p", "x"), ("_:b", "urn:p", "x"), ("_:c", "urn:p", "_:a")]
    other = [("_:1", "urn:p", "x"), ("_:2", "urn:p", "x"), ("_:3", "urn:p", "_:2")]
    assert equal_nodes(one, other) == {"_:a": "_:2", "_:b": "_:1", "_:c": "_:3"}
    assert equal_nodes(one[:2], other[:2]) == {"_:a": "_:1", "_:b": "_:2"}
    assert equal_nodes(one[:2], other[:1]) == {}


SHAPES = """@prefix ex: <urn:ex:> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
ex:Many a sh:NodeShape ; sh:targetClass ex:Q ; sh:property [ sh:path ex:n ; sh:maxCount 1 ] .
[] a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path ex:part ; sh:nodeKind sh:IRI ] .
[] a sh:NodeShape ; sh:targetClass ex:None .
"""
DATA = """@prefix ex: <urn:ex:> .
ex:a a ex:C ; ex:part [ a ex:P ;
  ex:list ( 1 [ a ex:Q ;
    ex:n 1 ] [ a ex:Q ; ex:n 1 ,
    2 ] ) ] .
[ a ex:Q ; ex:n 1, 2 ] .
"""
PREFIXES = '[prefixes]\nex = "urn:ex:"\nsh = "http://www.w3.org/ns/shacl#"\n'


def checked(directory, files):
    return check(assemble(publication(directory, files, PREFIXES).settings))


def test_results_about_blank_nodes_show_where_the_nodes_are_and_what_leads_to_them(tmp_path):
    result = checked(tmp_path, {"data/a.ttl": DATA, "shapes/s.ttl": SHAPES})
    found = {str(each.location): each for each in result.findings if each.severity is Severity.VIOLATION}
    assert list(found) == ["data/a.ttl:2:23", "data/a.ttl:4:30", "data/a.ttl:6:17"]
    value, nested, alone = found.values()
    assert (value.focus, value.value) == ("urn:ex:a", "[] in data/a.ttl:2:23 (ex:part of ex:a)")
    assert (nested.focus, nested.label) == (None, "[] in data/a.ttl:4:14 (ex:list of ex:part of ex:a)")
    assert (alone.focus, alone.label) == (None, "[] in data/a.ttl:6:1")
    assert nested.message == "More than 1 values on []-><urn:ex:n>"
    [idle] = [each for each in result.findings if each.rule == "shape/no-focus-node"]
    assert (str(idle.location), idle.label) == ("shapes/s.ttl:5:6", "[] in shapes/s.ttl:5:1")
    assert result.focus_nodes == {"urn:ex:Many": 3, "[] in shapes/s.ttl:4:1": 1, "[] in shapes/s.ttl:5:1": 0}


def test_nodes_without_lines_are_named_by_their_file(tmp_path):
    body = '<e:C rdf:about="urn:a"><e:part><rdf:Description><e:n>1</e:n><e:n>2</e:n></rdf:Description></e:part></e:C>'
    shapes = SHAPES.replace("urn:ex:", "urn:e:").replace("targetClass ex:Q", "targetObjectsOf ex:part")
    result = checked(tmp_path, {"data/a.rdf": xml(body), "shapes/s.ttl": shapes})
    [finding] = [each for each in result.findings if each.rule == "shape/MaxCountConstraintComponent"]
    assert (str(finding.location), finding.label) == ("data/a.rdf", "[] in data/a.rdf (urn:e:part of urn:a)")


def test_constraints_of_unnamed_shapes_are_named_by_their_place(tmp_path):
    broken = '[] a sh:NodeShape ; sh:targetClass ex:Q ;\n  sh:property [ sh:path ex:n ; sh:pattern "[a" ] .\n'
    cycle = "_:r a sh:NodeShape ; sh:targetClass ex:Q ; sh:property [ sh:path ex:n ;\n  sh:node _:r ] .\n"
    result = checked(tmp_path, {"data/a.ttl": DATA, "shapes/s.ttl": SHAPES + broken + cycle})
    [failure] = [each for each in result.findings if each.rule == "shape/failure"]
    assert str(failure.location) == "shapes/s.ttl:7:43"
    assert failure.message.startswith("sh:pattern of [] in shapes/s.ttl:7:15 (sh:property) cannot be evaluated")
    [recursive] = [each for each in result.findings if each.rule == "shape/recursive"]
    assert re.match(r"this shape refers to itself \(\[\] in shapes/s.ttl:8:\d+ .* -> \[\] in ", recursive.message)
    assert not [each for each in result.findings if each.rule == "shape/malformed"]
    assert not [each for each in result.findings if "_:" in f"{each.message} {each.label} {each.value}"]


def test_messages_about_sets_are_the_same_in_every_run(tmp_path):
    shapes = (
        SHAPES + "ex:In a sh:NodeShape ; sh:targetClass ex:Q ; sh:property [ sh:path ex:n ; sh:in ( 9 8 7 6 5 ) ] .\n"
    )
    result = checked(tmp_path, {"data/a.ttl": DATA, "shapes/s.ttl": shapes})
    messages = {each.message for each in result.findings if each.rule == "shape/InConstraintComponent"}
    numbers = [re.findall(r"'Literal\(\"(\d)\"", message) for message in messages]
    assert numbers == [["5", "6", "7", "8", "9"]] * 2
