"""IRI policy, references, terms, literals and personal data: what offends, what must pass."""

import pyoxigraph as ox
import pytest

from twingraph.check.rules.iris import check_duplicates, check_policy, check_references
from twingraph.check.rules.literals import check_literals
from twingraph.check.rules.personal_data import check_personal_data, find_personal_data
from twingraph.check.rules.vocabulary import check_terms, did_you_mean
from twingraph.check.statements import Statements
from twingraph.findings import Severity
from twingraph.rdf.positions import Locations

PREFIXES = """@prefix l: <ontology#> . @prefix light: <id/light/> . @prefix island: <id/island/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix edtf: <http://id.loc.gov/datatypes/edtf/> .
"""


@pytest.fixture
def state(tiny):
    """A function from Turtle, with the prefixes above, to statements; its first line is line 4."""
    iris = tiny.settings.iris

    def make(turtle):
        text = PREFIXES + turtle
        quads = tuple(ox.parse(text, ox.RdfFormat.TURTLE, base_iri=iris.base))
        return Statements(quads, Locations({"a.ttl": text}, iris.base), iris, ("en", "sv"))

    return make


TYPES = {"light": "l:Light", "island": "l:Island", "beacon": "l:Beacon"}


@pytest.mark.parametrize(
    ("turtle", "message"),
    [
        ("light:Holm a l:Light .", "<id/light/Holm> has none of the forms"),
        ("light:holm--light a l:Light .", "<id/light/holm--light> has none of the forms"),
        ("<id/light/fyr-på-ön> a l:Light .", "has none of the forms"),
        ("<lights/holm> a l:Light .", "<lights/holm> has none of the forms"),
        ("light:holm l:stands <id/island> .", "<id/island> has none of the forms"),
        ("<id/lihgt/holm> a l:Light .", "id/lihgt/ is not declared as the folder of any class"),
        ("island:holm a l:Light .", "a l:Light does not belong in id/island/"),
        ("l:Beacon rdfs:subClassOf l:Light . light:x a l:Beacon .", "a l:Beacon does not belong in id/light/"),
        ("l:Ship rdfs:subClassOf l:Light . island:x a l:Ship .", "a l:Ship does not belong in id/island/"),
        ("light:holm a l:Light ; l:stands [ a l:Island ] .", "the value of l:stands is a blank node"),
    ],
)
def test_iri_policy_finds(state, turtle, message):
    [finding] = check_policy(state(turtle), TYPES)
    assert message in finding.message
    assert finding.location.path == "a.ttl"
    assert finding.location.line == 4


@pytest.mark.parametrize(
    ("turtle", "message"),
    [
        ('[] a l:Island ; rdfs:label "x"@en .', "the subject is a blank node"),
        ('_:x a l:Island ; rdfs:label "x"@en .', "the subject is a blank node"),
        ("[ ] a l:Island ; l:near [ a l:Island ] .", "the subject is a blank node"),
    ],
)
def test_a_subject_that_is_a_blank_node_is_found_where_they_are_forbidden(state, turtle, message):
    statements = state(turtle)
    [finding] = check_policy(statements, TYPES)
    assert (finding.rule, finding.location.line, finding.focus) == ("iri/blank-node", 4, None)
    assert message in finding.message
    assert check_policy(statements, TYPES, blank_nodes=True) == ()


def test_a_graph_that_is_a_blank_node_is_found_where_they_are_forbidden(tiny):
    text = "_:g { <http://e.example/a> <http://e.example/b> 1, 2 }"
    quads = tuple(ox.parse(text, ox.RdfFormat.TRIG))
    [finding] = check_policy(Statements(quads, Locations({"a.trig": text}, ""), tiny.settings.iris), TYPES)
    assert finding.message.startswith("the graph name is a blank node")
    assert finding.location.line == 1


