"""Dumps: the statements of a release in each format, as written, from canonical lines."""

import gzip
import json

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from rdflib import Graph

from running import canonical_nquads
from test_release import QUADS as RANDOM_QUADS
from twingraph.errors import ReleaseError
from twingraph.rdf.formats import GRAPHS, by_name
from twingraph.rdf.nquads import NQuads
from twingraph.release.archive import Archive, faults
from twingraph.release.build import build
from twingraph.release.dumps import Order, write_dumps
from twingraph.release.void import count, language_tags
from twingraph.settings import Dumps, load_settings

BASE = "https://x.example/"
EVERY = ("trig", "turtle", "jsonld", "rdfxml")
XSD = "http://www.w3.org/2001/XMLSchema#"


def dumped(directory, quads, **options):
    """Write the dumps of quads and return them by name, each with its content."""
    lines = directory / "canonical.nq"
    lines.write_bytes(canonical_nquads(quads))
    canonical = NQuads.in_file(lines)
    order = Order(
        lines=lines,
        directory=directory / "dumps",
        work=directory,
        base=BASE,
        graphs={name: tally.triples for name, tally in count(canonical).graphs.items()},
        prefixes={"x": "http://x.example/", "zh": "https://x.example/zh/"},
        tags=language_tags(canonical),
        dumps=Dumps(**options),
    )
    return {one.name: (one, (order.directory / one.name).read_bytes()) for one in write_dumps(order)}


def quads_of(text):
    return list(ox.parse(text.encode(), format=ox.RdfFormat.TRIG, base_iri=BASE))


def read(dump, content):
    """Return the quads of a dump as canonical lines; tags are compared apart, since the parser lower-cases them."""
    content = gzip.decompress(content) if dump.is_compressed else content
    return canonical_nquads(ox.parse(content, format=by_name(dump.format, GRAPHS).engine))


def without_graphs(quads):
    return canonical_nquads(ox.Quad(one.subject, one.predicate, one.object) for one in quads)


HOSTILE = f"""
@prefix x: <http://x.example/> . @prefix xsd: <{XSD}> .
<a> x:p "1.50"^^xsd:decimal, "+1"^^xsd:integer, "01"^^xsd:integer, "1e0"^^xsd:double, "TRUE"^^xsd:boolean, true .
<a> x:p "a\\r\\nb\\t\\"c\\" <d> & ]]>", " x ", "", "å\\u0301", "😀" .
<g1> {{ <a> x:p "友好"@zh-Hans, "x"@pt-BR, "x"@en ; a x:C . <b> x:q <a>, <å>, <a%20b> . }}
<g2> {{ <b> x:q <a> . }}
"""


@pytest.mark.parametrize("name", EVERY)
def test_a_dump_has_every_statement_as_it_was_written(tmp_path, name):
    quads = quads_of(HOSTILE)
    dump, content = next(iter(dumped(tmp_path, quads, formats=(name,), graph_formats=()).values()))
    expected = canonical_nquads(quads) if name in ("trig", "jsonld") else without_graphs(quads)
    assert read(dump, content) == expected
    assert (dump.statements, dump.omitted) == (len(quads), 0)


@pytest.mark.parametrize("name", EVERY)
def test_language_tags_keep_their_canonical_case(tmp_path, name):
    _, content = next(iter(dumped(tmp_path, quads_of(HOSTILE), formats=(name,), graph_formats=()).values()))
    assert b"zh-Hans" in content
    assert b"zh-hans" not in content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(RANDOM_QUADS)
def test_any_statements_come_back_from_trig_and_json_ld(tmp_path_factory, quads):
    dumps = dumped(tmp_path_factory.mktemp("dumps"), quads, formats=("trig", "jsonld"), graph_formats=())
    for dump, content in dumps.values():
        assert read(dump, content) == canonical_nquads(quads)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(RANDOM_QUADS)
def test_rdf_xml_has_all_statements_but_those_it_counts(tmp_path_factory, quads):
    dump, content = dumped(tmp_path_factory.mktemp("dumps"), quads, formats=("rdfxml",), graph_formats=())["all.rdf"]
    found = set(read(dump, content).splitlines())
    every = set(without_graphs(quads).splitlines())
    assert found <= every
    assert len(every) - len(found) == dump.omitted


@pytest.mark.parametrize(
    "statement",
    [
        "<a> <http://x.example/1> 1 .",
        "<a> <http://x.example/p/> 1 .",
        "<a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1 .",
        "<a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#about> 1 .",
        '<a> <p> "\\u0001" .',
        '<a> <p> "\\uFFFE" .',
        "<a> <p> <<( <a> <p> <b> )>> .",
    ],
)
def test_what_rdf_xml_cannot_represent_is_counted_and_said(tmp_path, statement):
    dump, content = dumped(tmp_path, quads_of(f"<a> <p> <b> . {statement}"), formats=("rdfxml",))["all.rdf"]
    assert dump.omitted == 1
    assert content.endswith(b"<!-- 1 statements cannot be represented in RDF/XML -->\n")
    assert len(Graph().parse(data=content, format="xml")) == 1


