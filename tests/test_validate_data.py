"""IRI policy, references, terms, literals and personal data: what offends, what must pass."""

import pyoxigraph as ox
import pytest

from twingraph.check.rules.iris import check_blank_nodes, check_forms
from twingraph.check.rules.languages import check_languages
from twingraph.check.rules.literals import check_literals
from twingraph.check.rules.personal_data import PersonalDataFinder, check_personal_data
from twingraph.check.rules.references import check_duplicates, check_references
from twingraph.check.rules.suggestions import did_you_mean
from twingraph.check.rules.vocabulary import check_terms
from twingraph.check.statements import Statements
from twingraph.findings import Severity
from twingraph.rdf.iris import Iris
from twingraph.rdf.positions import Locations
from twingraph.settings.policy import BlankNodes, Definition, PersonalData

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
    ],
)
def test_forms_of_iris_find(state, turtle, message):
    [finding] = check_forms(state(turtle), TYPES)
    assert message in finding.message
    assert finding.location.path == "a.ttl"
    assert finding.location.line == 4


@pytest.mark.parametrize(
    ("turtle", "message"),
    [
        ('[] a l:Island ; rdfs:label "x"@en .', "the subject is a blank node"),
        ('_:x a l:Island ; rdfs:label "x"@en .', "the subject is a blank node"),
        ("[ ] a l:Island ; l:near [ a l:Island ] .", "the subject is a blank node"),
        ("light:holm a l:Light ; l:stands [ a l:Island ] .", "the value of l:stands is a blank node"),
    ],
)
def test_a_blank_node_is_found_where_they_are_refused(state, turtle, message):
    statements = state(turtle)
    [finding] = check_blank_nodes(statements, BlankNodes.REFUSE)
    assert (finding.rule, finding.location.line) == ("iri/blank-node", 4)
    assert message in finding.message
    assert check_blank_nodes(statements, BlankNodes.ALLOW) == ()


def test_a_graph_that_is_a_blank_node_is_found_even_where_they_are_allowed(tiny):
    text = "_:g { <http://e.example/a> <http://e.example/b> 1, 2 }"
    quads = tuple(ox.parse(text, ox.RdfFormat.TRIG))
    statements = Statements(quads, Locations({"a.trig": text}, ""), tiny.settings.iris)
    [finding] = check_blank_nodes(statements, BlankNodes.ALLOW)
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
def test_forms_of_iris_let_pass(state, turtle):
    assert check_forms(state(turtle), TYPES) == ()


def test_dangling_object_is_reported_once_for_each_statement_with_a_suggestion(state):
    statements = state("island:holm a l:Island .\nlight:a a l:Light ; l:stands island:hulm .\n" * 2)
    [finding] = check_references(statements, Definition.CLASS)
    assert finding.message == "l:stands points to island:hulm, which is not defined"
    assert finding.remedy.startswith("did you mean island:holm?")
    assert finding.location.line == 5


def test_subject_without_type_is_dangling(state):
    [finding] = check_references(state("light:a a l:Light .\nlight:aa l:height 2 .\n"), Definition.CLASS)
    assert finding.message == "light:aa is not defined: it has no rdf:type"
    assert finding.location.line == 5


def test_terms_graphs_and_foreign_iris_do_not_dangle(state):
    turtle = "light:a a l:Light ; l:in <graph/x>, l:Unknown, <http://example.org/x>, <release/1> ."
    assert check_references(state(turtle), Definition.CLASS) == ()


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


def test_unknown_term_of_our_own_has_a_suggestion(state):
    statements = state("l:height a l:Thing .\nl:Thing a l:Thing .\nlight:a l:heigth 3 .\n")
    [finding] = check_terms(statements, state(""), Definition.CLASS)
    assert finding.message == "l:heigth is not defined in the ontology"
    assert "did you mean l:height?" in finding.remedy
    assert (finding.rule, finding.location.line) == ("term/unknown", 6)


