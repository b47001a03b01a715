"""The report of a check in its four formats: for people, and for programs that hold it to a specification."""

import json

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.namespace import RDF, SH

from twingraph.check.reports import REPORTS
from twingraph.check.reports.json_reports import report_json, report_sarif
from twingraph.check.reports.text_report import report_text
from twingraph.check.reports.turtle_report import report_turtle
from twingraph.check.run import CheckResult, check
from twingraph.findings import Finding, Location, Severity
from twingraph.publication.assembly import assemble

PILOT = "data/books/pilot/lights.ttl"


@pytest.fixture
def broken(tiny):
    """The result of a publication with a violation, a warning and a note, and its IRIs."""
    tiny.edit(PILOT, "    l:character character:flashing ;\n", "")
    tiny.edit(PILOT, "l:height 21", "l:height 0")
    tiny.remove("sources/almanac.txt")
    return check(assemble(tiny.settings)), tiny.settings.iris


def test_text_report_reads_as_people_need_it(broken):
    assert report_text(*broken) == (
        "data/books/almanac/lights.ttl\n"
        "  data/books/almanac/lights.ttl:10:16: note in The almanac (book:almanac) [evidence/archive]\n"
        "      2 passages were not verified: the source archive has no file almanac.txt\n"
        "      to do: set TWINGRAPH_SOURCES to the directory of the source archive\n"
        "\n"
        "data/books/pilot/lights.ttl\n"
        f"  {PILOT}:16:14: violation in Holm light (light:holm) [shape/MinCountConstraintComponent]\n"
        "      l:character: a light has exactly one character\n"
        "      to do: add l:character\n"
        f"  {PILOT}:19:14: warning in Holm light (light:holm) [shape/MinInclusiveConstraintComponent]\n"
        "      l:height: a height is a whole number of metres\n"
        "      value: 0\n"
        "      to do: give l:height a value of at least 1\n"
        "\n"
        "The whole publication\n"
        "  -: note [left-out]\n"
        "      missing rows of saved queries are not reported while there are other violations\n"
        "      to do: fix the violations first, then check again\n"
        "\n"
        "Checked 6 files, 176 statements and 5 derived ones, 15 focus nodes of 4 shapes, "
        "6 passages verified and 2 not verified, 1 check, 3 saved queries.\n"
        "Does not conform: 1 violation, 1 warning, 2 notes. Not checked: passages without their document (2).\n"
    )


def test_text_report_of_what_conforms_says_how_many_focus_nodes_were_reached(tiny):
    report = report_text(check(assemble(tiny.settings), examples=True), tiny.settings.iris)
    assert report == (
        "Checked 6 files, 177 statements and 5 derived ones, 15 focus nodes of 4 shapes, 8 passages verified, "
        "1 check, 3 saved queries, 15 examples.\n"
        "Conforms: no findings.\n"
    )


def test_text_report_shortens_long_values_and_folds_their_lines(tiny):
    finding = Finding("r", "m", "d", value="a\n" * 200, focus="http://example.org/x")
    report = report_text(CheckResult((finding,)), tiny.settings.iris)
    line = next(line for line in report.splitlines() if "value:" in line)
    assert line.endswith("a a...")
    assert len(line) < 140


def test_json_report_has_every_fact(broken):
    result, iris = broken
    report = json.loads(report_json(result, iris))
    assert report["conforms"] is False
    assert report["checked"]["focusNodes"][iris.expand("l:LightShape")] == 3
    assert len(report["findings"]) == 4
    finding = next(finding for finding in report["findings"] if finding["severity"] == "violation")
    assert finding == {
        "rule": "shape/MinCountConstraintComponent",
        "severity": "violation",
        "message": "a light has exactly one character",
        "remedy": "add l:character",
        "location": {"path": PILOT, "line": 16, "column": 14},
        "focus": iris.expand("light:holm"),
        "label": "Holm light",
        "path": iris.expand("l:character"),
        "value": None,
        "shape": iris.expand("l:CharacterProperty"),
    }


