"""The pipeline: what is assembled, all problems at once, what is left out when a file was not read."""

import re
from pathlib import Path

import pytest

import twingraph
from twingraph.check.run import check, restricted_to
from twingraph.errors import PublicationError, SettingsError
from twingraph.findings import RULES, Severity, violations
from twingraph.publication.assembly import assemble

PILOT, ALMANAC = "data/books/pilot/lights.ttl", "data/books/almanac/lights.ttl"


def derived(assembly):
    iris = assembly.settings.iris
    return {
        tuple(iris.shorten(getattr(term, "value", str(term))) for term in (quad.subject, quad.predicate, quad.object))
        for quad in assembly.derived
    }


def test_assembly_holds_what_files_say_and_what_rules_derive(tiny):
    assembly = assemble(tiny.settings)
    assert derived(assembly) == {
        ("light:holm", "l:earliest", "1848-01-01"),
        ("light:ness", "l:earliest", "1871-03-01"),
        ("light:angso-beacon", "l:earliest", "1789-01-01"),
        ("light:angso-beacon", "l:latest", "1871-12-31"),
        ("light:angso-beacon", "l:replacedBy", "light:ness"),
    }
    assert {quad.graph_name.value for quad in assembly.derived} == {tiny.settings.base_iri + "graph/derived"}
    assert len(assembly.quads) == sum(len(file.quads) for file in assembly.reading.files) + 5
    assert [document.file_name for document in assembly.documents] == ["almanac.txt", "pilot.txt"]


def test_quads_of_each_file_are_in_the_graph_that_the_settings_say(tiny):
    graphs = {quad.graph_name.value.removeprefix(tiny.settings.base_iri) for quad in assemble(tiny.settings).quads}
    assert graphs == {
        "graph/ontology",
        "graph/characters",
        "graph/islands",
        "graph/book/pilot",
        "graph/book/almanac",
        "graph/derived",
    }


def test_check_of_the_tiny_publication_counts_what_it_looked_at(tiny):
    result = check(assemble(tiny.settings))
    assert result.conforms
    assert (result.files, result.derived, result.checks, result.queries, result.examples) == (6, 5, 1, 3, 0)
    assert (result.passages_verified, result.passages_not_verified) == (8, 0)


def test_two_checks_of_the_same_files_are_equal(tiny):
    tiny.edit(PILOT, "l:character character:flashing ;", "")
    assert check(assemble(tiny.settings)) == check(assemble(tiny.settings))


def test_all_problems_are_reported_at_once_sorted_by_place(tiny):
    tiny.edit(PILOT, "l:stands island:holm", "l:stands island:hulm")
    tiny.edit(PILOT, '"a fixed red light"', '"a fixed green light"')
    tiny.edit(ALMANAC, '"1790~/1871"', '"1790~/1871-13"')
    found = violations(check(assemble(tiny.settings)).findings)
    assert [finding.rule for finding in found] == ["date/edtf", "iri/dangling", "evidence/quote"]
    assert [finding.location.path for finding in found] == [ALMANAC, PILOT, PILOT]


def test_file_that_does_not_parse_leaves_out_the_checks_that_it_would_mislead(tiny):
    tiny.append(PILOT, "light:holm l:height ")
    tiny.edit(ALMANAC, '"1790~/1871"', '"1790~/1871-13"')
    result = check(assemble(tiny.settings))
    assert [finding.rule for finding in violations(result.findings)] == ["date/edtf", "syntax"]
    [left_out] = [finding for finding in result.findings if finding.rule == "left-out"]
    assert left_out.severity is Severity.INFO
    assert left_out.message == (
        "not checked, because a file was not read: "
        "references, terms, names in queries, checks, examples of checks and rules, shapes, examples of shapes"
    )
    assert result.focus_nodes == {}


def test_finding_in_a_syntax_without_lines_names_the_file(tiny):
    tiny.edit("twingraph.toml", 'files = "data/*.ttl"', 'files = "data/*"')
    tiny.write("data/more.jsonld", '{"@id": "id/island/no_slug", "@type": "http://example.org/Skerry"}')
    [finding] = check(assemble(tiny.settings)).findings
    assert (finding.rule, str(finding.location)) == ("iri/policy", "data/more.jsonld")


def test_shapes_that_do_not_parse_are_a_finding(tiny):
    tiny.append("shapes/lights.ttl", "l:Oops sh:path ")
    result = check(assemble(tiny.settings))
    assert [finding.location.path for finding in violations(result.findings)] == ["shapes/lights.ttl"]


