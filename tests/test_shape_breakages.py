"""Ways to break shapes, and data that shapes cannot deal with: each gives a finding with its file and line.

All other results are kept, and nothing of pyshacl's is printed.
"""

import warnings
from dataclasses import dataclass

import pytest
import rdflib
from rdflib.namespace import RDF, SH, XSD

from conftest import EditablePublication
from running import twingraph
from twingraph.check.reports.turtle_report import report_turtle
from twingraph.check.run import CheckResult, check
from twingraph.findings import Finding, Severity
from twingraph.publication.assembly import assemble

SHAPES, PILOT = "shapes/more.ttl", "data/books/pilot/lights.ttl"
PREFIXES = (
    "@prefix l: <ontology#> . @prefix sh: <http://www.w3.org/ns/shacl#> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
)
# A constraint that three lights violate, whatever is wrong beside it.
KEPT = "  sh:property [ sh:path rdfs:label ; sh:minLength 100 ] ;\n"


def checked(publication: EditablePublication, shapes: str = "", data: str = "") -> CheckResult:
    if shapes:
        publication.write(SHAPES, PREFIXES + shapes)
    if data:
        publication.append(PILOT, data)
    return check(assemble(publication.settings))


def of(result: CheckResult, rule: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.rule == rule]


@dataclass(frozen=True)
class Broken:
    """A property shape of a shape of lights, on line 4, that cannot be evaluated or is not as it should be."""

    name: str
    text: str
    rule: str
    message: str
    severity: Severity


BROKEN = [
    Broken(
        "bad regular expression",
        'sh:path rdfs:label ; sh:pattern "[a"',
        "shape/failure",
        "sh:pattern of l:Broken cannot be evaluated, so it checks nothing: unterminated character set at position 0",
        Severity.VIOLATION,
    ),
    Broken(
        "count that is no number",
        'sh:path l:height ; sh:minCount "one"',
        "shape/failure",
        "sh:minCount of l:Broken cannot be evaluated, so it checks nothing: MinCountConstraintComponent",
        Severity.VIOLATION,
    ),
    Broken(
        "misspelt parameter",
        "sh:path l:height ; sh:minCont 1",
        "term/vocabulary",
        "sh:minCont is not a term of its vocabulary",
        Severity.WARNING,
    ),
    Broken(
        "node kind that does not exist",
        "sh:path l:height ; sh:nodeKind sh:Iri",
        "shape/malformed",
        "the shape is not well-formed (SHACL-SHACL)",
        Severity.WARNING,
    ),
    Broken(
        "closed without a boolean",
        'sh:path l:height ; sh:maxLength "x"',
        "shape/failure",
        "sh:maxLength of l:Broken cannot be evaluated",
        Severity.VIOLATION,
    ),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_broken_constraint_gives_one_finding_with_file_and_line_and_the_others_are_evaluated(tiny, broken):
    text = f"l:Broken a sh:NodeShape ; sh:targetClass l:Light ;\n{KEPT}  sh:property [ {broken.text} ] .\n"
    result = checked(tiny, text)
    found = [finding for finding in result.findings if finding.location.path == SHAPES]
    [finding] = [finding for finding in found if finding.rule == broken.rule]
    assert finding.message.startswith(broken.message)
    assert (finding.location.line, finding.severity) == (4, broken.severity)
    assert len(of(result, "shape/MinLengthConstraintComponent")) == 3


def test_misspelt_parameter_of_a_shape_has_a_suggestion(tiny):
    result = checked(
        tiny, "l:B a sh:NodeShape ; sh:targetClass l:Light ; sh:property [ sh:path l:height ; sh:minCont 1 ] ."
    )
    [finding] = of(result, "term/vocabulary")
    assert "did you mean sh:minCount" in finding.remedy


def test_property_shape_without_path_is_reported_and_the_other_shapes_are_evaluated(tiny):
    pathless = "  sh:property [ a sh:PropertyShape ; sh:minCount 1 ] .\n"
    text = f"l:Broken a sh:NodeShape ; sh:targetClass l:Light ;\n{KEPT}{pathless}"
    result = checked(tiny, text)
    [finding] = of(result, "shape/failure")
    assert "a property shape of l:Broken cannot be evaluated" in finding.message
    assert finding.location.path == SHAPES
    assert len(of(result, "shape/MinLengthConstraintComponent")) == 3


# What is no date has no value that could be compared.
INCOMPARABLE = f'\nlight:odd a l:Light ; l:lit "x"^^<{XSD}date> ; l:out "2010-01-01"^^<{XSD}date> .\n'


def test_values_that_cannot_be_compared_are_reported_with_node_shape_and_line(tiny):
    text = (
        f"l:Broken a sh:NodeShape ; sh:targetClass l:Light ;\n{KEPT}"
        "  sh:property [ sh:path l:lit ; sh:lessThanOrEquals l:out ; sh:maxCount 0 ] .\n"
    )
    result = checked(tiny, text, INCOMPARABLE)
    [finding] = of(result, "shape/failure")
    assert "sh:lessThanOrEquals of l:Broken (shapes/more.ttl:4:" in finding.message
    assert "cannot be evaluated for this node" in finding.message
    assert finding.focus.endswith("light/odd")
    assert finding.location.path == PILOT
    assert len(of(result, "shape/MaxCountConstraintComponent")) == 1
    assert len(of(result, "shape/MinLengthConstraintComponent")) == 3


def test_recursive_shape_is_a_warning_with_its_name(tiny):
    text = (
        "l:One a sh:NodeShape ; sh:targetClass l:Light ; sh:property [ sh:path l:replaces ; sh:node l:Two ] .\n"
        "l:Two a sh:NodeShape ; sh:property [ sh:path l:replaces ; sh:node l:One ] .\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [finding] = of(checked(tiny, text), "shape/recursive")
    assert "l:One -> l:Two -> l:One" in finding.message
    assert finding.severity is Severity.WARNING
    assert finding.location.path == SHAPES


def test_nothing_of_pyshacl_is_printed(tiny):
    tiny.write(
        SHAPES,
        PREFIXES
        + "l:One a sh:NodeShape ; sh:targetClass l:Light ; sh:property [ sh:path l:replaces ; sh:node l:One ] ;\n"
        '  sh:property [ sh:path l:height ; sh:minCount "one" ] .\n',
    )
    ran = twingraph(tiny.directory, "check")
    assert (ran.returncode, ran.stderr) == (1, "")


def test_shape_that_never_ends_is_stopped_and_named(tiny):
    tiny.append("twingraph.toml", "\n[check_limits]\nshapes_seconds = 1\n")
    text = (
        f"l:Kept a sh:NodeShape ; sh:targetClass l:Light ;\n{KEPT} .\n"
        'l:Slow a sh:NodeShape ; sh:targetClass l:Book ; sh:property [ sh:path l:name ; sh:pattern "^((a+)+)+$" ] .\n'
    )
    result = checked(tiny, text, f'\nbook:slow l:name "{"a" * 60}!" . book:slow a l:Book .\n')
    [finding] = of(result, "shape/limit")
    assert "the shape ran for 1 seconds, the limit (check_limits.shapes_seconds)" in finding.message
    assert finding.shape.endswith("#Slow")
    assert (finding.location.path, finding.location.line) == (SHAPES, 5)
    assert len(of(result, "shape/MinLengthConstraintComponent")) == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda tiny: tiny.remove("shapes"), "there is no folder shapes/"),
        (lambda tiny: tiny.remove("shapes/lights.ttl"), "the folder shapes/ has no file of RDF"),
        (lambda tiny: (tiny.remove("shapes"), tiny.write("shapes", "")), "shapes is a file, not a folder"),
    ],
    ids=["no folder", "empty folder", "a file"],
)
def test_no_shapes_at_all_is_a_warning_and_the_verdict_says_so(tiny, make, message):
    make(tiny)
    result = checked(tiny)
    [finding] = of(result, "shape/none")
    assert finding.message == f"{message}, so nothing is validated by shapes"
    assert finding.severity is Severity.WARNING
    assert result.not_checked == ("shapes, of which there are none",)


