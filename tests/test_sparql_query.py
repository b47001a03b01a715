"""What the text of a query gives away before any engine sees it."""

from dataclasses import replace

import pytest

from twingraph.errors import FederationRefusedError, QueryError, QueryTooLongError
from twingraph.sparql.query import QueryForm, read_query, with_prefixes
from twingraph.sparql.tokens import MAX_TOKENS

PREFIXES = {"g": "http://g.example/", "service": "http://s.example/", "": "http://e.example/"}
BASE = "http://base.example/"


def read(text):
    return read_query(text, PREFIXES, BASE)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("SELECT * {}", QueryForm.SELECT),
        ("PREFIX ask: <http://x/> select ?x { ?x a ask:construct }", QueryForm.SELECT),
        ("# CONSTRUCT\nask{}", QueryForm.ASK),
        ("BASE <http://select/> Describe <x>", QueryForm.DESCRIBE),
        ("CONSTRUCT WHERE { ?s ?p 'SELECT' }", QueryForm.CONSTRUCT),
    ],
)
def test_the_form_is_the_first_keyword_that_is_one(text, form):
    assert read(text).form is form


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p ?o }",
        "PREFIX g: <http://x/#y>\n# ASK\nBASE <http://z/>\nPREFIX : <a>\nconstruct WHERE { :s g:p ?o }",
        "ask { ?s <http://x/#it> 'it' . FILTER(?a < ?b && ?c > 'd') }",
        "DESCRIBE<x>",
        'SELECT?x { ?x ?y "a\\"b\'c\'" }',
        "prefix select: <http://x/> DESCRIBE select:x",
    ],
)
def test_a_query_is_read_alike_whether_it_needs_its_tokens_or_not(text):
    assert read(f"{text}\n# FROM") == replace(read(text), text=f"{text}\n# FROM")


@pytest.mark.parametrize("text", ["", "INSERT DATA {}", "# SELECT", "'SELECT'", "?select"])
def test_what_has_no_form_is_no_query(text):
    with pytest.raises(QueryError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://x/> { ?s ?p ?o } }",
        "SELECT * { service ?x { ?s ?p ?o } }",
        "SELECT * { SeRvIcE SILENT g:x { ?s ?p ?o } }",
        "SELECT * { SERVICE#comment\n<http://x/> { ?s ?p ?o } }",
        "SELECT * { SERVICE:x { ?s ?p ?o } }",
        "SELECT * { SERVICESILENT<http://x/>{ ?s ?p ?o } }",
        "SELECT * { SERVICESILENT:x{ ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE:x{ ?s ?p ?o } }",
        "SELECT * { ?s ?p 1SERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p 1.SERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p 1e1SERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { FILTER EXISTS { SERVICE <http://x/> { ?s ?p ?o } } }",
        "SELECT * { { SELECT * { SERVICE <http://x/> { ?s ?p ?o } } } }",
        "SELECT * { ?s ?p 'a\\'' . SERVICE <http://x/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p '''it''s''' . SERVICE <http://x/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p '' SERVICE <http://x/> { ?s ?p ?o } }",
    ],
)
def test_service_is_refused_however_it_is_written(text):
    with pytest.raises(QueryError, match="SERVICE is refused") as caught:
        read(text)
    assert caught.value.line is not None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?service $SERVICE 'SERVICE' }",
        'SELECT * { ?s ?p """SERVICE <x> {}""" } # SERVICE <x> {}',
        "SELECT * { ?s service:name <http://x/SERVICE> ; :service ?o }",
        "SELECT * { GRAPH service:name { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o FILTER(?a < ?b && 'c' > 'd') }",
        "SELECT * { ?s ?p 'it\\'s' , \"'\" , '' }",
        "SELECT * { ?s <#p> ?o . ?s <http://x/#it's> ?o }",
    ],
)
def test_service_as_a_name_or_in_a_text_is_nothing_to_refuse(text):
    assert read(text).form is QueryForm.SELECT


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { FILTER(?a<?b&&'c>d'!='') SERVICE <http://x/> { ?s ?p ?o } FILTER('e'!='') }",
        "SELECT * { FILTER(?a<#c>'''\n?b) SERVICE <http://x/> { ?s ?p ?o } #'''\n}",
        "SELECT * { FILTER(?a<(?b)&&?c>?d) }",
        "SELECT * { FILTER (?x<?a&&?b>?y) }",
        "SELECT * { FILTER (1<?a&&?b>?y) }",
    ],
)
def test_what_may_be_an_iri_or_a_comparison_is_refused(text):
    with pytest.raises(QueryError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { FILTER(?x < ?a && ?b > ?y) }",
        "SELECT * { FILTER(?x <?a && ?b> ?y) }",
        "SELECT * { FILTER(?x<?a && ?b>?y) }",
        "SELECT * { FILTER(?x<?a&& ?b>?y) }",
        "SELECT * { FILTER(?x<?a||?b>?y) }",
        "SELECT * { FILTER(?x = <a?b&&c>) }",
        "SELECT * { FILTER(?x IN (?y, <a?b&&c>)) }",
        "SELECT * { ?s <a?b&&c> ?o }",
        "SELECT * { ?s ?p (?o <http://x/?a&&b>) }",
        "SELECT * { FILTER(?x > '<?a&&?b>') }",
    ],
)
def test_what_is_an_iri_or_a_comparison_for_sure_is_let_through(text):
    assert read(text).text == text