@pytest.mark.parametrize(
    "turtle",
    [
        "light:holm a l:Light .",
        "l:Lightship rdfs:subClassOf l:Light . light:x a l:Lightship .",
        "l:Beacon rdfs:subClassOf l:Light . <id/beacon/x> a l:Beacon .",
        "light:holm a l:Light, <http://example.org/Other> .",
        "light:holm a <http://example.org/Other> .",
        "l:a rdfs:subClassOf l:b . l:b rdfs:subClassOf l:a . light:holm a l:a .",
        "light:holm l:in <graph/book/pilot>, <ontology>, <release/1>, <http://example.org/ANY> .",
    ],
)
def test_iri_policy_lets_pass(state, turtle):
    assert check_policy(state(turtle), TYPES) == ()


def test_dangling_object_is_reported_once_for_each_statement_with_a_suggestion(state):
    statements = state("island:holm a l:Island .\nlight:a a l:Light ; l:stands island:hulm .\n" * 2)
    [finding] = check_references(statements)
    assert finding.message == "l:stands points to island:hulm, which is not defined"
    assert finding.remedy.startswith("did you mean island:holm?")
    assert finding.location.line == 5


def test_subject_without_type_is_dangling(state):
    [finding] = check_references(state("light:a a l:Light .\nlight:aa l:height 2 .\n"))
    assert finding.message == "light:aa is not defined: it has no rdf:type"
    assert finding.location.line == 5


def test_terms_graphs_and_foreign_iris_do_not_dangle(state):
    turtle = "light:a a l:Light ; l:in <graph/x>, l:Unknown, <http://example.org/x>, <release/1> ."
    assert check_references(state(turtle)) == ()


def test_class_stated_twice_is_a_duplicate_at_the_second_place(state):
    [finding] = check_duplicates(state("light:a a l:Light .\n\nlight:a a l:Light .\n"))
    assert finding.message == "light:a is defined twice: here and in a.ttl:4:11"
    assert finding.location.line == 6


def test_two_classes_in_one_file_are_no_duplicate(state):
    assert check_duplicates(state("light:a a l:Light, l:Beacon . <http://example.org/x> a l:Light .")) == ()


def test_types_in_two_files_are_a_duplicate(tiny):
    iris = tiny.settings.iris
    texts = {"a.ttl": PREFIXES + "light:a a l:Light .", "b.ttl": PREFIXES + "\nlight:a a l:Beacon ."}
    quads = tuple(quad for text in texts.values() for quad in ox.parse(text, ox.RdfFormat.TURTLE, base_iri=iris.base))
    [finding] = check_duplicates(Statements(quads, Locations(texts, iris.base), iris))
    assert (finding.location.path, finding.location.line) == ("b.ttl", 5)


def test_unknown_term_of_our_own_is_a_violation_with_a_suggestion(state):
    statements = state("l:height a l:Thing .\nl:Thing a l:Thing .\nlight:a l:heigth 3 .\n")
    [finding] = check_terms(statements, state(""))
    assert finding.message == "l:heigth is not defined in the ontology"
    assert "did you mean l:height?" in finding.remedy
    assert (finding.severity, finding.location.line) == (Severity.VIOLATION, 6)


def test_unknown_datatype_and_class_are_unknown_terms(state):
    found = check_terms(state('light:a a l:Lihgt ; skos:notation "x"^^l:code .'), state(""))
    assert {finding.message.split()[0] for finding in found} == {"l:Lihgt", "l:code"}


def test_unknown_term_of_a_standard_vocabulary_is_a_warning(state):
    [finding] = check_terms(state('light:a skos:preferredLabel "A" .'), state(""))
    assert finding.severity is Severity.WARNING
    assert finding.message == "skos:preferredLabel is not a term of its vocabulary"


