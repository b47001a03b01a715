"""The contract of a store, kept by the embedded engine in memory and on disk."""

import gzip
import io
import json
from contextlib import nullcontext
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from twingraph.errors import QueryError, StoreError, UnknownGraphError
from twingraph.rdf.formats import CSV, GRAPHS, HTML, JSON, N_TRIPLES, RESULTS, TURTLE, by_name
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import without_graph_names
from twingraph.sparql.query import read_query
from twingraph.store.datasets import Opened, open_release, reads_store
from twingraph.store.embedded import EmbeddedStore
from twingraph.store.solutions import Cell, read_solutions, read_triples

BASE = "http://b.example/"
PREFIXES = {"b": BASE, "xsd": "http://www.w3.org/2001/XMLSchema#"}
QUADS = b"""<http://b.example/a> <http://b.example/p> "one"@zh-Hans <http://b.example/g1> .
<http://b.example/a> <http://b.example/q> <http://b.example/b> <http://b.example/g1> .
<http://b.example/b> <http://b.example/p> "2"^^<http://www.w3.org/2001/XMLSchema#integer> <http://b.example/g2> .
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    directory = tmp_path_factory.mktemp("release")
    (directory / "quads.nq.gz").write_bytes(gzip.compress(QUADS))
    engine = ox.Store(str(directory / "store"))
    engine.bulk_load(QUADS, format=ox.RdfFormat.N_QUADS)
    engine.bulk_load(without_graph_names(QUADS), format=ox.RdfFormat.N_QUADS)
    engine.flush()
    del engine
    return directory


@pytest.fixture(params=[10, 5, 0], ids=["memory", "graphs on disk", "disk"])
def store(request, release):
    held = EmbeddedStore(BASE, PREFIXES, memory_quads=request.param)
    held.load(release, 3)
    return held


def ask(store, text, format_=JSON):
    output = io.BytesIO()
    store.query(read_query(text, PREFIXES, BASE), format_, output)
    return output.getvalue()


def rows(store, text):
    return [[cell and cell.text for cell in row] for row in read_solutions(ask(store, text), Iris(BASE, PREFIXES)).rows]


def test_the_default_graph_is_the_union_of_all_graphs(store):
    assert rows(store, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") == [["3"]]


@pytest.mark.parametrize("dataset", ["", "FROM b:g1 FROM b:g2", "FROM b:g1 FROM b:g2 FROM NAMED b:g1"])
@pytest.mark.parametrize("small", [10, 5, 0])
def test_a_statement_that_two_graphs_hold_is_found_once(tmp_path, dataset, small):
    quads = b"".join(b"<http://b.example/s> <http://b.example/p> 'x' <http://b.example/g%d> .\n" % n for n in (1, 2))
    quads = quads.replace(b"'x'", b'"x"')
    (tmp_path / "quads.nq.gz").write_bytes(gzip.compress(quads))
    engine = ox.Store(str(tmp_path / "store"))
    engine.bulk_load(quads, format=ox.RdfFormat.N_QUADS)
    engine.bulk_load(without_graph_names(quads), format=ox.RdfFormat.N_QUADS)
    engine.flush()
    del engine
    held = EmbeddedStore(BASE, PREFIXES, memory_quads=small)
    held.load(tmp_path, 2)
    assert rows(held, f"SELECT ?s {dataset} {{ ?s ?p ?o }}") == [["b:s"]]
    assert held.health() == 2


def test_graph_tells_which_graph_says_so(store):
    assert rows(store, "SELECT ?g { GRAPH ?g { b:b ?p ?o } }") == [["b:g2"]]


def test_from_narrows_the_default_graph(store):
    assert rows(store, "SELECT (COUNT(*) AS ?n) FROM b:g1 { ?s ?p ?o }") == [["2"]]


def test_from_named_narrows_the_named_graphs_and_empties_the_default_one(store):
    assert rows(store, "SELECT ?g FROM NAMED b:g1 { GRAPH ?g { ?s ?p ?o } }") == [["b:g1"], ["b:g1"]]
    assert rows(store, "SELECT ?s FROM NAMED b:g1 { ?s ?p ?o }") == []


def test_a_graph_outside_the_release_is_refused(store):
    with pytest.raises(QueryError, match="nothing is fetched"):
        ask(store, "SELECT * FROM <http://elsewhere.example/data> { ?s ?p ?o }")


def test_columns_stand_in_the_order_of_the_query(store):
    assert ask(store, "SELECT ?o ?s ?none ?p { ?s ?p ?o } LIMIT 1", CSV).splitlines()[0] == b"o,s,none,p"


@pytest.mark.parametrize("name", [one.name for one in RESULTS])
def test_solutions_come_in_each_format_of_results(store, name):
    assert b"http://b.example/b" in ask(store, "SELECT ?o { b:a b:q ?o }", by_name(name, RESULTS))


@pytest.mark.parametrize("name", [one.name for one in GRAPHS])
def test_a_graph_comes_in_each_format_of_graphs(store, name):
    body = ask(store, "CONSTRUCT WHERE { ?s b:q ?o }", by_name(name, GRAPHS))
    engine_name = {"rdfxml": "rdf", "turtle": "ttl", "ntriples": "nt", "nquads": "nq"}.get(name, name)
    assert len(list(ox.parse(body, format=ox.RdfFormat.from_extension(engine_name)))) == 1


def test_ask_is_answered(store):
    assert json.loads(ask(store, "ASK { b:a b:q b:b }"))["boolean"] is True


@pytest.mark.parametrize(("text", "format_"), [("ASK {}", TURTLE), ("CONSTRUCT {} {}", CSV), ("SELECT * {}", HTML)])
def test_a_format_of_the_other_kind_is_refused(store, text, format_):
    with pytest.raises(QueryError, match="cannot be written as"):
        ask(store, text, format_)


def test_an_answer_that_a_format_cannot_carry_is_refused(store):
    with pytest.raises(QueryError, match="cannot be written as jsonld"):
        ask(store, "CONSTRUCT { b:a b:p <<( b:a b:p 1 )>> } {}", by_name("jsonld", GRAPHS))


@pytest.mark.parametrize(
    ("text", "format_", "words"),
    [
        ("SELECT ('a\\u0001b' AS ?x) {}", "xml", "XML does not allow"),
        ("SELECT ('\\uFFFE' AS ?x) {}", "xml", "XML does not allow"),
        ("CONSTRUCT { b:a b:p 'a\\u001Fb' } {}", "rdfxml", "XML does not allow"),
        ("CONSTRUCT { b:a <http://x.example/1> 1 } {}", "rdfxml", "does not end in an XML name"),
        ("CONSTRUCT { b:a <http://b.example/> b:b } {}", "rdfxml", "does not end in an XML name"),
    ],
)
def test_what_xml_cannot_carry_is_refused_and_comes_in_other_formats(store, text, format_, words):
    with pytest.raises(QueryError, match=words):
        ask(store, text, by_name(format_, (*RESULTS, *GRAPHS)))
    assert ask(store, text, by_name("json" if format_ == "xml" else "jsonld", (*RESULTS, *GRAPHS)))


@pytest.mark.parametrize("format_", ["xml", "rdfxml"])
def test_what_xml_can_carry_is_left_alone(store, format_):
    texts = "'<a: >' , '\\t\\n\\r' , '\u00a0\ufffd\U0001f600' , <http://x.example/p1> , 'x: y'@en , '<a: >'^^<http://x.example/1>"
    if format_ == "xml":
        assert (
            len(ask(store, f"SELECT * {{ VALUES ?x {{ {texts.replace(' , ', ' ')} }} }}", by_name(format_, RESULTS)))
            > 400
        )
    else:
        text = f"CONSTRUCT {{ <http://x.example/1> <http://x.example/p1> {texts} ; <urn:x> 1 }} {{}}"
        body = ask(store, text, by_name(format_, GRAPHS))
        assert len(list(ox.parse(body, format=ox.RdfFormat.RDF_XML))) == 7


@pytest.mark.parametrize("format_", ["xml", "rdfxml"])
def test_a_carriage_return_is_read_as_one(store, format_):
    query = "CONSTRUCT { b:a b:p ?x }" if format_ == "rdfxml" else "SELECT ?x"
    document = ask(store, query + " { BIND('a\\r\\nb' AS ?x) }", by_name(format_, (*RESULTS, *GRAPHS)))
    texts = [element.text for element in ElementTree.fromstring(document).iter() if element.text]
    assert "a\r\nb" in texts


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?x FROM b:g1 { GRAPH b:g1 { VALUES ?x { 1 } } }",
        "SELECT ?x FROM b:g1 FROM NAMED b:g2 { GRAPH b:g1 { BIND(1 AS ?x) } }",
        "SELECT ?x FROM NAMED b:g2 { GRAPH <g1> { b:a b:p* ?x } }",
        "SELECT ?x { GRAPH <http://b.example/none> { SELECT (COUNT(*) AS ?x) { ?s ?p ?o } } }",
        "BASE <http://b.example/none/> SELECT ?x { GRAPH <g1> { BIND(1 AS ?x) } }",
    ],
)
def test_a_graph_that_is_not_in_the_dataset_gives_nothing(store, text):
    assert rows(store, text) == []


def test_a_graph_that_is_in_the_dataset_gives_what_it_gives(store):
    assert rows(store, "SELECT ?x FROM NAMED b:g1 { GRAPH <g1> { VALUES ?x { 1 } } }") == [["1"]]


def test_a_prefix_may_begin_with_any_letter_of_its_own(store):
    text = "PREFIX \u200c: <http://b.example/> SELECT ?o { GRAPH \u200c:g2 { ?s ?p ?o } }"
    assert rows(store, text) == [["2"]]


def test_an_unknown_graph_of_a_dataset_is_an_error_of_its_own(store):
    with pytest.raises(UnknownGraphError):
        ask(store, "ASK FROM b:none {}")


def test_any_column_can_be_sorted(store):
    values = " ".join(f"{number} '{number}z' {number}.5 <{BASE}{number}>" for number in range(100))
    found = rows(store, f"SELECT ?v {{ VALUES ?v {{ {values} UNDEF }} }} ORDER BY ?v")
    assert [row[0] for row in found if row[0] and row[0].isdigit()] == [str(number) for number in range(100)]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("SELECT * {\n ?s nope:p ?o }", 2, 5, "Prefix not found: nope:"),
        ("SELECT * { ?s ?p ?o", 1, 20, "expected"),
        ("SELECT ?s\n{ ?s }", 2, 6, "not expected here"),
        ("SELECT (COUNT(*) AS ?n) ?s { ?s ?p ?o }", None, None, "unbound"),
    ],
)
def test_a_malformed_query_is_an_error_with_its_place(store, text, line, column, words):
    with pytest.raises(QueryError, match=words) as caught:
        ask(store, text)
    assert line is None or caught.value.line == line
    assert column is None or abs(caught.value.column - column) <= 4


@pytest.mark.parametrize(
    "text", ["SELECT * {\n GRAPH ?g { ?s ?p TRUE MINUS { ?s } } }", "ASK {\n FILTER(TRUE && ?s ) ?p ?q }"]
)
def test_the_place_of_a_mistake_is_that_in_the_text_as_it_was_written(store, text):
    with pytest.raises(QueryError) as caught:
        ask(store, text)
    assert caught.value.line == 2
    assert text.splitlines()[1][: caught.value.column].count("}") <= 1


def test_a_query_over_a_dataset_is_rewritten_for_its_graphs(store):
    counts = "SELECT ?g ?n {} {{ GRAPH ?g {{ SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }} }} }}"
    assert sorted(rows(store, counts.format(""))) == [["b:g1", "2"], ["b:g2", "1"]]
    assert rows(store, counts.format("FROM NAMED b:g2")) == [["b:g2", "1"]]
    assert rows(store, counts.format("FROM b:g1")) == []


def test_a_path_of_no_length_is_looked_for_in_the_dataset(store):
    assert rows(store, "SELECT ?o FROM b:g2 { b:a b:p* ?o }") == [["b:a"]]
    assert sorted(rows(store, "SELECT ?o FROM b:g1 { b:a b:q* ?o }")) == [["b:a"], ["b:b"]]
    assert rows(store, "SELECT ?o FROM NAMED b:g1 { b:a b:q* ?o }") == [["b:a"]]


def test_health_is_the_number_of_quads(store):
    assert store.health() == 3


def test_what_cannot_be_loaded_leaves_what_was_held(store, tmp_path):
    (tmp_path / "quads.nq.gz").write_bytes(gzip.compress(b"<a> <b>"))
    with pytest.raises(StoreError):
        store.load(tmp_path, 1)
    assert store.health() == 3


def test_rows_are_read_back_with_short_names_and_canonical_languages(store):
    solutions = read_solutions(ask(store, "SELECT ?o ?none { b:a b:p ?o }"), Iris(BASE, PREFIXES))
    assert solutions.variables == ("o", "none")
    assert solutions.rows == ((Cell("one", language="zh-Hans"), None),)


def test_triples_are_read_back_as_rows(store):
    body = ask(store, "CONSTRUCT WHERE { b:b ?p ?o }", N_TRIPLES)
    assert read_triples(body, Iris(BASE, PREFIXES)).rows == (
        (Cell("b:b", iri=BASE + "b"), Cell("b:p", iri=BASE + "p"), Cell("2", datatype="xsd:integer")),
    )


@pytest.mark.parametrize(
    ("small", "as_union", "is_read"), [(9, True, False), (8, True, True), (3, False, False), (2, False, True)]
)
def test_a_release_is_in_memory_when_all_copies_of_its_quads_fit(tmp_path, small, as_union, is_read):
    (tmp_path / "quads.nq.gz").write_bytes(gzip.compress(QUADS))
    assert reads_store(3, small, as_union=as_union) is is_read
    # There is no store on the disk to be read.
    with pytest.raises(StoreError) if is_read else nullcontext():
        open_release(tmp_path, 3, small, as_union=as_union)


@pytest.mark.parametrize(
    ("text", "names_graphs"),
    [
        ("SELECT * { GRAPH ?g { ?s ?p ?o } }", True),
        ("SELECT * { graph<http://x/> { ?s ?p ?o } }", True),
        ("SELECT * { GRAPH # which\n :g { ?s ?p ?o } }", True),
        ("SELECT * { <http://twingraph.example/graph/x> ?p 'graph' }", False),
    ],
)
def test_only_what_names_graphs_is_asked_of_the_store_that_has_them(text, names_graphs):
    opened = Opened(ox.Store(), ox.Store(), 0)
    assert opened.answering(text) is (opened.named if names_graphs else opened.default)