def test_unknown_datatype_and_class_are_unknown_terms(state):
    found = check_terms(state('light:a a l:Lihgt ; skos:notation "x"^^l:code .'), state(""), Definition.CLASS)
    assert {finding.message.split()[0] for finding in found} == {"l:Lihgt", "l:code"}


def test_unknown_term_of_a_standard_vocabulary_is_a_warning(state):
    [finding] = check_terms(state('light:a skos:preferredLabel "A" .'), state(""), Definition.CLASS)
    assert finding.severity is Severity.WARNING
    assert finding.message == "skos:preferredLabel is not a term of its vocabulary"


def test_shape_that_names_an_unknown_term_is_found_at_its_line(state):
    shapes = state(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\nl:S a sh:NodeShape ;\n"
        "  sh:property [ sh:path l:hieght ] ;\n  sh:targetClass l:Lite ."
    )
    found = check_terms(state("l:height a l:T . l:T a l:T ."), shapes, Definition.CLASS)
    assert {finding.message.split()[0] for finding in found} == {"l:hieght", "l:Lite"}
    assert all(finding.focus is None or not finding.focus.startswith("_:") for finding in found)


def test_known_terms_pass(state):
    statements = state('l:T a l:T . light:a a l:T ; skos:prefLabel "x"@en ; rdfs:seeAlso light:a .')
    assert check_terms(statements, state(""), Definition.CLASS) == ()


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
def test_personal_data_is_found_in(text, real):
    assert PersonalDataFinder(real.policy.personal_data).in_text(text)


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
def test_no_personal_data_in(text, real):
    assert PersonalDataFinder(real.policy.personal_data).in_text(text) is None
    assert PersonalDataFinder(PersonalData()).in_text(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "one part in a 1 000 000 000-fold dilution",
        "Boston, MA 02115-5000",
        "Licensed to the Apache Software Foundation, apache@apache.org",
        "070-123 45 67",
        "12 34 56 78",
        "jane@example.org",
        "jane@sub.example.com",
        "info@ministry.test",
        "about +1 000 000 a year",
        "a" * 200_000 + " @",
        "@" * 50_000,
        "a.a" * 50_000 + "@" + "b." * 50_000,
        "1" * 200_000,
    ],
)
def test_by_default_no_personal_data_in(text):
    assert PersonalDataFinder(PersonalData()).in_text(text) is None


@pytest.mark.parametrize(
    "text", ["jane.doe@ministry.test", "ring +46 70-123 45 67", "+1 (555) 123-4567", "+4670123456 7"]
)
def test_by_default_personal_data_is_found_in(text):
    assert PersonalDataFinder(PersonalData()).in_text(text)


def test_other_patterns_of_personal_data_are_the_settings():
    finder = PersonalDataFinder(PersonalData(e_mail="", telephone=(), other=(r"\d{6}-\d{4}",)))
    assert finder.in_text("born 640823-3234, a@b.test") == "640823-3234"
    assert finder.in_text("a@b.test, +46 70-123 45 67") is None


def test_an_allowed_address_is_allowed_as_an_iri():
    finder = PersonalDataFinder(PersonalData(allowed=("kg.test",)))
    assert finder.in_term(ox.NamedNode("mailto:jane@kg.test?subject=x")) is None
    assert finder.in_term(ox.NamedNode("mailto:jane@other.test")) == "mailto:jane@other.test"


def test_mail_and_telephone_iris_are_personal_data(state):
    found = check_personal_data(
        state("light:a l:see <mailto:a@example.org>, <tel:+46701234567>, <http://e.org/> ."), PersonalData(allowed=())
    )
    assert len(found) == 2
    assert all(finding.location.line == 4 for finding in found)


@pytest.mark.parametrize(
    "uri", ["mailto:jane@example.org", "tel:+46701234567", "https://example.org/?to=jane@example.org"]
)
def test_mail_and_telephone_addresses_written_as_literals_are_personal_data(state, uri):
    [finding] = check_personal_data(state(f'light:a l:see "{uri}"^^xsd:anyURI .'), PersonalData(allowed=()))
    assert finding.rule == "personal-data"


