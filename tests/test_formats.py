"""Choosing a representation: RFC 9110, section 12.5.1, with the headers that real clients send."""

import ast
import gzip
import io
from pathlib import Path

import pyoxigraph as ox
import pytest

import twingraph
from twingraph.errors import NotAcceptableError, UnknownNameError
from twingraph.rdf.formats import CSV, FORMATS, GRAPHS, HTML, JSON, RESULTS, TURTLE, XML, Format, by_name
from twingraph.server.http.negotiation import negotiate
from twingraph.sparql.query import read_query
from twingraph.store.embedded import EmbeddedStore

PACKAGE = Path(twingraph.__file__).parent

WITH_PAGE = (*RESULTS, HTML)
GRAPHS_WITH_PAGE = (*GRAPHS, HTML)

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
JENA_SELECT = (
    "application/sparql-results+json, application/sparql-results+xml;q=0.9, text/tab-separated-values;q=0.7, "
    "text/csv;q=0.5, application/json;q=0.2, application/xml;q=0.2, */*;q=0.1"
)
JENA_GRAPH = "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("nonsense", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV", "csv"),
        ("text/csv;charset=utf-8", "csv"),
        ("text/csv ; q=0.5 , text/tab-separated-values;q=0.6", "tsv"),
        ("text/*", "csv"),
        ("text/*;q=0.1, application/*;q=0.2", "json"),
        ("text/*, text/csv;q=0", "tsv"),
        ("*/*, application/sparql-results+json;q=0", "xml"),
        ("*/*, application/*;q=0", "csv"),
        ("*/*;q=0.1, text/html", "html"),
        ("text/tab-separated-values, */*", "tsv"),
        ("text/csv;q=0.2, text/csv;q=bad", "csv"),
        ("text/csv;q=2, text/tab-separated-values;q=0.1", "tsv"),
        ('text/csv;note="a, b; c";q=0.1, text/tab-separated-values;q=0.2', "tsv"),
        (CHROMIUM, "html"),
        (JENA_SELECT, "json"),
        ("application/sparql-results+json,application/json,text/javascript,application/javascript", "json"),
        ("application/sparql-results+xml, application/rdf+xml", "xml"),
        ("application/sparql-results+xml;q=0.8, application/sparql-results+json", "json"),
    ],
)
def test_results_are_chosen_by_the_accept_header(accept, expected):
    assert negotiate(accept or "", WITH_PAGE).name == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "turtle"),
        (CHROMIUM, "html"),
        (JENA_GRAPH, "turtle"),
        ("application/ld+json;profile=http://www.w3.org/ns/json-ld#compacted", "jsonld"),
        ("application/trig;q=0.9,application/n-quads;q=0.95", "nquads"),
        ("application/rdf+xml", "rdfxml"),
        ("application/n-triples, text/turtle;q=0.9", "ntriples"),
    ],
)
def test_graphs_are_chosen_by_the_accept_header(accept, expected):
    assert negotiate(accept or "", GRAPHS_WITH_PAGE).name == expected


@pytest.mark.parametrize("accept", ["image/png", "*/*;q=0", "application/json;q=0, text/turtle"])
def test_nothing_acceptable_is_an_error_that_lists_what_is_on_offer(accept):
    with pytest.raises(NotAcceptableError) as caught:
        negotiate(accept, RESULTS)
    assert caught.value.offered == tuple(one.media_type for one in RESULTS)


@pytest.mark.parametrize(("accept", "name"), [("application/json", "json"), ("application/xml", "xml")])
def test_an_answer_bears_the_media_type_by_which_it_was_asked_for(accept, name):
    chosen = negotiate(accept, RESULTS)
    assert (chosen.name, chosen.media_type) == (name, accept)


def test_a_wildcard_never_chooses_another_name_of_a_format():
    assert negotiate("application/*", RESULTS) == JSON


def test_equal_quality_goes_to_the_earlier_offered():
    assert negotiate("text/csv, application/sparql-results+xml", RESULTS) == XML
    assert negotiate("text/csv, application/sparql-results+xml", (CSV, XML)) == CSV


@pytest.mark.parametrize(
    ("name", "offered", "expected"),
    [("json", RESULTS, "json"), ("json", GRAPHS, "jsonld"), ("xml", GRAPHS, "rdfxml"), ("TTL", GRAPHS, "turtle"),
     ("nt", GRAPHS, "ntriples"), ("text/csv", RESULTS, "csv"), ("srj", RESULTS, "json")],
)  # fmt: skip
def test_a_name_means_the_format_of_its_kind(name, offered, expected):
    assert by_name(name, offered).name == expected


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="turtle"):
        by_name("turtel")


def test_no_two_formats_share_name_media_type_or_extension():
    for field in ("name", "media_type", "extension"):
        assert len({getattr(one, field) for one in FORMATS}) == len(FORMATS) == 11


def test_text_says_its_charset_and_the_others_do_not():
    assert TURTLE.content_type == "text/turtle; charset=utf-8"
    assert JSON.content_type == "application/sparql-results+json"


def test_no_other_module_knows_a_format_by_its_name():
    names = {format_.name for format_ in (*RESULTS, *GRAPHS)}
    found = []
    for path in PACKAGE.rglob("*.py"):
        # The formats of reports are a table of their own, --json is short for one; pydantic has a mode called "json".
        if path.relative_to(PACKAGE).as_posix() in ("rdf/formats.py", "check/reports/__init__.py", "cli/options.py"):
            continue
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        modes = {node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "mode"}
        constants = {node for node in nodes if isinstance(node, ast.Constant)} - modes
        found += [f"{path.name}:{node.lineno}" for node in constants if node.value in names]
    assert found == []


def test_a_graph_format_of_the_engine_needs_nothing_but_its_entry(tmp_path):
    n3 = Format("notation3", "text/n3", "n3", ox.RdfFormat.N3, "N3", tag=TURTLE.tag, prefixes=TURTLE.prefixes)
    quad = b'<http://b.example/s> <http://b.example/p> "x"@zh-Hans <http://b.example/g> .\n'
    (tmp_path / "quads.nq.gz").write_bytes(gzip.compress(quad))
    store = EmbeddedStore("http://b.example/", {"b": "http://b.example/"}, language_tags=("zh-Hans",))
    store.load(tmp_path, 1)
    output = io.BytesIO()
    store.query(read_query("CONSTRUCT WHERE { ?s ?p ?o }", {}, "http://b.example/"), n3, output)
    assert output.getvalue() == b'@prefix b: <http://b.example/> .\nb:s b:p "x"@zh-Hans .\n'
