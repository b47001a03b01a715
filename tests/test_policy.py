"""The policy of a publication: levels and exceptions of rules, blank nodes, own IRIs, and what its settings refuse."""

import gzip
import json
import re

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twingraph.check.run import check
from twingraph.errors import PublicationError, SettingsError
from twingraph.findings import RULES, violations
from twingraph.publication.assembly import assemble
from twingraph.publication.loose_files import settings_of_files
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.skolem import skolemised
from twingraph.release.archive import Archive
from twingraph.release.build import build
from twingraph.settings import load_settings, settings_origins
from twingraph.settings.policy import Policy

BASE = "https://kg.test/"
SETTINGS = """base_iri = "https://kg.test/"
title = { en = "Lamps" }
[[graphs]]
files = "**"
graph = "graph/{stem}"
[prefixes]
"" = "vocabulary#"
rdfs = "http://www.w3.org/2000/01/rdf-schema#"
xsd = "http://www.w3.org/2001/XMLSchema#"
"""
HEAD = """@prefix : <vocabulary#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
"""
# A shape with focus nodes in any data; a publication without shapes has a warning.
SHAPE = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
<https://shapes.test/Thing> a sh:NodeShape ; sh:targetSubjectsOf rdf:type .
"""


class Lamps:
    """A publication of one's own, with no policy unless a test gives it one."""

    def __init__(self, directory):
        self.directory = directory
        self.write("data/lamps.ttl", HEAD + "<lamp/A_1> a :Lamp ; rdfs:label 'A'@en .\n:Lamp rdfs:label 'Lamp'@en .\n")
        self.write("shapes/thing.ttl", SHAPE)
        self.policy("")

    def write(self, path, text):
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_text(text, encoding="utf-8")

    def policy(self, text, top=""):
        self.write("twingraph.toml", top + SETTINGS + text)

    def data(self, turtle, name="data/more.ttl"):
        self.write(name, HEAD + turtle)

    @property
    def settings(self):
        return load_settings(self.directory)

    def found(self):
        """Return rule, level and line of each finding."""
        findings = check(assemble(self.settings)).findings
        return [(each.rule, str(each.severity), each.location and each.location.line) for each in findings]

    def built(self):
        build(self.settings)
        release = Archive(self.settings.releases).current()
        return gzip.decompress((release.directory / "quads.nq.gz").read_bytes()).decode()


@pytest.fixture
def lamps(tmp_path):
    return Lamps(tmp_path)


def test_ordinary_data_conforms_with_no_policy(lamps):
    assert lamps.found() == []


ORDINARY = """
<lamp/b> :maker <maker/none> ; :watts "twenty"^^xsd:integer, "1"^^xsd:interger ; rdfs:comment "ask jane@maker.test" .
:watts rdfs:label "watts"@en . :maker rdfs:label "maker"@en .
<lamp/A_1> a :Lamp .
[] a [ a owl:Restriction ; owl:onProperty :watts ; owl:hasValue ( 1 2 ) ] .
"""


def test_what_is_legal_rdf_is_no_violation_with_no_policy(lamps):
    lamps.data(ORDINARY)
    assert sorted(lamps.found()) == [
        ("iri/dangling", "warning", 4),
        ("iri/duplicate", "info", 6),
        ("literal/datatype", "warning", 4),
        ("literal/unknown-datatype", "warning", 4),
        ("personal-data", "warning", 4),
    ]
    assert lamps.built()


@pytest.mark.parametrize("level", ["off", "info", "warning", "violation"])
def test_every_rule_has_the_level_of_the_settings(lamps, level):
    rules = ("iri/dangling", "iri/duplicate", "literal/datatype", "literal/unknown-datatype", "personal-data")
    lamps.data(ORDINARY)
    lamps.policy("[policy.levels]\n" + "\n".join(f'"{rule}" = "{level}"' for rule in rules))
    expected = [] if level == "off" else [(rule, level) for rule in rules]
    assert sorted((rule, found) for rule, found, _ in lamps.found()) == expected


def test_a_level_of_a_kind_of_rules_gives_way_to_that_of_a_rule(lamps):
    lamps.data(ORDINARY)
    lamps.policy('[policy.levels]\nliteral = "info"\n"literal/datatype" = "violation"')
    levels = {rule: level for rule, level, _ in lamps.found() if rule.startswith("literal/")}
    assert levels == {"literal/datatype": "violation", "literal/unknown-datatype": "info"}


