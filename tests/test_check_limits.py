"""Rules, checks, saved queries and shapes that never end, or need too much memory, are ended and reported."""

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from running import ENVIRONMENT
from twingraph.check.run import check
from twingraph.errors import StoreError
from twingraph.publication.assembly import assemble

# Every solution of five patterns that have no variable in common: more than can be counted in a lifetime.
ENDLESS = " ".join(f"?s{n} ?p{n} ?o{n} ." for n in range(6))
CHECK = f"""#+ title: never ends
#+ remedy: none
SELECT ?entity ?property ?value ?message WHERE {{ {ENDLESS} FILTER(STRLEN(STR(?o1)) + STRLEN(STR(?o5)) < 0) }}
"""
QUERY = f"""#+ title: never ends
#+ description: never ends
SELECT (COUNT(*) AS ?n) WHERE {{ {ENDLESS} }}
"""
# Doubles a text over and over again.
GREEDY = """#+ title: needs memory
#+ remedy: none
SELECT ?entity ?property ?value ?message WHERE {
  ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . BIND(CONCAT(STR(?a), STR(?d), STR(?g)) AS ?message) BIND(?a AS ?entity)
} ORDER BY ?message
"""


def limit(publication, **limits):
    lines = "\n".join(f"{name} = {value}" for name, value in limits.items())
    publication.append("twingraph.toml", f"\n[check_limits]\n{lines}\n")


def found(publication):
    return check(assemble(publication.settings))


def stopped(result):
    return {(finding.location.path, finding.message) for finding in result.findings if finding.rule == "query/limit"}


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [("queries/checks/a-endless.rq", CHECK, "check"), ("queries/a-endless.rq", QUERY, "saved query")],
)
def test_query_that_never_ends_is_stopped_and_the_others_run(tiny, path, text, what):
    limit(tiny, query_seconds=1)
    tiny.write(path, text)
    tiny.write("queries/checks/z-last.rq", "#+ title: a light\n#+ remedy: none\n" + LIGHTS)
    result = found(tiny)
    assert stopped(result) == {(path, f"the {what} ran for 1 seconds, the limit (check_limits.query_seconds)")}
    assert [finding.rule for finding in result.findings].count("check/z-last") == 3
    assert not result.conforms


LIGHTS = """SELECT ?entity ?property ?value ?message WHERE { ?entity l:character ?value }"""


def test_rule_that_never_ends_is_stopped_and_nothing_is_derived(tiny):
    limit(tiny, query_seconds=1)
    tiny.write(
        "ontology/rules/z-endless.rq",
        f"CONSTRUCT {{ ?s1 l:tender ?o1 }} WHERE {{ {ENDLESS} FILTER(STRLEN(STR(?o1)) + STRLEN(STR(?o5)) < 0) }}",
    )
    result = found(tiny)
    assert ("ontology/rules/z-endless.rq", "the rule ran for 1 seconds, the limit (check_limits.query_seconds)") in (
        stopped(result)
    )
    assert result.derived == 0


def test_query_that_needs_too_much_memory_is_stopped(tiny):
    limit(tiny, memory_bytes=300_000_000)
    tiny.write("queries/checks/a-greedy.rq", GREEDY)
    [(path, message)] = stopped(found(tiny))
    assert path == "queries/checks/a-greedy.rq"
    assert message == "the check needed more than 300,000,000 bytes of memory, the limit (check_limits.memory_bytes)"


# Never ends once an example is there, and at once without one.
ENDLESS_WITH_EXAMPLE = f"<urn:example> <urn:p> ?any . {ENDLESS} FILTER(STRLEN(STR(?o1)) + STRLEN(STR(?o5)) < 0)"
TWO = "<urn:example> <urn:p> <urn:q> .\n"