def test_shape_that_names_an_unknown_term_is_found_at_its_line(state):
    shapes = state(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\nl:S a sh:NodeShape ;\n"
        "  sh:property [ sh:path l:hieght ] ;\n  sh:targetClass l:Lite ."
    )
    found = check_terms(state("l:height a l:T . l:T a l:T ."), shapes)
    assert {finding.message.split()[0] for finding in found} == {"l:hieght", "l:Lite"}
    assert all(finding.focus is None or not finding.focus.startswith("_:") for finding in found)


def test_known_terms_pass(state):
    statements = state('l:T a l:T . light:a a l:T ; skos:prefLabel "x"@en ; rdfs:seeAlso light:a .')
    assert check_terms(statements, state("")) == ()


@pytest.mark.parametrize(
    ("literal", "rule"),
    [
        ('"2011-13"^^edtf:EDTF', "date/edtf"),
        ('"spring 2011"^^edtf:EDTF', "date/edtf"),
        ('"2020/2011"^^edtf:EDTF', "date/edtf"),
        ('"2011-02-30"^^xsd:date', "literal/datatype"),
        ('"2011-2-3"^^xsd:date', "literal/datatype"),
        ('"11"^^xsd:gYear', "literal/datatype"),
        ('"2011-13"^^xsd:gYearMonth', "literal/datatype"),
        ('"2011-02-30T10:00:00"^^xsd:dateTime', "literal/datatype"),
        ('"2011-02-03T25:00:00"^^xsd:dateTime', "literal/datatype"),
        ('"twenty"^^xsd:integer', "literal/datatype"),
        ('"1.5"^^xsd:integer', "literal/datatype"),
        ('"1,5"^^xsd:decimal', "literal/datatype"),
        ('"yes"^^xsd:boolean', "literal/datatype"),
        ('"-1"^^xsd:nonNegativeInteger', "literal/datatype"),
        ('"5Y"^^xsd:duration', "literal/datatype"),
        ('"P"^^xsd:duration', "literal/datatype"),
        ('"abc"^^xsd:float', "literal/datatype"),
        ('"128"^^xsd:byte', "literal/datatype"),
        ('"1"^^xsd:negativeInteger', "literal/datatype"),
        ('"-1"^^xsd:unsignedByte', "literal/datatype"),
        ('"25:00:00"^^xsd:time', "literal/datatype"),
        ('"ABC"^^xsd:hexBinary', "literal/datatype"),
        ('"A==="^^xsd:base64Binary', "literal/datatype"),
        ('"٣"^^xsd:integer', "literal/datatype"),
        ('"٢٠١٢"^^xsd:gYear', "literal/datatype"),
        ('"1900-02-29"^^xsd:date', "literal/datatype"),
        ('"-0001-02-29"^^xsd:date', "literal/datatype"),
        ('"2012-01-01+15:00"^^xsd:date', "literal/datatype"),
        ('"--02-30"^^xsd:gMonthDay', "literal/datatype"),
        ('"P1Y1D"^^xsd:yearMonthDuration', "literal/datatype"),
        ('"P1Y"^^xsd:dayTimeDuration', "literal/datatype"),
        ('"2012-01-01T10:00:00"^^xsd:dateTimeStamp', "literal/datatype"),
        ('"a b"^^xsd:anyURI', "literal/datatype"),
        ('"2012-X3"^^edtf:EDTF', "date/edtf"),
        ('"2012 "^^edtf:EDTF', "date/edtf"),
    ],
)
def test_literal_that_is_not_of_its_datatype_is_found(state, literal, rule):
    [finding] = check_literals(state(f"light:a\n  l:value {literal} ."))
    assert (finding.rule, finding.location.line) == (rule, 5)