@pytest.mark.parametrize(
    ("criterion", "left"),
    [
        ('properties = [":watts"]', {5, 6}),
        ('properties = ["https://kg.test/vocabulary#volts"]', {3, 4}),
        ('classes = [":Light"]', {3, 4, 6}),
        ('classes = [":Lamp", ":Light"]', {6}),
        ('files = ["data/*.ttl"]', set()),
        ('files = ["more.ttl"]', {3, 4, 5, 6}),
        ('datatypes = ["xsd:date"]', {3, 5, 6}),
        ('datatypes = ["xsd:date"]\nproperties = [":volts"]', {3, 4, 5, 6}),
    ],
)
def test_an_exception_is_for_a_property_a_class_with_subclasses_a_file_or_a_datatype(lamps, criterion, left):
    lamps.data("""<lamp/b> a :Lamp ; :watts "twenty"^^xsd:integer ;
   :watts "today"^^xsd:date .
[] a :Torch ; :volts "x"^^xsd:integer .
<lamp/d> :volts "y"^^xsd:integer .
:watts rdfs:label "w" . :volts rdfs:label "v" . :Torch rdfs:subClassOf :Light . :Light rdfs:label "Light" .
""")
    lamps.policy(f'[[policy.exceptions]]\nrule = "literal/datatype"\n{criterion}\n')
    assert {line for rule, _, line in lamps.found() if rule == "literal/datatype"} == left


def test_an_exception_may_raise_a_level(lamps):
    lamps.data(ORDINARY)
    lamps.policy('[[policy.exceptions]]\nrule = "literal"\nlevel = "violation"\ndatatypes = ["xsd:integer"]\n')
    assert ("literal/datatype", "violation", 4) in lamps.found()
    assert ("literal/unknown-datatype", "warning", 4) in lamps.found()


def test_a_result_of_a_shape_is_not_lost_with_the_finding_that_explains_it(lamps):
    lamps.data('<lamp/b> a :Lamp ; :watts "twenty"^^xsd:integer . :watts rdfs:label "watts" .')
    lamps.write(
        "shapes/lamp.ttl",
        HEAD + "@prefix sh: <http://www.w3.org/ns/shacl#> .\n:LampShape a sh:NodeShape ; sh:targetClass :Lamp ;\n"
        "  sh:property [ sh:path :watts ; sh:datatype xsd:integer ] .\n",
    )
    lamps.policy('[policy.levels]\n"literal/datatype" = "off"')
    rules = [rule for rule, level, _ in lamps.found() if level == "violation"]
    assert rules == ["shape/DatatypeConstraintComponent"]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ('[policy.levels]\n"iri/dangeling" = "off"', "there is no rule 'iri/dangeling'; did you mean 'iri/dangling'?"),
        ('[policy.levels]\n"syntax" = "warning"', "'syntax' is always a violation"),
        ('[policy.levels]\n"iri/dangling" = "error"', 'must be one of "off", "info", "warning", "violation"'),
        ('[[policy.exceptions]]\nrule = "iri/dangling"', "needs one of properties, classes, files or datatypes"),
        ('[[policy.exceptions]]\nrule = "irri"\nfiles = ["*"]', "there is no rule 'irri'; did you mean 'iri'?"),
        (
            '[[policy.exceptions]]\nrule = "iri"\nproperties = ["rdf:label"]',
            "twingraph.toml:12: policy.exceptions.0.properties: 'rdf:label' has no declared prefix; did you mean rdfs",
        ),
        ('[[policy.exceptions]]\nrule = "iri"\nclasses = ["rfds:Class"]', "did you mean rdfs:Class?"),
        ('[policy.iri_types]\nlamp = "lmp:Lamp"', "policy.iri_types.lamp: 'lmp:Lamp' has no declared prefix"),
        ('[[policy.iri_forms]]\nform = "id/{slug}"\nparts = { slug = "[a-z" }', "is not a regular expression"),
        (
            '[[policy.iri_forms]]\nform = "id/{slug}"\nparts = { slog = "x" }',
            "has no part {slog}; did you mean 'slug'?",
        ),
        ('[[policy.iri_forms]]\nform = "id/{a}/{a}"', "stands there twice"),
        ('[[policy.iri_forms]]\nform = "id/{a}"\nkind = "free"', "without any form, IRIs are free"),
        ('[policy.personal_data]\ntelephone = ["(+"]', "is not a regular expression"),
        ('[policy]\nblank_nodes = "refused"', 'must be one of "refuse", "allow", "skolemise"'),
    ],
)
def test_a_policy_that_cannot_be_used_is_an_error_of_the_settings(lamps, policy, message):
    lamps.policy(policy)
    with pytest.raises(SettingsError, match=re.escape(message)):
        _ = lamps.settings