def test_numbers_are_not_searched_for_telephones(state):
    assert (
        check_personal_data(state("light:a l:height 46701234567 ; l:b 0701234567.0 ."), PersonalData(allowed=())) == ()
    )


def test_suggestion_falls_back_when_nothing_is_near():
    assert did_you_mean("abc", ["xyz"], "look again") == "look again"


FREE = Iris("https://kg.test/", {"": "https://kg.test/", "rdfs": "http://www.w3.org/2000/01/rdf-schema#"})


def free(turtle, iris=FREE):
    """Statements of a publication whose IRIs have no forms; the base is the empty prefix, the first line is line 2."""
    text = f"@prefix : <{iris.base}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n{turtle}"
    return Statements(tuple(ox.parse(text, ox.RdfFormat.TURTLE)), Locations({"a.ttl": text}, iris.base), iris)


def test_any_statement_defines_a_thing_where_the_policy_says_so():
    statements = free(':a :near :b, :c . :b rdfs:label "B" .')
    found = check_references(statements, Definition.STATEMENT)
    assert [finding.value for finding in found] == ["https://kg.test/c"]
    assert found[0].severity is Severity.WARNING
    assert len(check_references(statements, Definition.CLASS)) == 4


def test_a_class_may_be_a_blank_node():
    assert check_references(free(":a a [ rdfs:label 'any' ] ; :near :a ."), Definition.CLASS) == ()


def test_a_literal_refers_to_nothing():
    statements = free(':a :b "https://kg.test/c"^^<http://www.w3.org/2001/XMLSchema#anyURI> .')
    assert check_references(statements, Definition.STATEMENT) == ()


def test_without_forms_a_term_is_told_from_a_thing_by_its_place():
    statements = free(
        ":a a :Lamp ; :heigth 1 ; :by :b . :b rdfs:label 'B' . :height rdfs:label 'h' . :by a rdfs:Property ."
    )
    found = check_terms(statements, free(""), Definition.STATEMENT)
    assert sorted(finding.message for finding in found) == [
        ":Lamp is not defined in the ontology",
        ":heigth is not defined in the ontology",
        "rdfs:Property is not a term of its vocabulary",
    ]
    assert check_references(statements, Definition.STATEMENT) == ()


def test_terms_of_other_hosts_are_described_and_not_claimed():
    statements = free(
        ":a <http://other.test/b> <http://other.test/c> . <http://other.test/b> a <http://other.test/d> ."
    )
    assert check_terms(statements, free(""), Definition.CLASS) == ()


def test_a_namespace_of_a_standard_vocabulary_is_no_unknown_term():
    found = check_terms(free(":a rdfs:seeAlso rdfs: . :a rdfs:label 'A' ."), free(""), Definition.STATEMENT)
    assert [finding for finding in found if finding.rule == "term/vocabulary"] == []


def test_a_misspelt_datatype_is_a_warning_with_the_nearest(state):
    [finding] = check_terms(
        state('light:a l:height "1"^^xsd:interger . l:height a l:T . l:T a l:T .'), state(""), Definition.CLASS
    )
    assert (finding.rule, finding.severity) == ("literal/unknown-datatype", Severity.WARNING)
    assert finding.remedy.startswith("did you mean xsd:integer")


def test_suggestions_for_ten_thousand_unknown_names_among_as_many_take_no_square_of_time():
    lines = "".join(f":thing-{number} :near :thimg-{number} .\n" for number in range(10_000))
    assert len(check_references(free(lines), Definition.STATEMENT)) == 10_000


def test_labels_in_a_language_that_is_not_listed_are_one_finding_for_each_property(state):
    turtle = "light:a rdfs:label 'A'@fr, 'B'@fr, 'C'@en-GB ; rdfs:comment 'D'@fr ."
    [finding] = check_languages(state(turtle), ("en", "sv"))
    assert finding.message == "2 values have the language tag 'fr', which the publication does not list"
    assert (finding.rule, finding.severity, finding.location.line) == ("literal/language", Severity.WARNING, 4)
    assert check_languages(state(turtle), ()) == ()
