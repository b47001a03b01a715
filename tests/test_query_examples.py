"""Examples of checks and rules: they notice when a query reports or derives something else, and when one is missing."""

import re
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from conftest import REPOSITORY, TESTS
from twingraph.check.examples import read_examples
from twingraph.check.query_examples import check_examples_of_checks, check_examples_of_rules
from twingraph.check.run import check
from twingraph.findings import violations
from twingraph.publication.assembly import assemble
from twingraph.publication.files import Publication
from twingraph.publication.query_files import read_query_files
from twingraph.publication.working_store import WorkingStore
from twingraph.settings import load_settings

DIRECTORIES = {"twin cities": REPOSITORY, "lights": TESTS / "tiny"}
PUBLICATIONS = {name: Publication(load_settings(directory)) for name, directory in DIRECTORIES.items()}


def queries(paths):
    return [(name, file) for name, each in PUBLICATIONS.items() for file in read_query_files(each, paths(each))]


CHECKS, RULES = queries(lambda each: each.check_files), queries(lambda each: each.rule_files)


CHECK_EXAMPLES = {name: read_examples(each, each.check_example_files)[0] for name, each in PUBLICATIONS.items()}
RULE_EXAMPLES = {name: read_examples(each, each.rule_example_files)[0] for name, each in PUBLICATIONS.items()}


@pytest.fixture(scope="module", autouse=True)
def stores():
    """A store without statements for each publication, in a process that is ended afterwards."""
    yield
    for store in STORES.values():
        store.close()


STORES = {name: WorkingStore(each.settings.iris, each.settings.check_limits) for name, each in PUBLICATIONS.items()}


def of_check(name, file):
    own = [example for example in CHECK_EXAMPLES[name] if example.subject == PurePosixPath(file.path).stem]
    return check_examples_of_checks([file], own, STORES[name], PUBLICATIONS[name].settings.iris)


def of_rule(name, file):
    settings = PUBLICATIONS[name].settings
    own = [example for example in RULE_EXAMPLES[name] if example.subject == PurePosixPath(file.path).stem]
    graph = settings.iris.graph(settings.derivations[0].graph)
    return check_examples_of_rules([file], own, STORES[name], settings.iris, graph)


def without_each_line(file):
    """Yield each line that says what a query asks for, and the query without it."""
    lines = file.text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if (
            line.strip()
            and not line.lstrip().startswith("#")
            and not re.match(r"\s*(BIND|UNION|[{}]|ORDER|GROUP)", line)
        ):
            yield line.strip(), replace(file, text="".join(lines[:number] + lines[number + 1 :]))


def named(rows):
    return [pytest.param(name, file, id=f"{name}: {PurePosixPath(file.path).stem}") for name, file in rows]


@pytest.mark.parametrize(("name", "file"), named(CHECKS))
def test_a_check_that_is_switched_off_fails_its_examples(name, file):
    assert of_check(name, file) == ()
    found = of_check(name, replace(file, text=file.text + "\nLIMIT 0"))
    assert "example/wrong" in {finding.rule for finding in found}


@pytest.mark.parametrize(("name", "file"), named(CHECKS))
def test_a_check_without_one_of_its_lines_fails_its_examples(name, file):
    unnoticed = [line for line, changed in without_each_line(file) if not of_check(name, changed)]
    assert unnoticed == []


@pytest.mark.parametrize(("name", "file"), named(RULES))
def test_a_rule_without_one_of_its_lines_fails_its_examples(name, file):
    assert of_rule(name, file) == ()
    unnoticed = [line for line, changed in without_each_line(file) if not of_rule(name, changed)]
    assert unnoticed == []


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("30-participants", ", role:invitee", ""),
        ("90-collaborated-with", "  FILTER(?one != ?other)\n", ""),
        ("90-collaborated-with", "activity-status:happened ", "activity-status:happened activity-status:cancelled "),
        ("20-bounds-of-things", "?open tw:earliest ?any", "?open a ?any"),
        (
            "20-bounds-of-things",
            "FILTER NOT EXISTS { ?thing tw:timeSpan ?open . FILTER NOT EXISTS { ?open tw:latest ?any } }",
            "",
        ),
        ("31-signatories", "?agreement a/rdfs:subClassOf* tw:Agreement .", ""),
    ],
)
def test_a_rule_that_derives_too_much_fails_its_examples(rule, old, new):
    file = next(file for _, file in RULES if PurePosixPath(file.path).stem == rule)
    assert old in file.text
    found = of_rule("twin cities", replace(file, text=file.text.replace(old, new)))
    assert {finding.rule for finding in found} == {"example/wrong"}


@pytest.mark.parametrize(
    ("path", "text", "rule", "message"),
    [
        (None, None, "example/missing", "replaced-before-lit has no example of the kind invalid"),
        (
            "replaced-before-lit/invalid-x.ttl",
            "<urn:a> <urn:b> 1 .",
            "example/wrong",
            "an invalid example, and no other",
        ),
        ("replaced-before-lit/valid-x.ttl", "#+ finds: light:a", "example/wrong", "an invalid example, and no other"),
        ("replaced-before-lit/invalid-x.ttl", "#+ finds: light:a", "example/wrong", "expected light:a, found nothing"),
        ("replaced-before-lit/invalid-x.ttl", "#+ finds: oops", "example/wrong", "'oops': neither an absolute IRI"),
        ("replaced-before-lit/other-x.ttl", "", "example/wrong", "its name begins with neither valid nor invalid"),
        ("replaced/valid-x.ttl", "", "example/wrong", "there is no check replaced"),
        ("replaced-before-lit/valid-x.ttl", "oops", "syntax", ""),
    ],
)
def test_an_example_that_does_not_show_what_it_says_is_a_finding(tiny, path, text, rule, message):
    folder = "queries/checks/examples"
    if path is None:
        tiny.remove(f"{folder}/replaced-before-lit/invalid-older.ttl")
    else:
        tiny.write(f"{folder}/{path}", text)
    [finding] = violations(check(assemble(tiny.settings), examples=True).findings)
    assert finding.rule == rule
    assert message in finding.message
    assert finding.location.path.startswith("queries/checks/")
    assert violations(check(assemble(tiny.settings)).findings) == ()


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("applies-x.trig", "<urn:a> <urn:b> 1 .", "an example that applies, and no other"),
        ("ignores-x.trig", "<graph/derived> { <urn:a> <urn:b> 1 }", "an example that applies, and no other"),
        ("applies-x.trig", "<graph/derived> { <urn:a> <urn:b> <urn:c> }", "not derived: <urn:a> <urn:b> <urn:c>"),
        ("ignores-x.ttl", "<urn:a> <ontology#replaces> <urn:b> .", "derived but not expected: <urn:b>"),
    ],
)
def test_an_example_of_a_rule_that_does_not_show_what_it_says_is_a_finding(tiny, path, text, message):
    tiny.write(f"ontology/rules/examples/20-inverse/{path}", text)
    [finding] = violations(check(assemble(tiny.settings), examples=True).findings)
    assert finding.rule == "example/wrong"
    assert message in finding.message