@pytest.mark.parametrize(
    ("line", "key"),
    [('languages = ["english!"]', "languages"), ('languages = ["en_GB"]', "languages")],
)
def test_a_malformed_language_is_refused(lamps, line, key):
    lamps.policy("", top=line + "\n")
    with pytest.raises(SettingsError, match="is not a language tag") as caught:
        _ = lamps.settings
    assert caught.value.key == key


def test_config_shows_the_level_of_every_rule(lamps):
    lamps.policy('[policy.levels]\niri = "off"\n"literal/datatype" = "violation"')
    rows = {name: (str(value), origin) for name, value, origin in settings_origins(lamps.settings)}
    assert rows["policy.levels.literal/datatype"] == ("violation", "twingraph.toml")
    assert rows["policy.levels.iri/duplicate"] == ("off", "default")
    assert rows["policy.levels.iri/blank-graph"] == ("violation", "default")
    assert rows["policy.blank_nodes"] == ("allow", "default")
    assert all(f"policy.levels.{rule}" in rows for rule in RULES if "<" not in rule)
    assert rows["policy.personal_data.schemes"][1] == "default"


def test_a_level_can_be_given_in_the_environment(lamps, monkeypatch):
    monkeypatch.setenv("TWINGRAPH_POLICY", json.dumps({"levels": {"personal-data": "off"}, "blank_nodes": "refuse"}))
    assert lamps.settings.policy.level("personal-data") == "off"
    assert lamps.settings.policy.blank_nodes == "refuse"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("shape/MinCountsConstraintComponent", "did you mean 'shape/MinCountConstraintComponent'?"),
        ("check/bright-lamp", "did you mean 'check/bright-lamps'?"),
    ],
)
def test_a_check_or_constraint_that_does_not_exist_is_an_error_of_the_settings(lamps, rule, message):
    lamps.write("queries/checks/bright-lamps.rq", "#+ title: t\n#+ remedy: r\nSELECT ?entity ?message {}")
    lamps.policy(f'[policy.levels]\n"{rule}" = "info"')
    with pytest.raises(SettingsError, match=re.escape(message)):
        lamps.found()


def test_a_check_has_the_level_of_the_settings(lamps):
    text = "#+ title: a lamp\n#+ remedy: remove it\nSELECT ?entity ?message { ?entity a :Lamp }"
    lamps.write("queries/checks/lamps.rq", text)
    assert [level for rule, level, _ in lamps.found() if rule == "check/lamps"] == ["violation"]
    lamps.policy('[policy.levels]\n"check/lamps" = "info"')
    assert [level for rule, level, _ in lamps.found() if rule == "check/lamps"] == ["info"]


def test_fixed_rules_keep_their_level_when_that_of_their_kind_is_lowered():
    policy = Policy.model_validate({"levels": {"query": "off", "iri": "off"}})
    assert (policy.level("query/rule"), policy.level("iri/blank-graph")) == (None, None)
    assert (policy.level("query/rows"), policy.level("iri/dangling")) == ("off", "off")


# Own IRIs


@pytest.mark.parametrize("base", ["https://kg.test/lamps#", "https://kg.test/", "http://kg.test/a/b/"])
def test_a_base_may_end_in_a_slash_or_a_hash(lamps, base):
    lamps.policy("")
    lamps.write("twingraph.toml", SETTINGS.replace("https://kg.test/", base).replace("vocabulary#", ""))
    lamps.write("data/lamps.ttl", f"@prefix : <{base}> . :a a :Lamp ; :near :b .\n")
    found = {(finding.rule, finding.message) for finding in check(assemble(lamps.settings)).findings}
    assert found == {
        ("term/unknown", ":Lamp is not defined in the ontology"),
        ("term/unknown", ":near is not defined in the ontology"),
        ("iri/dangling", ":near points to :b, which is not defined"),
    }
    assert f"<{base}a>" in lamps.built()


