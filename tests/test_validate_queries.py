"""Checks, saved queries and examples of shapes."""

import pytest

from twingraph.check.run import check
from twingraph.findings import violations
from twingraph.publication.assembly import assemble

CHECK = "queries/checks/replaced-before-lit.rq"
DARK, VALID = "shapes/examples/LightShape/invalid-dark.ttl", "shapes/examples/LightShape/valid-skerry.ttl"


def found(tiny, **options):
    return [
        (finding.rule, finding.message, finding.location)
        for finding in check(assemble(tiny.settings), **options).findings
    ]


def test_row_of_a_check_is_a_violation_with_the_header_as_remedy(tiny):
    line = tiny.edit("data/books/pilot/lights.ttl", "l:replaces light:angso-beacon", "l:replaces light:holm")
    tiny.edit("data/books/pilot/lights.ttl", '"1848/.."', '"1948/.."')
    [finding] = violations(check(assemble(tiny.settings)).findings)
    assert finding.rule == "check/replaced-before-lit"
    assert finding.message == "it was lit on 1871-03-01, the light that it replaces on 1948-01-01"
    assert finding.remedy.startswith("Look again at l:burned of both lights")
    assert finding.label == "Ness light"
    assert (finding.location.path, finding.location.line) == ("data/books/pilot/lights.ttl", line)


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("FILTER(?lit < ?before)", "FILTER(?lit <", "", None),
        ("SELECT ?entity ?property ?value ?message", "SELECT ?value", "a check must be a SELECT with the columns", 1),
        ("#+ remedy: Look", "#+ remedies: Look", "the header lacks remedy", 1),
        ("?entity l:replaces ?old", "SERVICE <http://127.0.0.1:9/> { ?entity l:replaces ?old }", "SERVICE", 6),
        ("l:replaces ?old", "nope:replaces ?old", "Prefix not found", 6),
    ],
)
def test_check_that_cannot_be_asked_is_a_finding_in_its_file(tiny, old, new, message, line):
    tiny.edit(CHECK, old, new)
    [(rule, said, place)] = found(tiny)
    assert rule == "query/syntax"
    assert message in said
    assert place.path == CHECK
    assert line is None or place.line == line


RULE = "ontology/rules/20-inverse.rq"


@pytest.mark.parametrize("where", ["SERVICE <http://127.0.0.1:9/>", "SERVICE SILENT <http://127.0.0.1:9/>"])
def test_rule_that_asks_another_endpoint_is_refused_at_its_line(tiny, where):
    tiny.edit(RULE, "WHERE {", f"WHERE {{\n  {where} {{ ?a ?b ?c }}\n")
    line = next(number for number, text in enumerate(tiny.text(RULE).splitlines(), 1) if "SERVICE" in text)
    [finding] = [each for each in check(assemble(tiny.settings)).findings if each.rule == "query/rule"]
    assert finding.message == "SERVICE is refused: no queries are sent to other endpoints"
    assert str(finding.location) == f"{RULE}:{line}:3"
    assert finding.remedy == "fix the rule; nothing was derived"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $this WHERE {{ $this a <urn:x#y> . SERVICE <http://127.0.0.1:9/> {{ ?a ?b ?c }} }}",
        "SELECT $this WHERE {{ # SERVICE\n SERVICE#\n<http://127.0.0.1:9/> {{ ?a ?b ?c }} }}",
        "SELECT $this FROM <http://127.0.0.1:9/> WHERE {{ $this a l:Light }}",
    ],
)
def test_constraint_that_asks_another_endpoint_is_refused_at_its_line(tiny, text):
    line = tiny.text("shapes/lights.ttl").count("\n") + 2
    constraint = f'[ sh:prefixes <ontology> ; sh:select """{text.format()}""" ]'
    tiny.append("shapes/lights.ttl", f"\nl:New a sh:NodeShape ; sh:targetClass l:Light ; sh:sparql {constraint} .\n")
    [finding] = [each for each in check(assemble(tiny.settings)).findings if each.rule == "shape/failure"]
    word = "SERVICE" if "SERVICE" in text else "FROM"
    assert f"cannot be evaluated, so it checks nothing: {word} is refused" in finding.message
    assert (finding.location.path, finding.location.line) == ("shapes/lights.ttl", line)


@pytest.mark.parametrize(
    ("path", "old", "new", "rule"),
    [
        (CHECK, "FILTER(?lit", "?old l:higth ?h FILTER(?lit", "term/unknown"),
        ("ontology/rules/10-bounds.rq", "{ ?light l:earliest", "{ ?light l:erliest", "term/unknown"),
        ("queries/lights.rq", "ORDER BY", "VALUES ?x { light:hulm }\nORDER BY", "iri/dangling"),
    ],
)
def test_name_in_a_query_that_nothing_bears_is_found_at_its_line(tiny, path, old, new, rule):
    line = tiny.edit(path, old, new)
    places = [(said, place.path, place.line) for said, _, place in found(tiny) if place]
    assert (rule, path, line) in places


def test_saved_query_that_does_not_parse_is_a_finding_with_its_line(tiny):
    line = tiny.edit("queries/lights.rq", "a/rdfs:subClassOf*", "a//rdfs:subClassOf*")
    [(rule, _, place)] = found(tiny)
    assert (rule, place.path, place.line) == ("query/syntax", "queries/lights.rq", line)


def test_saved_query_with_fewer_rows_than_promised_is_a_finding_at_its_header(tiny):
    line = tiny.edit("queries/lights.rq", "#+ rows: 3", "#+ rows: 4")
    [(rule, message, place)] = found(tiny)
    assert rule == "query/rows"
    assert message == "the query returns 3 rows; its header requires at least 4"
    assert (place.path, place.line) == ("queries/lights.rq", line)


