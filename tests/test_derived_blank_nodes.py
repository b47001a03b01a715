"""Blank nodes that rules derive, and those in triple terms, under each policy: refused, kept, or replaced by IRIs."""

import re
from contextlib import closing

import pytest

from running import canonical_nquads
from test_reading import publication
from twingraph.check.run import check
from twingraph.findings import Severity
from twingraph.publication.assembly import assemble

DATA = '@prefix ex: <urn:ex:> .\nex:a a ex:Whole ; ex:has [ ex:name "part" ], [ ex:name "part" ] .\nex:b a ex:Whole .\n'
PREFIXES = '[prefixes]\nex = "urn:ex:"\n'
RULES = {
    "a new node": "CONSTRUCT { ?x ex:note [ ex:text 'x' ] } WHERE { ?x a ex:Whole }",
    "a node of the data": "CONSTRUCT { ?part ex:of ?x } WHERE { ?x ex:has ?part }",
    "a node in a triple term": "CONSTRUCT { ?x ex:said <<( ?x ex:p [] )>> } WHERE { ?x a ex:Whole }",
}
RULE = "ontology/rules/10-new.rq"


def assembled(directory, policy, rules, data=DATA):
    files = {"data/a.ttl": data} | {f"ontology/rules/{name}": text for name, text in rules.items()}
    return assemble(publication(directory, files, f'{PREFIXES}[policy]\nblank_nodes = "{policy}"\n').settings)


def found(assembly):
    findings = check(assembly).findings
    return [each for each in findings if each.severity is not Severity.INFO and each.rule != "shape/none"]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("policy", ["allow", "skolemise"])
def test_blank_nodes_of_rules_are_published_the_same_in_every_build(name, policy, tmp_path):
    rules = {"10-new.rq": RULES[name], "20-later.rq": "CONSTRUCT { ?y ex:seen true } WHERE { ?x ex:note ?y }"}
    first, second = (assembled(tmp_path, policy, rules) for _ in range(2))
    assert found(first) == []
    assert canonical_nquads(first.quads) == canonical_nquads(second.quads)
    text = canonical_nquads(first.derived).decode()
    assert len(first.derived) == {"a new node": 6, "a node of the data": 2, "a node in a triple term": 2}[name]
    node = r"_:c14n\d" if policy == "allow" else r"<https://kg.test/.well-known/genid/[0-9a-f]{32}-\d+>"
    assert len(set(re.findall(node, text))) == 2
    assert ("_:" in text) == (policy == "allow")


@pytest.mark.parametrize("policy", ["allow", "skolemise"])
def test_statements_that_rules_derive_about_blank_nodes_of_the_data_are_about_the_same_nodes(policy, tmp_path):
    assembly = assembled(tmp_path, policy, {"10-new.rq": RULES["a node of the data"]})
    with closing(assembly.working_store) as store:
        rows = store.query("SELECT ?part { ?whole ex:has ?part . ?part ex:of ?whole ; ex:name 'part' }").rows
    assert len(set(rows)) == 2
    quads = {str(quad.subject) for quad in assembly.derived}
    assert quads == {str(quad.object) for quad in assembly.reading.lines if quad.predicate.value == "urn:ex:has"}


def test_rule_that_makes_blank_nodes_is_reported_where_they_are_refused(tmp_path):
    rules = {"10-new.rq": RULES["a new node"], "20-other.rq": RULES["a node in a triple term"]}
    findings = found(assembled(tmp_path, "refuse", rules, "<urn:ex:a> a <urn:ex:Whole> ."))
    assert {(each.rule, str(each.location), each.message) for each in findings} == {
        ("iri/blank-node", f"ontology/rules/{name}:1", "the rule derives a blank node, which cannot be referred to")
        for name in rules
    }
    assert all(each.remedy.startswith("construct IRIs, as with BIND(IRI(") for each in findings)


def test_rule_that_repeats_blank_nodes_of_the_data_is_not_reported_beside_these(tmp_path):
    findings = found(assembled(tmp_path, "refuse", {"10-new.rq": RULES["a node of the data"]}))
    assert [str(each.location) for each in findings] == ["data/a.ttl:2:26", "data/a.ttl:2:46"]


def test_blank_node_in_a_triple_term_is_refused_at_its_line(tmp_path):
    data = "@prefix ex: <urn:ex:> .\nex:a a ex:Whole ;\n  ex:said <<( ex:a ex:p _:x )>> .\n"
    [finding] = found(assembled(tmp_path, "refuse", {}, data))
    assert (finding.rule, finding.location.line) == ("iri/blank-node", 3)
    assert finding.message == "the value of ex:said is a triple term with a blank node"


def test_blank_node_in_a_triple_term_is_the_same_as_outside_it(tmp_path):
    data = "@prefix ex: <urn:ex:> .\nex:a ex:said <<( ex:a ex:p _:x )>> .\n_:x ex:name 'x' .\n"
    text = canonical_nquads(assembled(tmp_path, "allow", {}, data).quads).decode()
    assert set(re.findall(r"_:\w+", text)) == {"_:c14n0"}


EXAMPLE = """@prefix ex: <urn:ex:> .
ex:a a ex:Whole . ex:b a ex:Whole .
<graph/derived> { ex:a ex:note [ ex:text "x" ] . ex:b ex:note [ ex:text "WORD" ] }
"""


@pytest.mark.parametrize(("word", "rules"), [("x", []), ("y", ["example/wrong"])])
def test_examples_of_rules_may_have_blank_nodes(tmp_path, word, rules):
    directory = assembled(tmp_path, "allow", {"10-new.rq": RULES["a new node"]}).settings.directory
    examples = directory / "ontology/rules/examples/10-new"
    examples.mkdir(parents=True)
    (examples / "applies-a.trig").write_text(EXAMPLE.replace("WORD", word))
    (examples / "ignores-a.ttl").write_text("<urn:ex:a> a <urn:ex:Other> .")
    result = check(assembled(tmp_path, "allow", {"10-new.rq": RULES["a new node"]}), examples=True)
    assert [each.rule for each in result.findings if each.severity is Severity.VIOLATION] == rules


SHAPES = """@prefix ex: <urn:ex:> . @prefix sh: <http://www.w3.org/ns/shacl#> .
ex:S a sh:NodeShape ; sh:targetClass ex:Whole ;
  sh:property [ sh:path ex:name ; sh:minCount 1 ], [ sh:path ex:said ; sh:nodeKind sh:IRI ; sh:maxCount 0 ] .
ex:O a sh:NodeShape ; sh:targetObjectsOf ex:said ; sh:property [ sh:path [ sh:inversePath ex:said ] ; sh:maxCount 0 ] .
"""


def test_triple_terms_are_values_like_others_for_shapes(tmp_path):
    data = '@prefix ex: <urn:ex:> .\nex:a a ex:Whole ; ex:name "a" ; ex:said <<( ex:a ex:p "1" )>> .\n'
    assembled(tmp_path, "allow", {}, data)
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes/s.ttl").write_text(SHAPES)
    findings = found(assembled(tmp_path, "allow", {}, data))
    triple = '<<( <urn:ex:a> <urn:ex:p> "1" )>>'
    assert [(each.rule.removeprefix("shape/"), each.focus or each.label, each.value) for each in findings] == [
        ("MaxCountConstraintComponent", triple, None),
        ("MaxCountConstraintComponent", "urn:ex:a", None),
        ("NodeKindConstraintComponent", "urn:ex:a", triple),
    ]