def test_json_ld_leaves_out_triple_terms_and_counts_them(tmp_path):
    quads = quads_of("<a> <p> <b> . <a> <p> <<( <a> <p> <b> )>> .")
    dump, content = dumped(tmp_path, quads, formats=("jsonld",))["all.jsonld"]
    assert dump.omitted == 1
    assert len(json.loads(content)) == 1


def test_a_triple_of_several_graphs_is_once_in_turtle(tmp_path):
    _, content = dumped(tmp_path, quads_of("<g1> { <a> <p> <b> } <g2> { <a> <p> <b> }"), formats=("turtle",))["all.ttl"]
    assert content.count(b"<https://x.example/b>") == 1


def test_each_graph_has_a_file_with_a_safe_name(tmp_path):
    text = (
        "<a> <p> 0 . <graph/one/two> { <a> <p> 1 } <graph/../../etc> { <a> <p> 2 }"
        "<http://other.example/g> { <a> <p> 3 } <graph/Å> { <a> <p> 4 } <graph/default> { <a> <p> 5 }"
    )
    quads = list(ox.parse(text.replace("../../", "..%2F").encode(), format=ox.RdfFormat.TRIG, base_iri=BASE))
    names = set(dumped(tmp_path, quads, formats=()))
    assert {"graphs/default.ttl", "graphs/one/two.ttl"} < names
    assert len([name for name in names if name.startswith("graphs/by-hash/")]) == 4
    for dump, content in dumped(tmp_path, quads, formats=()).values():
        assert read(dump, content).count(b"\n") == 1


def test_no_graph_has_dumps_of_its_own_when_there_are_too_many(tmp_path):
    quads = quads_of(" ".join(f"<g{number}> {{ <a> <p> {number} }}" for number in range(5)))
    assert set(dumped(tmp_path, quads, max_graphs=4)) == {"all.trig", "all.ttl", "all.jsonld", "all.rdf"}


def test_more_graphs_than_files_may_be_open_are_dumped_all_the_same(tmp_path):
    quads = quads_of(" ".join(f"<g{number}> {{ <a> <p> {number} }}" for number in range(500)))
    dump, content = dumped(tmp_path, quads, formats=("trig",), max_graphs=1000)["all.trig"]
    assert read(dump, content) == canonical_nquads(quads)


def test_a_large_dump_is_compressed_without_a_time(tmp_path):
    dump, content = dumped(tmp_path, quads_of("<a> <p> 1, 2 ."), formats=("turtle",), compress_quads=1)["all.ttl.gz"]
    assert dump.is_compressed
    assert content[4:8] == b"\0\0\0\0"
    assert read(dump, content).count(b"\n") == 2


def test_blank_nodes_have_the_same_label_in_each_graph(tmp_path):
    quads = quads_of("<g1> { _:b <p> 1 } <g2> { _:b <p> 2 }")
    dump, content = dumped(tmp_path, quads, formats=("trig",), graph_formats=())["all.trig"]
    assert read(dump, content) == canonical_nquads(quads)


def test_a_publication_without_statements_has_no_trouble(tmp_path):
    assert set(dumped(tmp_path, [])) == {"all.trig", "all.ttl", "all.jsonld", "all.rdf"}


def test_two_builds_write_the_same_dumps(tiny, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = build(load_settings(tiny.directory, folders__releases="one")).release
    second = build(load_settings(tiny.directory, folders__releases="two")).release
    assert len(first.manifest.dumps) > 5
    for dump in first.manifest.dumps:
        assert (first.directory / dump.path).read_bytes() == (second.directory / dump.path).read_bytes(), dump.name


def test_other_dumps_are_another_release(tiny, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = build(tiny.settings).release
    tiny.append("twingraph.toml", '[dumps]\nformats = ["turtle"]\n')
    second = build(tiny.settings).release
    assert first.id != second.id
    assert {dump.format for dump in second.manifest.dumps} == {"turtle", "nquads"}


def test_a_damaged_dump_is_a_fault_of_the_release(built):
    release = Archive(built.settings.releases).current()
    assert list(faults(release)) == []
    (release.directory / "dumps/all.ttl").write_bytes(b"")
    (release.directory / "dumps/all.rdf").unlink()
    (release.directory / "dumps/more.ttl").write_bytes(b"")
    assert {name: fault.partition(":")[0] for name, fault in faults(release)} == {
        "dumps/all.ttl": "is damaged",
        "dumps/all.rdf": "is missing",
        "dumps/more.ttl": "does not belong here",
    }


def test_building_again_does_not_pass_over_a_damaged_dump(built):
    release = Archive(built.settings.releases).current()
    (release.directory / "dumps/all.ttl").write_bytes(b"")
    with pytest.raises(ReleaseError, match=r"all\.ttl.*is damaged"):
        build(built.settings)


def test_a_dump_that_cannot_be_written_ends_the_build_with_one_line(tiny, monkeypatch):
    monkeypatch.setattr("twingraph.release.dump_writer.command", lambda *_: ["false"])
    with pytest.raises(ReleaseError, match="could not be written"):
        build(tiny.settings)
    assert Archive(tiny.settings.releases).ids() == ()