def test_terms_of_several_namespaces_are_own_and_others_are_not(lamps):
    lamps.policy("", top='namespaces = ["https://second.test/ns#"]\n')
    lamps.data("<lamp/b> <https://second.test/ns#typo> 1 ; <https://other.test/anything> <https://other.test/x> .")
    assert [rule for rule, _, _ in lamps.found()] == ["term/unknown"]


def test_the_namespace_itself_is_no_dangling_thing(lamps):
    lamps.data("@prefix base: <> . :Lamp rdfs:isDefinedBy <vocabulary#>, <https://kg.test/> .")
    assert lamps.found() == []


def test_a_graph_whose_name_has_none_of_the_forms_says_what_to_rename(lamps):
    lamps.policy(
        '[[policy.iri_forms]]\nform = "graph/{name}"\nkind = "graph"\nparts = { name = "[a-z]+" }\n'
        '[[policy.iri_forms]]\nform = "vocabulary#{name}"\nkind = "term"\n[[policy.iri_forms]]\nform = "lamp/{name}"\n'
    )
    lamps.data("<lamp/b> rdfs:label 'B' .", name="data/More_Lamps.ttl")
    [finding] = check(assemble(lamps.settings)).findings
    assert finding.message == "this file's graph <graph/More_Lamps> has none of the forms of this publication's IRIs"
    assert finding.remedy.startswith("rename the file, or change its pattern under [[graphs]]; use graph/{name}, voc")
    assert finding.location.path == "data/More_Lamps.ttl"


def test_a_misspelt_term_in_a_shape_is_found_where_iris_are_free(lamps):
    lamps.write(
        "shapes/lamp.ttl",
        HEAD + "@prefix sh: <http://www.w3.org/ns/shacl#> .\n:S a sh:NodeShape ; sh:targetClass :Lmap .\n",
    )
    assert ("term/unknown", "warning", 4) in lamps.found()


def test_a_name_that_only_a_rule_makes_is_known_to_queries_where_iris_are_free(lamps):
    lamps.write("ontology/rules/10-lit.rq", "CONSTRUCT { ?lamp :lit true } WHERE { ?lamp a :Lamp }")
    assert lamps.found() == []
    lamps.write("ontology/rules/20-lit.rq", "CONSTRUCT { ?lamp :shines true } WHERE { ?lamp :list true }")
    assert ("term/unknown", "warning", 1) in lamps.found()


# Blank nodes

BLANK = """
[] rdfs:label "nobody" ; :near [ rdfs:label "x" ] .
[] rdfs:label "twin" . [] rdfs:label "twin" .
_:a :near _:b . _:b :near _:a .
<lamp/b> :list ( 1 ( 2 ) ) . :near rdfs:label "near" . :list rdfs:label "list" .
"""


def canonical(lines, genid=None):
    """Return quads as sorted canonical N-Quads, with blank nodes in place of IRIs under ``genid``."""
    text = re.sub(rf"<{re.escape(genid)}([\w-]+)>", r"_:\1", lines) if genid else lines
    dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, dataset))


def test_skolemised_statements_are_isomorphic_to_those_with_blank_nodes(lamps):
    lamps.data(BLANK)
    allowed = lamps.built()
    lamps.policy('[policy]\nblank_nodes = "skolemise"')
    named = lamps.built()
    assert "_:" in allowed
    assert "_:" not in named
    assert canonical(named, "https://kg.test/.well-known/genid/") == canonical(allowed)
    assert lamps.found() == []


def test_skolemised_iris_are_those_of_the_statements_around_them_and_no_others(lamps):
    lamps.policy('[policy]\nblank_nodes = "skolemise"')
    lamps.data(BLANK)
    first = lamps.built()
    lamps.data('[] rdfs:label "another" .' + BLANK)
    second = lamps.built()
    assert set(first.splitlines()) < set(second.splitlines())


def test_a_graph_named_by_a_blank_node_is_refused_with_a_finding_or_named(lamps):
    lamps.write("data/more.trig", '_:g { <https://o.test/a> <https://o.test/b> "c" } _:g <https://o.test/d> "e" .')
    assert lamps.found() == [("iri/blank-graph", "violation", 1)]
    lamps.policy('[policy]\nblank_nodes = "skolemise"')
    [graph] = re.findall(r'"c" <(\S+)>', lamps.built())
    assert re.fullmatch(r"https://kg.test/.well-known/genid/[0-9a-f]{32}-0", graph)
    assert f'<{graph}> <https://o.test/d> "e"' in lamps.built()