def test_default_of_the_wrong_type_is_a_finding(tiny):
    tiny.edit("queries/lit-on.rq", '"1860-01-01"', '"last summer"')
    [(rule, message, _)] = found(tiny)
    assert rule == "query/parameter"
    assert "'last summer' is not of type date" in message


def test_parameter_without_default_is_required_and_its_rows_are_not_counted(tiny):
    tiny.edit("queries/lit-on.rq", 'default: "1860-01-01", ', "")
    assert found(tiny) == []


def test_bad_header_is_a_finding(tiny):
    tiny.edit("queries/lights.rq", "#+ title: ", "#+ titel: ")
    [(rule, _, place)] = found(tiny)
    assert (rule, place.path) == ("query/header", "queries/lights.rq")


def test_saved_query_may_ask_or_construct(tiny):
    header = "#+ title: T\n#+ description: D\n#+ rows: 1\n"
    tiny.write("queries/ask.rq", header + "ASK { ?light a l:Light }\n")
    tiny.write("queries/make.rq", header + "CONSTRUCT { ?light a l:Beacon } WHERE { ?light a l:Light }\n")
    assert found(tiny) == []


def test_examples_of_the_tiny_publication_show_what_they_say(tiny):
    result = check(assemble(tiny.settings), examples=True)
    assert (result.findings, result.examples) == ((), 15)


def test_examples_are_not_checked_unless_asked_for(tiny):
    tiny.edit(DARK, "l:character", "l:height")
    assert found(tiny) == []


def test_invalid_example_that_conforms_is_found(tiny):
    tiny.edit(DARK, "l:stands", "l:character character:fixed ; l:stands")
    [(rule, message, place)] = found(tiny, examples=True)
    assert (rule, place.path) == ("example/wrong", DARK)
    assert message == "expected MinCountConstraintComponent of l:character, found no result"


def test_invalid_example_that_fails_for_another_reason_is_found(tiny):
    tiny.edit(DARK, "#+ path: l:character", "#+ path: l:stands")
    [(_, message, _)] = found(tiny, examples=True)
    assert message == (
        "expected MinCountConstraintComponent of l:stands, found MinCountConstraintComponent of l:character"
    )


def test_invalid_example_that_names_no_reason_is_found(tiny):
    tiny.edit(DARK, "#+ fails: MinCountConstraintComponent\n", "")
    [(_, message, _)] = found(tiny, examples=True)
    assert "does not state with '#+ fails:'" in message


def test_valid_example_that_does_not_conform_is_found(tiny):
    tiny.edit(VALID, 'rdfs:label "Skerry light"@en ;', "")
    [(_, message, place)] = found(tiny, examples=True)
    assert place.path == VALID
    assert message == "expected no result, found QualifiedMinCountConstraintComponent of rdfs:label"


def test_example_that_its_shape_does_not_reach_is_found(tiny):
    tiny.edit(VALID, "a l:Light ;", "a l:Book ;")
    [(_, message, _)] = found(tiny, examples=True)
    assert message == "no node of the example is a focus node of LightShape"


def test_folder_that_names_no_shape_is_found(tiny):
    tiny.write("shapes/examples/LampShape/valid-a.ttl", "")
    [(_, message, _)] = found(tiny, examples=True)
    assert message == "there is no node shape LampShape"


def test_example_of_a_shape_is_valid_or_invalid(tiny):
    tiny.write("shapes/examples/BookShape/other-x.ttl", "")
    [(rule, message, place)] = found(tiny, examples=True)
    assert (rule, message) == ("example/wrong", "its name begins with neither valid nor invalid")
    assert place.path == "shapes/examples/BookShape/other-x.ttl"


def test_shape_without_an_invalid_example_is_found_at_the_shape(tiny):
    tiny.remove("shapes/examples/BookShape/invalid-checksum.ttl")
    [(rule, message, place)] = found(tiny, examples=True)
    assert (rule, message) == ("example/missing", "BookShape has no invalid example")
    assert place.path == "shapes/lights.ttl"


def test_example_that_does_not_parse_is_found(tiny):
    tiny.append(VALID, "nonsense")
    rules = {rule for rule, _, place in found(tiny, examples=True) if place.path == VALID}
    assert rules == {"syntax"}


def test_examples_do_not_stay_in_what_the_next_ones_are_validated_with(tiny):
    # Both are about light:skerry: if the valid one stayed, the dark light would have a character.
    assert {VALID, DARK} <= {f"shapes/examples/LightShape/{name}" for name in ("valid-skerry.ttl", "invalid-dark.ttl")}
    tiny.edit(VALID, "l:Light ;", "l:Light, l:Beacon ;")
    assert found(tiny, examples=True) == []


def test_inverse_path_of_an_example_may_be_written_as_in_turtle_or_sparql(tiny):
    tiny.append(
        "shapes/lights.ttl",
        "\nl:HomeShape a sh:NodeShape ; sh:targetClass l:Island ;\n"
        "  sh:property [ sh:path [ sh:inversePath l:stands ] ; sh:minCount 1 ] .\n",
    )
    body = "@prefix l: <ontology#> . <id/island/x> a l:Island .\n"
    for name, path in (("turtle", "[ sh:inversePath l:stands ]"), ("sparql", "^l:stands")):
        header = f"#+ fails: MinCountConstraintComponent\n#+ path: {path}\n"
        tiny.write(f"shapes/examples/HomeShape/invalid-{name}.ttl", header + body)
    light = "<id/light/y> l:stands <id/island/x> .\n"
    tiny.write("shapes/examples/HomeShape/valid-x.ttl", body + light)
    assert found(tiny, examples=True) == []