def test_rule_that_does_not_parse_is_a_finding_in_its_file(tiny):
    tiny.edit("ontology/rules/20-inverse.rq", "WHERE {", "WHERE { {")
    found = violations(check(assemble(tiny.settings)).findings)
    assert [(finding.rule, finding.location.path) for finding in found] == [
        ("query/rule", "ontology/rules/20-inverse.rq")
    ]


def test_publication_without_evidence_or_rules_or_shapes_is_checked(tiny):
    settings = tiny.text("twingraph.toml")
    begin, end = settings.index("[evidence]"), settings.index("[iri_types]")
    tiny.write("twingraph.toml", settings[:begin] + settings[end:])
    for path in ("ontology/rules", "shapes", "queries"):
        tiny.remove(path)
    assembly = assemble(tiny.settings)
    result = check(assembly, examples=True)
    assert [finding.rule for finding in result.findings] == ["shape/none"]
    assert (result.conforms, result.passages_verified, assembly.documents) == (True, 0, ())


def test_publication_with_nothing_to_read_cannot_be_assembled(tiny):
    tiny.remove("data")
    tiny.remove("ontology")
    with pytest.raises(PublicationError):
        assemble(tiny.settings)


def test_shape_does_not_repeat_what_another_check_said_of_the_same_statement(tiny):
    tiny.edit(PILOT, "l:height 21", 'l:height "high"^^<http://www.w3.org/2001/XMLSchema#integer>')
    found = check(assemble(tiny.settings)).findings
    assert [finding.rule for finding in found] == ["literal/datatype"]


def test_rows_of_saved_queries_are_not_counted_while_there_is_another_violation(tiny):
    tiny.edit("queries/lights.rq", "#+ rows: 3", "#+ rows: 9")
    tiny.edit(PILOT, "l:character character:flashing ;", "")
    found = check(assemble(tiny.settings)).findings
    assert {finding.rule for finding in found} == {"shape/MinCountConstraintComponent", "left-out"}


def test_findings_within_paths_are_those_in_them_and_those_about_no_file(tiny):
    tiny.edit(PILOT, '"lit in 1848"', '"lit in 1849"')
    tiny.edit(ALMANAC, '"1790~/1871"', '"1790~/1871-13"')
    assembly = assemble(tiny.settings)
    result = check(assembly)

    def paths(*names: str) -> list[str]:
        chosen = restricted_to(result, assembly.publication, [tiny.directory / name for name in names])
        return [finding.location.path for finding in violations(chosen.findings)]

    assert paths(PILOT) == [PILOT]
    assert paths("data/books/pilot") == [PILOT]
    assert paths("data/islands.ttl") == []
    assert paths("data") == [ALMANAC, PILOT]
    assert paths(".") == [ALMANAC, PILOT]
    assert paths("data/islands.ttl", ALMANAC) == [ALMANAC]


@pytest.mark.parametrize("path", ["..", "data/nothing.ttl"])
def test_path_outside_the_publication_or_missing_is_refused(tiny, path):
    assembly = assemble(tiny.settings)
    with pytest.raises(SettingsError):
        restricted_to(check(assembly), assembly.publication, [tiny.directory / Path(path)])


@pytest.fixture(scope="module")
def real_result(real):
    """The result of checking the real publication with everything there is to check."""
    return check(assemble(real), examples=True)


def test_real_publication_conforms(real_result):
    assert violations(real_result.findings) == ()


def test_every_shape_of_the_real_publication_that_aims_at_a_class_reaches_nodes(real_result):
    assert len(real_result.focus_nodes) > 30
    assert [finding.focus for finding in real_result.findings if finding.rule == "shape/no-focus-node"] == []


def test_every_node_shape_of_the_real_publication_has_examples_that_show_what_they_say(real_result):
    assert real_result.examples > 2 * len(real_result.focus_nodes)
    assert [finding for finding in real_result.findings if finding.rule.startswith("example/")] == []


def test_every_passage_of_the_real_publication_is_verified_when_the_archive_is_here(real, real_result):
    if not real.source_archive.is_dir():
        pytest.skip("the source archive is not here, so no quote can be compared")
    assert real_result.passages_verified > 400
    assert real_result.passages_not_verified == 0


def test_every_rule_of_findings_is_described_and_no_other():
    pattern = re.compile(
        r'"((?:evidence|file|iri|query|term|literal|date|example|shape)/[a-z-]+|syntax|left-out|personal-data)"'
    )
    sources = [path.read_text() for path in Path(twingraph.__file__).parent.rglob("*.py") if path.stem != "findings"]
    used = {name for text in sources for name in pattern.findall(text)}
    assert used == {name for name in RULES if "<" not in name}