def test_sarif_report_has_what_sarif_requires(broken):
    log = json.loads(report_sarif(*broken))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "twingraph"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids))
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        for place in result.get("locations", []):
            physical = place["physicalLocation"]
            assert not physical["artifactLocation"]["uri"].startswith("/")
            assert physical["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
            assert physical["region"]["startLine"] >= 1


def test_sarif_levels_follow_the_severities(broken):
    [run] = json.loads(report_sarif(*broken))["runs"]
    assert sorted(result["level"] for result in run["results"]) == ["error", "note", "note", "warning"]


def test_sarif_fingerprint_stays_when_the_finding_moves_to_another_line(tiny):
    prints = set()
    for line in (3, 30):
        finding = Finding("r", "m", "d", location=Location("a b.ttl", line), focus="urn:x")
        [run] = json.loads(report_sarif(CheckResult((finding,)), tiny.settings.iris))["runs"]
        [result] = run["results"]
        prints.add(result["partialFingerprints"]["finding/v1"])
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.ttl"
    assert len(prints) == 1


def test_sarif_place_without_line_has_no_region(tiny):
    finding = Finding("r", "m", "d", location=Location("a.rdf"))
    [run] = json.loads(report_sarif(CheckResult((finding,)), tiny.settings.iris))["runs"]
    assert "region" not in run["results"][0]["locations"][0]["physicalLocation"]


def test_turtle_report_is_a_shacl_validation_report(broken):
    result, iris = broken
    graph = rdflib.Graph().parse(data=report_turtle(result, iris), format="turtle")
    [report] = graph.subjects(RDF.type, SH.ValidationReport)
    assert graph.value(report, SH.conforms) == rdflib.Literal(False)
    results = list(graph.objects(report, SH.result))
    assert len(results) == 4
    # SHACL, section 3.6.2: each has exactly one focus node, severity and constraint component.
    for node in results:
        for required in (SH.focusNode, SH.resultSeverity, SH.sourceConstraintComponent):
            assert len(list(graph.objects(node, required))) == 1
    focus = rdflib.URIRef(iris.expand("light:holm"))
    components = {graph.value(node, SH.sourceConstraintComponent) for node in graph.subjects(SH.focusNode, focus)}
    assert components == {SH.MinCountConstraintComponent, SH.MinInclusiveConstraintComponent}


def test_turtle_report_of_what_conforms_says_so(tiny):
    text = report_turtle(check(assemble(tiny.settings)), tiny.settings.iris)
    graph = rdflib.Graph().parse(data=text, format="turtle")
    assert list(graph.objects(None, SH.conforms)) == [rdflib.Literal(True)]


def test_turtle_report_escapes_whatever_a_finding_holds(tiny):
    finding = Finding(
        "syntax",
        'a "quoted" \\ text\nof two lines',
        "d",
        location=Location("a b<c>.ttl", 1),
        value='http://example.org/<no iri>"',
    )
    text = report_turtle(CheckResult((finding,)), tiny.settings.iris)
    quads = list(ox.parse(text, ox.RdfFormat.TURTLE))
    values = {quad.object.value for quad in quads if isinstance(quad.object, ox.Literal)}
    assert {'a "quoted" \\ text\nof two lines', 'http://example.org/<no iri>"'} <= values


def test_reports_are_the_same_twice(tiny):
    tiny.edit(PILOT, "l:character character:flashing ;", "")
    for report in REPORTS.values():
        texts = {report(check(assemble(tiny.settings)), tiny.settings.iris) for _ in range(2)}
        assert len(texts) == 1


def test_every_format_ends_with_a_line_end(tiny):
    result = CheckResult((Finding("r", "m", "d", Severity.INFO),))
    assert set(REPORTS) == {"text", "json", "sarif", "turtle"}
    for report in REPORTS.values():
        assert report(result, tiny.settings.iris).endswith("\n")