@pytest.mark.parametrize(
    "literal",
    [
        '"2012-23"^^edtf:EDTF',
        '"1998~"^^edtf:EDTF',
        '"../1950"^^edtf:EDTF',
        '"2012-02-29"^^xsd:date',
        '"2012-02-29Z"^^xsd:date',
        '"2012"^^xsd:gYear',
        '"+07"^^xsd:integer',
        '".5"^^xsd:decimal',
        '"1"^^xsd:boolean',
        '"P5Y"^^xsd:duration',
        '"PT1H"^^xsd:duration',
        '"1e5"^^xsd:double',
        '"2012-02-29T23:59:59.5+01:00"^^xsd:dateTime',
        '"2012-12-31T24:00:00"^^xsd:dateTime',
        '"-0004-02-29"^^xsd:date',
        '"12000-02-29"^^xsd:date',
        '"-INF"^^xsd:float',
        '"-128"^^xsd:byte',
        '"18446744073709551615"^^xsd:unsignedLong',
        f'"{"9" * 5000}"^^xsd:integer',
        f'"-{"0" * 5000}"^^xsd:nonNegativeInteger',
        '"0aFF"^^xsd:hexBinary',
        '"QQ=="^^xsd:base64Binary',
        '"--02-29"^^xsd:gMonthDay',
        '"---31"^^xsd:gDay',
        '"https://example.org/ö"^^xsd:anyURI',
        '"naïve"^^xsd:NCName',
        '"anything"^^<http://example.org/type>',
        '"twenty"',
        '"tjugo"@sv',
    ],
)
def test_literal_of_its_datatype_passes(state, literal):
    assert check_literals(state(f"light:a l:value {literal} .")) == ()


@pytest.mark.parametrize(
    "text",
    [
        "write to anna.berg@example.org",
        "Anna (at) example.org",
        "ring +46 70-123 45 67",
        "+4670123456 7",
        "0046 70 123 45 67",
        "070-123 45 67",
        "(026) 12 34 56",
        "tfn 026-123456",
        "Tlf. 12345678",
        "12 34 56 78",
        "+358 9 816 21",
        "+86 138 1234 5678",
        "手机: 13812345678",
    ],
)
def test_personal_data_is_found_in(text):
    assert find_personal_data(text)


@pytest.mark.parametrize(
    "text",
    [
        "2010-04-12",
        "12-04-2010",
        "04/12 2010",
        "2016-2020",
        "2010/2015",
        "20 000 000",
        "1 250 000 kronor",
        "from 512-560",
        "60.6749, 17.1413",
        "+60.6749+017.1413",
        "https://example.org/2020/06/15/0701234567",
        "https://example.org/a?id=070-123 rest",
        "94779dd821059353bf2b85abe00be001b279d8c2cbfadbd0b27cc32427242462",
        "2011-0123",
        "§27",
        "ISO 3166-2",
        "ISBN 978-91-7000-150-5",
        "CN-440400",
        "10.30-12.00",
        "kl 08-10",
        "1, 2, 3, 4, 5, 6, 7",
        "Q1361 Q5465 Q1754",
        "2020-01-01T10:00:00+02:00",
        "@prefix and @en",
        "2007, 2009, 2010, 2011, 2012, 2015",
        "10 12 14 16 18 20",
        "0.123456789",
    ],
)
def test_no_personal_data_in(text):
    assert find_personal_data(text) is None


def test_mail_and_telephone_iris_are_personal_data(state):
    found = check_personal_data(state("light:a l:see <mailto:a@example.org>, <tel:+46701234567>, <http://e.org/> ."))
    assert len(found) == 2
    assert all(finding.location.line == 4 for finding in found)


@pytest.mark.parametrize(
    "uri", ["mailto:jane@example.org", "tel:+46701234567", "https://example.org/?to=jane@example.org"]
)
def test_mail_and_telephone_addresses_written_as_literals_are_personal_data(state, uri):
    [finding] = check_personal_data(state(f'light:a l:see "{uri}"^^xsd:anyURI .'))
    assert finding.rule == "personal-data"


def test_numbers_are_not_searched_for_telephones(state):
    assert check_personal_data(state("light:a l:height 46701234567 ; l:b 0701234567.0 .")) == ()


def test_suggestion_falls_back_when_nothing_is_near():
    assert did_you_mean("abc", ["xyz"], "look again") == "look again"
