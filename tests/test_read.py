"""Reading and deriving on the smallest publications that serve."""

import pyoxigraph as ox
import pytest

from twingraph.errors import PublicationError, QueryError
from twingraph.publication.evidence import Document, SourceArchive
from twingraph.publication.files import Publication
from twingraph.publication.query_files import QueryFile, read_saved_queries
from twingraph.publication.reading import read
from twingraph.publication.working_store import derive, load
from twingraph.rdf.iris import Iris
from twingraph.settings import load_settings

BASE = "https://kg.test/"
SETTINGS = f"""base_iri = "{BASE}"
[title]
en = "Lamps"
[prefixes]
ex = "ontology#"
[[graphs]]
files = "data/sources/*/*.ttl"
graph = "graph/source/{{parent}}"
[[graphs]]
files = "data/**.ttl"
graph = "graph/{{stem}}"
"""
IRIS = Iris(BASE, {"ex": BASE + "ontology#"})
EDTF = ox.NamedNode("http://id.loc.gov/datatypes/edtf/EDTF")


@pytest.fixture
def publication(tmp_path):
    files = {
        "twingraph.toml": SETTINGS,
        "data/a.ttl": "@prefix ex: <ontology#> .\n<id/x/a> ex:p 1.50 .\n",
        "data/sources/1/b.ttl": "@prefix ex: <ontology#> .\n<id/x/a> ex:q _:b . _:b ex:p 'x'@zh-Hans .\n",
        "queries/one.rq": "#+ title: One\n#+ description: d\nSELECT * WHERE { ?s ?p ?o }\n",
        "queries/checks/c.rq": "SELECT * {}",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Publication(load_settings(tmp_path))


def test_a_file_belongs_to_the_graph_of_the_first_pattern_that_matches(publication):
    assert [(file.path, file.graph) for file in read(publication).files] == [
        ("data/a.ttl", BASE + "graph/a"),
        ("data/sources/1/b.ttl", BASE + "graph/source/1"),
    ]


def test_a_file_that_begins_with_a_byte_order_mark_is_told_so(publication):
    path = publication.settings.directory / "data/a.ttl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (finding,) = read(publication).findings
    assert (finding.location.path, finding.location.line) == ("data/a.ttl", 1)
    assert "byte order mark" in finding.message
    assert "without a byte order mark" in finding.remedy


def test_a_literal_keeps_the_form_in_which_it_was_written(publication):
    assert [quad.object.value for quad in read(publication).files[0].quads] == ["1.50"]


def test_the_files_that_speak_of_a_subject_are_found_for_few_and_for_many(publication):
    locations = read(publication).locations
    assert locations.files(BASE + "id/x/a") == ("data/a.ttl", "data/sources/1/b.ttl")
    assert [locations.files(f"{BASE}id/x/no-{number}") for number in range(20)] == [()] * 20
    assert locations.files(BASE + "id/x/a") == ("data/a.ttl", "data/sources/1/b.ttl")


def test_what_is_kept_in_a_file_is_what_was_read(publication, tmp_path):
    kept = read(publication, tmp_path / "kept.nq")
    assert [quad.object for quad in kept.lines] == [quad.object for file in kept.files for quad in file.quads]
    assert (tmp_path / "kept.nq").read_bytes().count(b"\n") == len(kept.lines) == 3


def test_all_files_of_no_graph_are_reported_at_once_and_the_others_are_read(publication):
    for name in ("x.nt", "y.nt"):
        (publication.settings.directory / "data" / name).write_text("")
    reading = read(Publication(publication.settings))
    assert [(finding.rule, str(finding.location)) for finding in reading.findings] == [
        ("file/graph", "data/x.nt"),
        ("file/graph", "data/y.nt"),
    ]
    assert len(reading.files) == 2


def test_a_publication_without_files_is_refused(publication, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    (empty / "twingraph.toml").write_text(SETTINGS, encoding="utf-8")
    with pytest.raises(PublicationError, match="no file of RDF"):
        read(Publication(load_settings(empty)))


def test_a_syntax_error_is_a_finding_with_its_place_and_the_rest_is_read(publication):
    (publication.settings.directory / "data" / "a.ttl").write_text("@prefix ex: <ontology#> .\nex:a ex:b ;; [ .\n")
    reading = read(publication)
    assert [str(finding.location) for finding in reading.findings] == ["data/a.ttl:2:11"]
    assert len(reading.lines) == 2


def test_saved_queries_leave_out_the_checks(publication):
    assert [query.name for query in read_saved_queries(publication).queries] == ["one"]


def test_a_query_without_header_is_a_finding(publication):
    (publication.settings.directory / "queries" / "two.rq").write_text("SELECT * {}")
    found = read_saved_queries(publication)
    assert [str(finding.location) for finding in found.findings] == ["queries/two.rq:1"]
    assert len(found.queries) == 1


def quad(subject: str, predicate: str, value: ox.NamedNode | ox.Literal) -> ox.Quad:
    return ox.Quad(ox.NamedNode(BASE + subject), term(predicate), value, ox.NamedNode(BASE + "graph/said"))


def term(name: str) -> ox.NamedNode:
    return ox.NamedNode(BASE + "ontology#" + name)


DATE = quad("id/x/a", "when", ox.Literal("2010-04", datatype=EDTF))
BOUNDS = """CONSTRUCT { ?s ex:first ?first ; ex:last ?last } WHERE {
  ?s ex:when ?edtf
  BIND(<urn:x-twingraph:function:earliest>(?edtf) AS ?first)
  BIND(<urn:x-twingraph:function:latest>(?edtf) AS ?last)
}"""


def derived(quads, *texts):
    rules = [QueryFile(f"ontology/rules/{number}.rq", text) for number, text in enumerate(texts)]
    return derive(rules, load(quads), IRIS, BASE + "graph/derived")


def test_a_rule_derives_the_bounds_of_a_date():
    assert {(quad.predicate.value.partition("#")[2], quad.object.value) for quad in derived([DATE], BOUNDS)} == {
        ("first", "2010-04-01"),
        ("last", "2010-04-30"),
    }


def test_an_open_end_derives_no_bound():
    open_end = quad("id/x/a", "when", ox.Literal("2010/..", datatype=EDTF))
    assert [quad.predicate.value for quad in derived([open_end], BOUNDS)] == [BASE + "ontology#first"]


def test_a_later_rule_sees_what_an_earlier_one_derived():
    second = "CONSTRUCT { ?s ex:seen ?first } WHERE { ?s ex:first ?first }"
    assert BASE + "ontology#seen" in {quad.predicate.value for quad in derived([DATE], BOUNDS, second)}


def test_what_is_said_already_is_not_derived():
    assert list(derived([DATE], "CONSTRUCT WHERE { ?s ex:when ?o }")) == []


@pytest.mark.parametrize("text", ["CONSTRUCT {", "SELECT * { ?s ?p ?o }"])
def test_a_rule_that_cannot_run_is_named(text):
    with pytest.raises(QueryError, match=r"ontology/rules/0\.rq"):
        derived([DATE], text)


def test_the_archive_reads_nothing_outside_its_directory(tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "archive").mkdir()
    archive = SourceArchive(tmp_path / "archive")
    assert archive.text(Document("urn:d", "../secret.txt", "")) is None


def test_the_archive_keeps_line_ends(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\r\nb")
    assert SourceArchive(tmp_path).text(Document("urn:d", "a.txt", "")) == "a\r\nb"