def test_a_federated_query_is_let_through_where_it_is_wanted():
    assert read_query("SELECT * { SERVICE <http://x/> {} }", {}, BASE, federated=True).form is QueryForm.SELECT


def test_a_string_that_does_not_end_is_refused_with_its_place():
    with pytest.raises(QueryError) as caught:
        read("SELECT * {\n  ?s ?p 'abc }")
    assert (caught.value.line, caught.value.column) == (2, 9)


@pytest.mark.parametrize(
    ("text", "default", "named"),
    [
        ("SELECT * {}", None, None),
        ("SELECT * FROM <x> {}", ("http://base.example/x",), ()),
        ("SELECT * FROM NAMED g:x {}", (), ("http://g.example/x",)),
        ("SELECT * FROMNAMED<http://x/> FROM :y {}", ("http://e.example/y",), ("http://x/",)),
        ("BASE <http://b/> PREFIX g: <h/> ASK FROM g:x FROM <y> {}", ("http://b/h/x", "http://b/y"), ()),
        ("SELECT ?from { ?from ?p 'FROM <x>' } # FROM <y>", None, None),
    ],
)
def test_the_dataset_is_that_of_the_from_clauses(text, default, named):
    query = read(text)
    assert (query.default_graphs, query.named_graphs) == (default, named)


@pytest.mark.parametrize("text", ["SELECT * FROM nope:x {}", "SELECT * FROM {}"])
def test_a_graph_that_cannot_be_named_is_an_error(text):
    with pytest.raises(QueryError):
        read(text)


def test_prefixes_are_declared_when_they_are_used_and_not_declared_already():
    text = "PREFIX a: <http://a/> SELECT * { ?x a:b g:c } # service:x"
    assert with_prefixes(text, PREFIXES) == f"PREFIX g: <http://g.example/>\n{text}"


@pytest.mark.parametrize(
    "text", ["a.a" * 300_000, "'''" + "\\'''\n" * 200_000, "\\'" * 500_000, "<a" * 400_000, "a:b.c" * 200_000]
)
def test_hostile_text_is_read_in_linear_time(text):
    # Quadratic time would be hours here; the test's own limit is that it ends.
    with pytest.raises((QueryError, QueryTooLongError)):
        read(text)


@pytest.mark.parametrize("piece", ["{", "(", ".", "*", "<", "?a ", "a:b ", "'' ", "<a:a> ", "a\\u0041 "])
def test_a_query_has_so_many_tokens_at_most(piece):
    with pytest.raises(QueryTooLongError, match="250000 tokens"):
        read(piece * (MAX_TOKENS + 1))


NESTED = [
    ("{", "}"),
    ("FILTER(" + "(", ")"),
    ("FILTER(STR(", ")"),
    ("FILTER NOT EXISTS { ", "}"),
    ("{ SELECT * {", "} }"),
    ("?s ?p [ :p ", "]"),
    ("?s ?p (", ")"),
    ("?s (", ")* ?o ."),
    ("OPTIONAL {", "}"),
]


