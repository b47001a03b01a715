"""Where statements stand in Turtle, TriG and N-Quads."""

import pyoxigraph as ox
import pytest

from twingraph.rdf.positions import Locations

BASE = "https://kg.test/"
TURTLE = '''@prefix ex: <id/ex/> .
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
# ex:not a rdfs:Thing .
ex:a a rdfs:Resource ;
    rdfs:label "A. \\"quoted\\" ; name"@en,
        """long
text"""@sv ;
    rdfs:seeAlso [ a rdfs:Resource ; rdfs:label "inner" ] , (1 2) , ex:b.c ;
    ex:size 1.5 , -2e3 , true .
<id/ex/b> rdfs:label "B\\u00e4"^^ex:text . ex:b rdfs:comment 'x' .
'''
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


def locations(text: str, path: str = "a.ttl") -> Locations:
    return Locations({path: text}, BASE)


@pytest.mark.parametrize(
    ("subject", "predicate", "value", "place"),
    [
        ("id/ex/a", None, None, "a.ttl:4:8"),
        ("id/ex/a", LABEL, 'A. "quoted" ; name', "a.ttl:5:16"),
        ("id/ex/a", LABEL, "long\ntext", "a.ttl:6:9"),
        ("id/ex/a", "http://www.w3.org/2000/01/rdf-schema#seeAlso", BASE + "id/ex/b.c", "a.ttl:8:69"),
        ("id/ex/a", BASE + "id/ex/size", "-2e3", "a.ttl:9:19"),
        ("id/ex/b", LABEL, "Bä", "a.ttl:10:22"),
        ("id/ex/b", "urn:not-there", None, "a.ttl:10:22"),
    ],
)
def test_a_statement_is_found_where_it_stands(subject, predicate, value, place):
    assert str(locations(TURTLE).find(BASE + subject, predicate, value)) == place


def test_an_iri_that_nobody_mentions_has_no_place():
    assert locations(TURTLE).find(BASE + "id/ex/none") is None


def test_prefixes_without_full_stop_do_not_swallow_a_statement():
    assert len(locations(TURTLE).all(BASE + "id/ex/b", LABEL)) == 1


def test_statements_in_graph_blocks_are_found():
    trig = "@prefix ex: <id/ex/> .\nex:g { ex:a ex:p ex:b }\nGRAPH ex:h {\n  ex:c ex:p ex:d .\n}\n"
    assert str(locations(trig, "a.trig").find(BASE + "id/ex/c")) == "a.trig:4:13"


def test_every_statement_that_the_parser_reads_is_located():
    flat = TURTLE.replace('[ a rdfs:Resource ; rdfs:label "inner" ] , (1 2) , ', "")
    found = locations(flat)
    for quad in ox.parse(flat, ox.RdfFormat.TURTLE, base_iri=BASE):
        assert found.find(quad.subject.value, quad.predicate.value, quad.object.value) is not None


def test_the_word_a_stands_for_rdf_type_only_where_a_predicate_stands():
    locations = Locations({"broken.ttl": "<urn:s> <urn:p> a .\n<urn:s> a <urn:C> ."}, "urn:base")
    assert locations.mention("http://www.w3.org/1999/02/22-rdf-syntax-ns#type").line == 2
