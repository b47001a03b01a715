"""Rules are applied once for each derivation, which sees all graphs but some, and tells what follows from which."""

import pyoxigraph as ox
import pytest

from twingraph.check.run import check
from twingraph.errors import SettingsError
from twingraph.publication.assembly import assemble
from twingraph.rdf.nquads import NQuads
from twingraph.settings import load_settings

SETTINGS = """
base_iri = "https://a.test/"
title = { en = "Friends" }
[policy]
levels.shape = "off"
blank_nodes = "BLANK"
"""
SAID, GUESSED = "<urn:a> <urn:knows> <urn:b> .\n", "<urn:b> <urn:knows> <urn:c> .\n<urn:a> <urn:knows> <urn:b> .\n"
SYMMETRIC = "CONSTRUCT { ?b <urn:knows> ?a } WHERE { ?a <urn:knows> ?b }"
TWICE = "CONSTRUCT { ?a <urn:mayKnow> ?c } WHERE { ?a <urn:knows>/<urn:knows> ?c FILTER(?a != ?c) }"
APART = """
[[derivations]]
graph = "graph/derived"
without = ["graph/data/guessed"]
[[derivations]]
graph = "graph/derived-guessed"
"""


def assembled(directory, derivations, rules=(SYMMETRIC, TWICE), blank="refuse"):
    """Return the assembly of a publication whose files are one said and one guessed."""
    files = {"twingraph.toml": SETTINGS.replace("BLANK", blank) + derivations}
    files |= {"data/said.ttl": SAID, "data/guessed.ttl": GUESSED}
    files |= {f"ontology/rules/{number}0-rule.rq": text for number, text in enumerate(rules)}
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return assemble(load_settings(directory))


def derived(assembly):
    """Return what is derived in each graph, in short."""
    graphs = {}
    for quad in assembly.derived:
        graph = quad.graph_name.value.removeprefix("https://a.test/graph/")
        text = " ".join(term.value.removeprefix("urn:") for term in quad.triple)
        graphs.setdefault(graph, []).append(text)
    return {graph: sorted(texts) for graph, texts in graphs.items()}


def test_what_follows_from_a_hidden_graph_alone_is_in_the_graph_of_the_derivation_that_sees_it(tmp_path):
    assert derived(assembled(tmp_path, APART)) == {
        "derived": ["b knows a"],
        "derived-guessed": ["a mayKnow c", "c knows b", "c mayKnow a"],
    }


def test_without_settings_there_is_one_derivation_that_sees_everything(tmp_path):
    assert derived(assembled(tmp_path, "")) == {"derived": ["a mayKnow c", "b knows a", "c knows b", "c mayKnow a"]}


def test_a_derivation_may_hide_what_an_earlier_one_has_derived(tmp_path):
    without = """
[[derivations]]
graph = "graph/first"
[[derivations]]
graph = "graph/second"
without = ["graph/first", "graph/data/guessed"]
"""
    assert derived(assembled(tmp_path, without))["second"] == ["b knows a"]


@pytest.mark.parametrize("blank", ["refuse", "skolemise"])
def test_checks_see_every_graph_after_the_last_derivation(tmp_path, blank):
    assembly = assembled(tmp_path, APART.replace('graph = "graph/derived-guessed"', """graph = "graph/derived-guessed"
without = ["graph/data/guessed", "graph/derived"]"""), blank=blank)  # fmt: skip
    count = assembly.working_store.query("SELECT * { GRAPH ?g { ?s <urn:knows>|<urn:mayKnow> ?o } }")
    assert len(count.rows) == len(assembly.quads) == 5


def test_a_rule_that_fails_in_a_later_derivation_leaves_nothing_derived(tmp_path):
    fails = "CONSTRUCT { ?a <urn:p> ?b } WHERE { ?a <urn:knows> ?b . SERVICE <http://127.0.0.1:1/> { ?a ?b ?c } }"
    assembly = assembled(tmp_path, APART, (SYMMETRIC, fails))
    assert derived(assembly) == {}
    assert len(assembly.working_store.query("SELECT * { GRAPH ?g { ?s ?p ?o } }").rows) == 3


def test_blank_nodes_of_each_derivation_are_reported_at_their_rule(tmp_path):
    rule = "CONSTRUCT { ?a <urn:note> [ <urn:of> ?b ] } WHERE { ?a <urn:knows> ?b }"
    result = check(assembled(tmp_path, APART, (rule,)))
    places = [str(each.location) for each in result.findings if each.rule == "iri/blank-node"]
    assert places == ["ontology/rules/00-rule.rq:1"]


def test_no_derivation_at_all_is_an_error_of_the_settings(tmp_path):
    (tmp_path / "twingraph.toml").write_text("derivations = []\n" + SETTINGS)
    with pytest.raises(SettingsError, match="derivations"):
        load_settings(tmp_path)


def test_lines_are_divided_by_their_graphs_and_not_by_what_looks_like_one():
    text = (
        b"<urn:a> <urn:p> <urn:g> .\n"
        b'<urn:a> <urn:p> "x <urn:g> ." <urn:h> .\n'
        b'<urn:a> <urn:p> "\\" <urn:g>" .\n'
        b"<urn:a> <urn:p> <urn:g> <urn:g> .\n"
        b'<urn:a> <urn:p> "x"@en <urn:g> .\n'
    )
    lines = NQuads.of(ox.parse(text, format=ox.RdfFormat.N_QUADS))
    within, outside = lines.by_graphs({"urn:g"})
    assert [b"".join(one.blocks()).count(b"\n") for one in (within, outside)] == [2, 3]
    assert [quad.graph_name for quad in within] == [ox.NamedNode("urn:g")] * 2
    assert set(within) | set(outside) == set(lines)