@pytest.mark.parametrize(
    ("noun", "folder", "text"),
    [
        ("check", "queries/checks", f"SELECT ?entity ?message WHERE {{ {ENDLESS_WITH_EXAMPLE} }}"),
        ("rule", "ontology/rules", f"CONSTRUCT {{ ?s1 l:tender ?o1 }} WHERE {{ {ENDLESS_WITH_EXAMPLE} }}"),
    ],
)
def test_query_that_never_ends_with_an_example_is_stopped_and_other_examples_are_tried(tiny, noun, folder, text):
    limit(tiny, query_seconds=2)
    tiny.write(f"{folder}/00-new.rq", f"#+ title: new\n#+ remedy: none\n{text}")
    valid = {"check": "valid", "rule": "ignores"}[noun]
    for name in ("a", "b"):
        tiny.write(f"{folder}/examples/00-new/{valid}-{name}.ttl", TWO)
    tiny.write("queries/checks/examples/replaced-before-lit/valid-x.ttl", "#+ finds: light:a\n")
    found = check(assemble(tiny.settings), examples=True).findings
    [finding] = [each for each in found if each.rule == "query/limit"]
    assert str(finding.location) == f"{folder}/examples/00-new/{valid}-a.ttl:1"
    assert finding.message == (
        f"with this example the {noun} 00-new ran for 2 seconds, the limit (check_limits.query_seconds)"
    )
    assert finding.remedy == f"make the {noun} cheaper, or raise the limit; its other examples were not tried"
    assert [str(each.location) for each in found if each.rule == "example/wrong"] == [
        "queries/checks/examples/replaced-before-lit/valid-x.ttl:1"
    ]


def test_shape_that_never_ends_with_an_example_is_stopped(tiny):
    limit(tiny, shapes_seconds=5)
    tiny.append(
        "shapes/lights.ttl",
        "l:EndlessShape a sh:NodeShape ; sh:targetClass l:Endless ;\n"
        '  sh:property [ sh:path l:word ; sh:pattern "^(a|aa)+$" ] .\n',
    )
    tiny.write(
        "shapes/examples/EndlessShape/valid-a.ttl",
        f'<urn:x> a <ontology#Endless> ; <ontology#word> "{"a" * 60}b" .',
    )
    found = check(assemble(tiny.settings), examples=True).findings
    [finding] = [each for each in found if each.rule == "shape/limit"]
    assert str(finding.location) == "shapes/examples/EndlessShape/valid-a.ttl:1"
    assert finding.message == (
        "with this example the node shape EndlessShape ran for 5 seconds, the limit (check_limits.shapes_seconds)"
    )


def test_working_store_that_is_closed_runs_no_more_queries(tiny):
    store = assemble(tiny.settings).working_store
    store.close()
    with pytest.raises(StoreError, match="has been ended"):
        store.query("ASK {}")


def children(of: int) -> list[int]:
    pids = (path.parent.name for path in Path("/proc").glob("[0-9]*/stat"))
    found = []
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == of:
            found.append(int(pid))
    return found


def ends(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("step", ["check", "build"])
def test_interrupt_ends_a_query_that_never_ends_and_all_processes(tiny, step):
    tiny.write("queries/checks/a-endless.rq", CHECK)
    arguments = [sys.executable, "-P", "-m", "twingraph", "-C", str(tiny.directory), step]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        while not (processes := children(process.pid)) or not busy(processes):
            time.sleep(0.1)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode != 0
    while not ends(processes):
        time.sleep(0.1)


def busy(pids: list[int]) -> bool:
    """Whether one of them has used two seconds of a processor, as no start takes."""
    return any(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11]) > 200 for pid in pids)


def test_what_rules_derived_before_one_that_fails_is_not_queried(tiny):
    tiny.write("ontology/rules/05-a.rq", "CONSTRUCT { ?light l:derivedOnly true } WHERE { ?light a l:Light }")
    tiny.write("ontology/rules/99-b.rq", "CONSTRUCT { ?light l:height")
    assembly = assemble(tiny.settings)
    assert len(assembly.derived) == 0
    with closing(assembly.working_store) as store:
        assert store.query("SELECT ?s { ?s l:derivedOnly true }").rows == ()