def test_file_without_a_shape_is_a_warning(tiny):
    [finding] = of(checked(tiny, "l:heading rdfs:label 'no shape' ."), "shape/none")
    assert (finding.location.path, finding.message) == (SHAPES, "this file defines no shape")


BLANK = "\n[] a l:Book ; l:file 'a', 'b' .\n"


def test_result_about_a_blank_node_is_a_finding(tiny):
    tiny.edit("twingraph.toml", 'blank_nodes = "refuse"', 'blank_nodes = "allow"')
    text = "l:More a sh:NodeShape ; sh:targetClass l:Book ; sh:property [ sh:path l:file ; sh:maxCount 1 ] .\n"
    result = checked(tiny, text, BLANK)
    found = of(result, "shape/MaxCountConstraintComponent")
    assert {(finding.focus, finding.location.path) for finding in found} == {(None, PILOT)}


def test_turtle_report_has_blank_nodes_and_what_other_reports_leave_out(tiny):
    tiny.edit("twingraph.toml", 'blank_nodes = "refuse"', 'blank_nodes = "allow"')
    text = (
        "l:More a sh:NodeShape ; sh:targetClass l:Book ;\n"
        "  sh:property [ sh:path [ sh:inversePath l:of ] ; sh:maxCount 0 ] ;\n"
        "  sh:property [ sh:path l:file ; sh:maxCount 1 ; sh:datatype xsd:date ] .\n"
    )
    result = checked(tiny, text, BLANK + 'book:pilot l:file "no date"^^<' + str(XSD) + "date> .\n")
    assert of(result, "literal/datatype")
    assert "no date" not in {each.value for each in of(result, "shape/DatatypeConstraintComponent")}
    graph = rdflib.Graph().parse(data=report_turtle(result, tiny.settings.iris), format="turtle")
    results = list(graph.subjects(RDF.type, SH.ValidationResult))
    assert any(isinstance(graph.value(each, SH.focusNode), rdflib.BNode) for each in results)
    assert any((graph.value(each, SH.resultPath), SH.inversePath, None) in graph for each in results)
    assert any(
        str(graph.value(each, SH.value)) == "no date"
        for each in results
        if (graph.value(each, SH.sourceConstraintComponent) == SH.DatatypeConstraintComponent)
    )