def test_a_derived_blank_node_follows_the_same_policy(lamps):
    lamps.write("ontology/rules/10-part.rq", "CONSTRUCT { ?lamp :part [ rdfs:label 'bulb' ] } WHERE { ?lamp a :Lamp }")
    assert "_:c14n0" in lamps.built()
    lamps.policy('[policy]\nblank_nodes = "refuse"')
    assert [rule for rule, _, _ in lamps.found()] == ["iri/blank-node"]
    lamps.policy('[policy]\nblank_nodes = "skolemise"')
    first = lamps.built()
    assert "_:" not in first
    assert "genid" in first
    assert lamps.built() == first


def test_a_finding_about_a_blank_node_that_was_replaced_says_its_file(lamps):
    lamps.policy('[policy]\nblank_nodes = "skolemise"')
    lamps.data('[] :watts "twenty"^^xsd:integer . :watts rdfs:label "w" .')
    [finding] = check(assemble(lamps.settings)).findings
    assert finding.location.path == "data/more.ttl"


def test_a_blank_graph_name_in_a_file_without_settings_is_refused_and_no_traceback(tmp_path):
    (tmp_path / "a.trig").write_text('_:g { <https://o.test/a> <https://o.test/b> "c" }', encoding="utf-8")
    loose, _ = settings_of_files([tmp_path / "a.trig"])
    assert [finding.rule for finding in violations(check(assemble(loose)).findings)] == ["iri/blank-graph"]


@pytest.mark.parametrize("policy", ["allow", "skolemise"])
def test_a_passage_that_is_a_blank_node_is_verified(tiny, policy):
    tiny.edit("twingraph.toml", 'blank_nodes = "refuse"', f'blank_nodes = "{policy}"')
    passage = 'a l:Excerpt ; l:of book:pilot ; l:from 90 ; l:to 126 ; l:words "first lit"@en'
    tiny.append("data/books/pilot/lights.ttl", f"\nlight:holm l:saidIn [ {passage} ], [ a l:Excerpt ; l:to 3 ] .\n")
    found = [
        finding.rule for finding in check(assemble(tiny.settings)).findings if finding.rule.startswith("evidence/")
    ]
    assert found == ["evidence/quote", "evidence/incomplete"]


NODES = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<http://x/1>", "<http://x/2>"])
VALUES = NODES | st.sampled_from(['"_:a"', '"x#\\n#"', '"y"@en', '"_:c14n0"'])
LINES = st.lists(st.tuples(NODES, st.sampled_from(["<http://x/p>", "<http://x/q>"]), VALUES, NODES), max_size=8)


@given(st.lists(LINES, min_size=1, max_size=3))
@settings(max_examples=15, deadline=None)
def test_replacing_blank_nodes_in_any_files_preserves_their_statements(files):
    texts = ["".join(f"{' '.join(line)} .\n" for line in lines) for lines in files]
    parsed = [NQuads.of(ox.parse(text, format=ox.RdfFormat.N_QUADS, rename_blank_nodes=True)) for text in texts]
    replaced = [b"".join(blocks).decode() for blocks in skolemised(parsed, "http://x/.well-known/genid/")]
    for text, named in zip(texts, replaced, strict=True):
        assert canonical(named, "http://x/.well-known/genid/") == canonical(text)
    named = [set(re.findall(r"genid/[\w-]+", text)) for text in replaced]
    assert sum(map(len, named)) == len(set().union(*named))


def test_blank_nodes_that_take_too_long_to_name_are_an_error_and_not_an_endless_build():
    nodes = range(60)
    edges = [(a, b) for a in nodes for b in nodes if a != b]
    lines = "".join(f"_:n{a} <http://x/p> _:n{b} .\n" for a, b in edges)
    parsed = NQuads.of(ox.parse(lines, format=ox.RdfFormat.N_QUADS))
    with pytest.raises(PublicationError, match="no canonical labels within 1 seconds: use IRIs"):
        skolemised([parsed], "http://x/", seconds=1)