@pytest.mark.parametrize(("opening", "closing"), NESTED)
def test_a_query_that_nests_too_deeply_is_refused_where_it_does(opening, closing):
    with pytest.raises(QueryError, match="nests too deeply") as caught:
        read("SELECT * {\n" + opening * 1000 + closing * 1000 + "}")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("begin", "piece", "end"),
    [
        ("SELECT * { FILTER(1", " + 1", ")}"),
        ("SELECT * { FILTER(?x", " || ?x", ")}"),
        ("SELECT * { FILTER(", "!", "true)}"),
        ("SELECT * { ?s :p", "/:p", " ?o }"),
        ("SELECT * { ?s :p", "|:p", " ?o }"),
        ("SELECT * {", " OPTIONAL { ?s ?p ?o }", "}"),
        ("SELECT * {", " MINUS { ?s ?p ?o }", "}"),
        ("SELECT * { {}", " UNION {}", "}"),
        ("SELECT * {", " BIND(1 AS ?x)", "}"),
        ("SELECT * {", " FILTER(1)", "}"),
        ("SELECT", " (1 AS ?x)", " {}"),
        ("SELECT * {", " { ?s ?p ?o }", "}"),
    ],
)
def test_a_chain_is_as_deep_as_it_is_long(begin, piece, end):
    read(begin + piece * 100 + end)
    with pytest.raises(QueryError, match="nests too deeply"):
        read(begin + piece * 5000 + end)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { VALUES ?x { " + "-1 " * 20_000 + "} }",
        "SELECT * { VALUES (?x ?y) { " + "(-1 +2) " * 10_000 + "} }",
        "SELECT * { " + "?s ?p -1 , +2 ; <a-b/c> ?x . " * 5_000 + "}",
        "SELECT * { FILTER(?x IN (" + "-1, " * 20_000 + "1)) }",
        "SELECT * { FILTER(CONCAT(" + "'a+b', " * 20_000 + "'')) }",
    ],
)
def test_data_and_lists_do_not_nest(text):
    assert read(text).form is QueryForm.SELECT


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\\u0053ELECT * {}", "SELECT * {}"),
        ("SELECT * { ?s :caf\\u00E9 ?\\u0061b }", "SELECT * { ?s :café ?ab }"),
        ("ASK { ?s \\U00000061 '\\u0027' }", "ASK { ?s a '\\u0027' }"),
        ("ASK { ?s <http://x/#\\u00E9> 1 }", "ASK { ?s <http://x/#\\u00E9> 1 }"),
        ("ASK { ?s a \\u0027x\\u0027 } # \\u0061", "ASK { ?s a \\u0027x\\u0027 } # \\u0061"),
        ("ASK { ?s a \\UFFFFFFFF , \\u12 }", "ASK { ?s a \\UFFFFFFFF , \\u12 }"),
    ],
)
def test_names_and_keywords_may_have_code_point_escapes(text, plain):
    assert read(text).text == plain


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { \\u0053ERVICE <http://x/> { ?s ?p ?o } }",
        "SELECT * { SERV\\U00000049CE <http://x/> { ?s ?p ?o } }",
        # An escape within an IRI does not make a comment of what follows its fragment.
        "SELECT * { ?s ?p <http://x/#\\u0041> . SERVICE <http://x/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p <http://x/\\U00000041'> . SERVICE <http://x/> { ?s ?p 'o' } }",
    ],
)
def test_service_is_refused_beside_escapes(text):
    with pytest.raises(FederationRefusedError):
        read(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("SELECT * FROM <http://[> {}", 15),
        ("BASE <//[> SELECT * FROM <x> {}", 6),
        ("PREFIX a: <//[> ASK FROM a:b {}", 11),
    ],
)
def test_what_is_no_iri_is_named_with_its_place(text, column):
    with pytest.raises(QueryError, match="is not an IRI") as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (1, column)


@pytest.mark.parametrize(
    ("text", "graph"),
    [
        ("PREFIX h: <http://x/g#> ASK FROM h:a {}", "http://x/g#a"),
        ("ASK FROM g:a\\,b {}", "http://g.example/a,b"),
        ("ASK FROM <http://x/\\u0061> {}", "http://x/a"),
    ],
)
def test_the_iri_of_a_graph_is_as_the_engine_reads_it(text, graph):
    assert read(text).default_graphs == (graph,)


@pytest.mark.parametrize("escape", [r"\uD800", r"\uDFFF", r"\UFFFFFFFF", r"\U0000DABC"])
def test_an_escape_that_is_no_character_is_left_as_it_is(escape):
    query = read_query(f"SELECT * FROM <http://x.example/{escape}> {{ }}", {}, "http://x.example/")
    assert query.default_graphs == (f"http://x.example/{escape}",)
