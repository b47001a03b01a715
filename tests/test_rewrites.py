"""Rewrites give what the specification says, and leave alone what needs none."""

from collections import Counter
from dataclasses import replace

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from running import growth
from twingraph.sparql.rewrites import DatasetFacts, rewritten
from twingraph.sparql.rewrites.order_by import sort_keys

E = "http://e/"
PREFIX = f"PREFIX : <{E}> "
GRAPHS = (E + "g1", E + "g2", E + "g3")
QUADS = """
:a :p :b :g1 . :a :p :b :g2 . :c :p :b :g2 . :b :q :d :g2 . :d :p :e :g2 . :b :q :a :g1 . :x :r :y :g3 . :a :r "t" :g3
"""


def iri(name):
    return ox.NamedNode(E + name.removeprefix(":"))


def graph_store():
    store = ox.Store()
    for line in QUADS.split(" . "):
        *terms, graph = line.split()
        subject, predicate, object_ = (ox.Literal("t") if term == '"t"' else iri(term) for term in terms)
        store.add(ox.Quad(subject, predicate, object_, iri(graph)))
        store.add(ox.Quad(subject, predicate, object_))
    return store


STORE = graph_store()
EMPTY = ox.Store()


def facts(store, graphs=(), tags=(), **options):
    return DatasetFacts(
        graphs,
        tags,
        ask=lambda text: bool(store.query(text)),
        columns=lambda text: [one.value for one in EMPTY.query(text).variables],
        values=lambda text: [row[0].value for row in store.query(text) if row[0] is not None],
        **options,
    )


DATA = facts(STORE, GRAPHS, ("zh-Hans", "sr-Cyrl-RS"))


def rewrite(query, data=DATA):
    return rewritten(PREFIX + query, data).removeprefix(PREFIX)


def rows(query, **options):
    """Return the bag of rows of a query as it stands, each with its bindings by name."""
    answer = STORE.query(PREFIX + query, **options)
    names = [variable.value for variable in answer.variables]
    return Counter(frozenset((name, row[name]) for name in names if row[name] is not None) for row in answer)


def ask(query):
    answer = STORE.query(PREFIX + rewrite(query))
    if isinstance(answer, ox.QueryBoolean):
        return bool(answer)
    names = [variable.value for variable in answer.variables]
    return sorted(" ".join(text_of(row[name]) for name in names) for row in answer)


def text_of(term):
    return "-" if term is None else term.value.removeprefix(E)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Paths of no length (section 18.4).
        ("SELECT ?o { :z :p* ?o }", ["z"]),
        ("SELECT ?s { ?s :p? :z }", ["z"]),
        ("SELECT ?o { :z (:p*/^:q?) ?o }", ["z"]),
        ("SELECT ?o { :z !:p? ?o }", ["z"]),
        ("SELECT ?o { :z (:p/:q|(:r)*) ?o }", ["z"]),
        ("SELECT ?o { :z :p*/:q ?o }", []),
        ("SELECT ?o { :z !(:p|^:q|a) ?o }", []),
        ("SELECT ?o { :p :q* ?o }", ["p"]),
        ("SELECT ?o { :a :p* ?o }", ["a", "b"]),
        ('SELECT ?o { "text"@en :p* ?o }', ["text"]),
        ("SELECT ?o ?n { -1 :p*|:q ?o ; :p? ?n }", ["-1 -1"]),
        ("SELECT ?o { :z :p* ?o, :y }", []),
        ("SELECT ?o { ?o :p* :z . ?o :p ?x }", []),
        ("SELECT ?o { ?o :p :b OPTIONAL { :z :p* ?o } }", ["a", "c"]),
        ("SELECT ?n { :z :p* _:b BIND(1 AS ?n) }", ["1"]),
        ("SELECT ?x { VALUES ?x { :z :a } FILTER EXISTS { ?x :p* :z } }", ["z"]),
        ("SELECT ?x { VALUES ?x { :z :a } ?x :p* ?o }", ["a", "a"]),
        ("SELECT ?o { GRAPH :g1 { :d :p* ?o } }", ["d"]),
        ("SELECT ?o { GRAPH :g1 { ?s :p ?b } :d :p* ?o }", ["d", "e"]),
        ("SELECT ?g ?o { GRAPH ?g { :d :p* ?o } }", ["g1 d", "g2 d", "g2 e", "g3 d"]),
        ("SELECT ?g ?o { GRAPH ?g { :a :r? ?o } }", ["g1 a", "g2 a", "g3 a", "g3 t"]),
        ("SELECT ?g ?x ?o { GRAPH ?g { :a :p ?x OPTIONAL { :c :p* ?o } } }", ["g1 b c", "g2 b b", "g2 b c"]),
        ("SELECT ?g { GRAPH ?g { :c :p* :c } }", ["g1", "g2", "g3"]),
        # GRAPH with a variable (section 18.6).
        ("SELECT ?g ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s :q ?o } } }", ["g1 1", "g2 1", "g3 0"]),
        ("SELECT ?g ?n { GRAPH ?g { # {\nselect (COUNT(*) AS ?n) { ?s :q ?o } } }", ["g1 1", "g2 1", "g3 0"]),
        ("SELECT ?g ?s { GRAPH ?g { SELECT ?s { ?s :p :b } ORDER BY DESC(?s) LIMIT 1 } }", ["g1 a", "g2 c"]),
        ("SELECT ?g ?s { GRAPH ?g { { SELECT ?s { ?s :p :b } } ?s :r ?o } }", []),
        ("SELECT ?g ?s { GRAPH ?g { ?s :p _:o MINUS { ?x :q _:y } } }", ["g1 a", "g2 a", "g2 c", "g2 d"]),
        ("SELECT ?g ?s { GRAPH ?g { ?s :p ?o MINUS { ?s :p ?x } FILTER(?g = :g1) } }", []),
        ("SELECT ?g ?s { GRAPH ?g { ?s :p ?o MINUS { ?x :q ?y } FILTER(?g = :g1) } }", ["g1 a"]),
        ("SELECT ?g ?x { GRAPH ?g { VALUES ?x { 1 } } }", ["g1 1", "g2 1", "g3 1"]),
        ("SELECT ?g ?t { GRAPH ?g { VALUES (?g ?t) { (UNDEF 1) (:g1 2) } } }", ["g1 1", "g1 2", "g2 1", "g3 1"]),
        ("SELECT ?g ?h { GRAPH ?g { GRAPH ?h { :d ?p ?o } } }", ["g1 g2", "g2 g2", "g3 g2"]),
        ("SELECT ?g ?s { GRAPH ?g { ?s :p ?o OPTIONAL { ?s ?q ?g } } }", []),
        ("SELECT ?g ?n ?a { GRAPH ?g { GRAPH ?h { SELECT (COUNT(*) AS ?n) { _:s :q _:o } } ?a :r :y } }",
         ["g3 0 x", "g3 1 x", "g3 1 x"]),
        ("SELECT ?g { VALUES ?g { :g1 :g3 } FILTER EXISTS { GRAPH ?g { SELECT ?s { ?s :r ?o } } } }", ["g3"]),
        ("SELECT ?g ?n { { SELECT * { GRAPH ?g { SELECT (COUNT(?s) AS ?n) { ?s :r ?o } } } } }",
         ["g1 0", "g2 0", "g3 2"]),
        # Expressions see the graph's name, and nothing else does.
        ("SELECT ?g ?s { GRAPH ?g { ?s :p ?o MINUS { ?x :q ?g } FILTER(?g = ?g) } }", ["g1 a", "g2 a", "g2 c", "g2 d"]),
        ("SELECT ?g ?s { GRAPH ?g { ?s :p ?o MINUS { ?s :q ?y } FILTER(BOUND(?g) && ?g != :g2) } }", ["g1 a"]),
        # A graph that is not in the dataset (section 18.6).
        ("SELECT ?x { GRAPH :none { VALUES ?x { 1 } } }", []),
        ("SELECT ?x { GRAPH<http://e/none>{ BIND(1 AS ?x) } }", []),
        ("SELECT ?n { GRAPH :none { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }", []),
        ("SELECT ?x { GRAPH :none { :z :p* ?x } }", []),
        ("SELECT ?x { graph # {\n:none { ?x :p? :z } }", []),
        ("SELECT ?x ?y { VALUES ?x { 1 } OPTIONAL { GRAPH :none { VALUES ?y { 2 } } } }", ["1 -"]),
        ("SELECT ?x { VALUES ?x { 1 } MINUS { GRAPH :none { VALUES ?x { 1 } } } }", ["1"]),
        ("SELECT ?x { VALUES ?x { 1 } FILTER EXISTS { GRAPH :none { VALUES ?y { 2 } } } }", []),
        ("SELECT ?x { { SELECT ?x { { GRAPH :none { BIND(1 AS ?x) } } UNION { BIND(3 AS ?x) } } } }", ["3"]),
        ("SELECT ?g ?x { GRAPH ?g { { ?x :r :y } UNION { GRAPH :none { VALUES ?x { 3 } } } } }", ["g3 x"]),
        ("SELECT ?o { :z :p* [] BIND(1 AS ?o) }", ["1"]),
        ('SELECT ?o { "x" ^:p* ?o }', ["x"]),
        # Aggregates, booleans, nodes.
        ("SELECT (GROUP_CONCAT(?x) AS ?y) { VALUES ?x { :a 2 'b' 'c'@en } }", ["a 2 b c"]),
        ("SELECT (GROUP_CONCAT(DISTINCT ?x; SEPARATOR=', ') AS ?y) { VALUES ?x { 2 '2' 2 '2'@en :a :a } }", ["2, 2, 2, http://e/a"]),
        ("SELECT (GROUP_CONCAT(DISTINCT ?x + 1) AS ?y) { VALUES ?x { 2 2 } }", ["3"]),
        ("SELECT (COUNT(DISTINCT ?b) AS ?n) { VALUES ?l { 'x' 'x' 1 } BIND(BNODE(?l) AS ?b) }", ["2"]),
        ("SELECT (COUNT(DISTINCT ?b) AS ?n) { VALUES ?l { 1 2 } BIND(BNODE('x') AS ?b) }", ["2"]),
        ("SELECT (COUNT(DISTINCT ?b) AS ?n) { { SELECT (BNODE(STR(?l)) AS ?b) { VALUES ?l { 1 1 } } } }", ["2"]),
        ("SELECT (COUNT(DISTINCT ?b) AS ?n) { { BIND(BNODE('b') AS ?b) } UNION { BIND(BNODE('c') AS ?b) } }", ["2"]),
        ('SELECT (LANG(GROUP_CONCAT(?o)) AS ?l) { VALUES ?o { "1"@en "2"@en } }', [""]),
        ('SELECT (group_concat (DISTINCT ?o ; SEPARATOR = "),(") AS ?l) { VALUES ?o { "1"@en "2"@en } }', ["1),(2"]),
        ('SELECT ?o { VALUES ?o { "1"@en } } GROUP BY ?o HAVING GROUP_CONCAT(?o) ORDER BY GROUP_CONCAT(?o)', ["1"]),
        ("ASK { FILTER(TRUE && !False) }", True),
        ("ASK { VALUES ?x { TRUE true } FILTER(?x = True) }", True),
        # Tags of languages.
        ('SELECT (LANG("x"@zh-Hans) AS ?l) { FILTER(LANG("x"@ZH-hans) = "zh-Hans") }', ["zh-Hans"]),
        ('SELECT ?x { VALUES ?x { "x"@zh-Hans "x"@en } FILTER(LANG(?x) != "zh-Hans") }', ["x"]),
        ('ASK { VALUES ?x { "x"@zh-Hans } FILTER("zh-Hans" = LANG(?x) && LANG(?x) IN ("a", \'zh-Hans\')) }', True),
        ('ASK { VALUES ?x { "x"@zh-Hans } FILTER(lang(?x) NOT IN ("zh-Hans", "en")) }', False),
        ('ASK { VALUES ?x { "x"@zh-Hans } BIND(LANG(?x) AS ?l) FILTER(?l = "zh-Hans") }', True),
        ('ASK { VALUES ?x { "x"@zh-Hans } FILTER(LANG(?x) = CONCAT("zh", "-Hans")) }', True),
        ('ASK { VALUES ?x { "x"@zh-Hans } FILTER(LANG(?x) IN ("zh-Hans", STR(?x))) }', True),
        ('ASK { VALUES ?x { "x"@zh-Hans "y"@zh-hans } FILTER(LANGMATCHES(LANG(?x), "zh-Hans")) }', True),
        ('SELECT ?l { VALUES ?x { "x"@sr-Cyrl-RS "y"@zh-Hant } } GROUP BY (LANG(?x) AS ?l)', ["sr-Cyrl-RS", "zh-hant"]),
        ('SELECT ?x { VALUES ?x { "x"@en "y"@zh-Hans } } ORDER BY LANG(?x)LANG(?x)', ["x", "y"]),
    ],
)  # fmt: skip
def test_the_engine_answers_as_the_specification_says(query, expected):
    assert ask(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?o { :a :p* ?o ; :p+ ?x . FILTER(?o != true) }",
        "SELECT ?s { GRAPH ?g { ?s :p ?o FILTER NOT EXISTS { ?s :q ?x } OPTIONAL { ?s :q ?z } } }",
        "SELECT ?s { GRAPH ?g { ?s :p ?o FILTER(?g = :g1) VALUES ?g { :g1 :g2 } } }",
        "SELECT ?s { GRAPH ?g { { ?s :p ?o } UNION { ?s :q ?g } } GRAPH :g1 { SELECT ?s { ?s ?p ?o } } }",
        'SELECT ?s { ?s :p "GRAPH ?g { SELECT TRUE }" } # :z :p* ?o',
        'SELECT ?s { ?s :p """} GRAPH ?g { MINUS { LANG(?x) = "zh-Hans" """ } # BNODE(?x) TRUE',
        "SELECT ?s { ?s <http://x/#TRUE*> ?o . ?o :TRUE ?TRUE ; :lang $lang ; :a\\* _:FALSE }",
        "SELECT ?s { VALUES ?x { :z :p :a } ?s ?p [ :p* ?x ] , ( :z ) }",
        "SELECT (COUNT(*) AS ?n) (?x * ?y AS ?z) { ?x :p ?y } GROUP BY ?x ?y HAVING(?x * 2 > 1)",
        # A blank node that joins more than one pattern is not a term of its own.
        "SELECT ?s { :z :p* _:b . _:b :q ?s }",
        "SELECT ?s { _:b :p* :z ; :q ?s }",
        "SELECT ?s { _:b :q ?s . GRAPH ?g { _:b :p ?x MINUS { ?y :q ?s } } }",
        # Only where a solution is plainly one of the pattern.
        "SELECT (BNODE() AS ?b) { ?s :p ?o }",
        "SELECT (BNODE(?t) AS ?b) { ?s :p ?t BIND(BNODE(?t) AS ?c) }",
        "SELECT (BNODE(STR(?t)) AS ?b) (BNODE(?t) AS ?c) { ?s :p ?t }",
        "SELECT (BNODE(?t) AS ?b) { { SELECT ?t { ?s :p ?t } } FILTER(isBlank(BNODE(?t))) }",
        'SELECT ?x { FILTER(LANG(?x) = "en" && LCASE(LANG(?x)) = ?y && LANGMATCHES(LANG(?x), "ZH") || "@" IN ("EN")) }',
        'CONSTRUCT { ?s :p "TRUE" } WHERE { ?s :p ?o }',
        "SELECT ?s { ?s :p 'unfinished }",
        "SELECT ?s { GRAPH ?g { SELECT ?s { ?s :p ?o }",
        "SELECT ?s { GRAPH ?g { SELECT ?s { ?s :p ( ?o } } }",
        "DESCRIBE :a",
        "",
        "}",
    ],
)
def test_other_queries_stay_as_they_are(query):
    assert rewrite(query) == query


@pytest.mark.parametrize(
    "query", ["SELECT ?o { nope:z :p* ?o }", "SELECT ?o { GRAPH nope:g { :z :p* ?o } FILTER(TRUE) }"]
)
def test_what_is_no_query_stays_as_it_is(query):
    assert rewrite(query) == query


def test_without_graphs_a_group_gives_nothing_and_names_its_columns():
    text = rewrite(
        "SELECT * { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }", replace(facts(STORE), columns=lambda _: "gn")
    )
    answer = STORE.query(PREFIX + text)
    assert (list(answer), [one.value for one in answer.variables]) == ([], ["g", "n"])


def test_a_group_is_not_copied_too_often():
    query = "SELECT ?g { GRAPH ?g { SELECT ?s { ?s ?p ?o } } }"
    many = facts(STORE, tuple(f"{E}g{number}" for number in range(300)))
    assert rewrite(query, many) == query
    deep = "SELECT ?s { " + "GRAPH ?g { SELECT ?s { " * 12 + "?s ?p ?o" + " } }" * 12 + " }"
    assert len(rewrite(deep)) < 1 << 19


@pytest.mark.parametrize(("groups", "copies"), [(2, 156), (3, 0), (4, 0)])
def test_groups_within_one_another_are_copied_a_bounded_number_of_times(groups, copies):
    twelve = facts(STORE, tuple(f"{E}g{number:02}" for number in range(12)))
    inner = "".join(f"GRAPH ?g{n} {{ ?a{n} :p ?b MINUS {{ ?a{n} :q ?b }} " for n in range(groups)) + "}" * groups
    assert rewrite(f"SELECT ?b {{ {inner} }}", twelve).count("GRAPH <") == copies


def test_groups_beside_one_another_are_copied_a_bounded_number_of_times():
    twelve = facts(STORE, tuple(f"{E}g{number:02}" for number in range(12)))
    beside = " ".join(f"GRAPH ?g{n} {{ ?a{n} :p ?b MINUS {{ ?a{n} :q ?b }} }}" for n in range(32))
    text = f"SELECT ?b {{ {beside} {beside} }}"
    assert rewrite(text, twelve) == text


def test_what_would_become_too_deep_stays_as_it_is():
    calls = "".join(f"LCASE(CONCAT(LANG(?x), {n}, " for n in range(185)) + "1" + "))" * 185
    text = f"SELECT ?x {{ ?x :p ?y FILTER({calls} = 1) }}"
    many = facts(STORE, (), tuple(f"zh-Hans-{letter}X" for letter in "ABCDEFGHIJKLMNOP"))
    assert rewrite(text, many) == text
    assert rewrite(text) != text


def test_the_graphs_are_those_of_the_dataset():
    query = "SELECT ?g ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }"
    text = rewrite(query, facts(STORE, (E + "g1",)))
    assert rows(text, named_graphs=[iri("g1")], default_graph=[]).total() == 1


def test_a_node_is_the_same_within_a_solution_and_another_in_each():
    query = 'SELECT (BNODE(?x) AS ?a) (BNODE(?y) AS ?b) { VALUES (?x ?y) { ("t u" "t u") ("t u" "v") (1 "v"@en) } }'
    same, other, none = STORE.query(PREFIX + rewrite(query))
    assert same["a"] == same["b"]
    assert len({same["a"], other["a"], other["b"]}) == 3
    assert (none["a"], none["b"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT * { ?s ?p ?o }", "s p o"),
        ("SELECT*{ ?s ?p ?o }", "s p o"),
        ("select distinct * { $s ?p ?o } ORDER BY ?o", "s p o"),
        ("SELECT REDUCED * # ?o\n { ?s ?p ?o }", "s p o"),
        ('SELECT * { BIND("?a" AS ?z) ?s <http://x/?p> ?b }', "z s b"),
        ("SELECT * { ?z :p ?a MINUS { ?hidden :p ?a } FILTER NOT EXISTS { ?away :p ?z } }", "z a"),
        ("SELECT * { { SELECT ?o (COUNT(?s) AS ?n) { ?s :p ?o } GROUP BY ?o } ?o :q ?b }", "o n b"),
        ("SELECT * { { SELECT * { ?z :p ?y } } ?y :q ?b } VALUES ?a { 1 }", "z y b a"),
        ("SELECT * { GRAPH ?z { ?y :p ?b MINUS { ?m :q ?n } } }", "z y b"),
        ("SELECT * { ?z :p* :nowhere OPTIONAL { ?y :p ?z } } LIMIT 1", "z y"),
        ("SELECT * { FILTER(TRUE) ?ä·b :p ?a }", "ä·b a"),
        ("SELECT (1 * 2 AS ?o) ?a { { SELECT * { ?s ?p ?a } } }", "o a"),
        ("SELECT * {}", ""),
    ],
)
def test_columns_stand_in_the_order_in_which_the_query_names_them(query, columns):
    answer = STORE.query(PREFIX + rewrite(query))
    assert " ".join(variable.value for variable in answer.variables) == columns


@pytest.mark.parametrize(
    "text",  # of a size: at 1000 some are the longest that are read
    [
        lambda n: "SELECT * { " + "GRAPH ?g { SELECT " * 50 * n,
        lambda n: "SELECT * { " + "GRAPH ?g { MINUS { VALUES ?g { " * 30 * n + "}" * 90 * n,
        lambda n: "SELECT * { " + ":z :p* ?o . " * 80 * n + "}",
        lambda n: "SELECT * { :z " + "(" * 900 * n,
        lambda n: "SELECT * { :z " + "(:p|" * 200 * n + ":p" + ")*" * 200 * n + " ?o }",
        lambda n: "SELECT * { :z :p* " + ":y , " * 180 * n + ":y }",
        lambda n: "SELECT * { FILTER(" + "LANG(" * 180 * n + ")" * 180 * n,
        lambda n: "SELECT * { FILTER(LANG(?x) IN (" + '"EN", ' * 140 * n + '"EN")) }',
        lambda n: "SELECT " + "GROUP_CONCAT( " * 70 * n,
        lambda n: "SELECT " + "BNODE( ?x " * 90 * n,
        lambda n: "SELECT " + "(BNODE(?x) AS ?y) " * 50 * n + "{}",
        lambda n: "SELECT * { " + "TRUE " * 190 * n,
        lambda n: "SELECT * { " + "?a ? * " * 140 * n,
        lambda n: "* " + " \n" * 490 * n,
        lambda n: "graph " + " " * 990 * n,
        lambda n: "lang " * 190 * n,
        lambda n: "SELECT ?a { ?a ?b ?c } ORDER BY " + "?a " * 300 * n,
        lambda n: "ORDER BY " * 110 * n,
        lambda n: "SELECT ?a { " + "?b :p ?a . " * 80 * n + "} ORDER BY ?a",
        lambda n: "SELECT ?a { " + "".join(f"?b :p{number} ?a . " for number in range(50 * n)) + "} ORDER BY ?a",
    ],
)
def test_hostile_text_is_read_in_linear_time(text):
    assert growth(lambda n: rewritten(text(n), DATA), 12, 48) < 10


# Patterns without the variable of the graph, whose answer graph by graph the engine gives rightly when it is asked so.
TERMS = st.sampled_from([":a", ":b", ":c", ":d", ":x", ":z", "?s", "?o", "?u"])
PATHS = st.sampled_from([":p", ":q", ":r", "?v"])
TRIPLES = st.builds("{} {} {} .".format, TERMS, PATHS, TERMS)
SIMPLE = st.one_of(
    TRIPLES,
    st.sampled_from(
        ["VALUES ?s { :a :c }", "VALUES (?o ?u) { (:b UNDEF) (UNDEF :z) }", "FILTER(BOUND(?s))", "FILTER(?s != :a)"]
    ),
)


def groups(inner):
    group = st.lists(inner, min_size=1, max_size=3).map(" ".join)
    return st.one_of(
        group,
        st.builds("{{ {} }} UNION {{ {} }}".format, group, group),
        st.builds("{{ {} }}".format, group),
        st.builds("OPTIONAL {{ {} }}".format, group),
        st.builds("MINUS {{ {} }}".format, group),
        st.builds("FILTER EXISTS {{ {} }}".format, group),
        st.builds("FILTER NOT EXISTS {{ {} }}".format, group),
        st.builds("{{ SELECT ?s {{ {} }} }}".format, group),
        st.builds("{{ SELECT (COUNT(*) AS ?n) {{ {} }} }}".format, group),
        st.builds("{{ SELECT DISTINCT ?o {{ {} }} }}".format, group),
    )


PATTERNS = st.lists(st.recursive(SIMPLE, groups, max_leaves=6), min_size=1, max_size=3).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(PATTERNS)
def test_a_group_in_a_graph_is_answered_graph_by_graph(pattern):
    text = f"SELECT * {{ GRAPH ?g {{ {pattern} }} }}"
    expected = Counter()
    for graph in GRAPHS:
        named = frozenset({("g", ox.NamedNode(graph))})
        own = rows(f"SELECT * {{ {pattern} }}", default_graph=[ox.NamedNode(graph)])
        expected.update(Counter({row | named: number for row, number in own.items()}))
    assert rows(rewrite(text)) == expected, rewrite(text)


ELEMENTS = st.recursive(
    st.sampled_from([":p", ":q", ":r", "^:p", "a"]),
    lambda inner: st.one_of(
        st.builds("({})*".format, inner),
        st.builds("({})?".format, inner),
        st.builds("({})+".format, inner),
        st.builds("^({})".format, inner),
        st.builds("({}/{})".format, inner, inner),
        st.builds("({}|{})".format, inner, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(
    ELEMENTS,
    st.sampled_from([":a", ":d", ":z"]),
    st.sampled_from(["", "GRAPH :g1", "GRAPH :g2"]),
    st.sampled_from(["{term} {path} ?o", "?o {path} {term}"]),
)
def test_a_path_is_as_if_its_ends_were_in_the_graph(path, term, graph, form):
    triple = form.format(term=term, path=path)
    # The same graph with one statement more, of which the path knows nothing, so that the term is in it.
    store = ox.Store()
    name = iri(graph.removeprefix("GRAPH ")) if graph else ox.DefaultGraph()
    store.extend(ox.Quad(q.subject, q.predicate, q.object) for q in STORE.quads_for_pattern(None, None, None, name))
    if iri(term) not in {end for quad in store for end in (quad.subject, quad.object)}:
        store.add(ox.Quad(iri(term), iri("other"), ox.BlankNode("end")))
    expected = {row["o"] for row in store.query(f"{PREFIX} SELECT ?o {{ {triple} }}")} - {ox.BlankNode("end")}
    found = STORE.query(PREFIX + rewrite(f"SELECT ?o {{ {graph} {{ {triple} }} }}"))
    assert {row["o"] for row in found} == expected


MIXED = ox.Store()
MIXED.update(
    f"PREFIX : <{E}> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> INSERT DATA {{"
    " :a :name 'b', 'c'@en, :iri ; :number 2, 3.5 ; :mixed 'x', 1 ; :numbers 1, 1e0 ; :doubles 1e0, 2e0 ."
    " :a :date '2001-01-01'^^xsd:date, '2002-01-01'^^xsd:date ; :zones '2001-01-01'^^xsd:date, '2001-01-01Z'^^xsd:date"
    " ; :times '10:00:00'^^xsd:time, '2001-01-01'^^xsd:date ; :ill 'x'^^xsd:date, '2001-01-01'^^xsd:date"
    " ; :lasts 'P1M'^^xsd:duration, 'P2D'^^xsd:duration ; :days 'P3D'^^xsd:duration, 'PT9H'^^xsd:dayTimeDuration }"
)
MIXED_DATA = facts(MIXED)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("{ ?s ?p ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s ?p ?o } ORDER BY ?s ?o LIMIT 1", "?s * ?o LIMIT 1"),
        ("{ ?s :numbers ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :doubles ?o } ORDER BY ?o", "?o"),
        ("{ ?s :date ?o } ORDER BY ?o", "?o"),
        ("{ ?s :zones ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :times ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :ill ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :lasts ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :days ?o } ORDER BY ?o", "?o"),
        ("{ ?s :date ?o ; :doubles ?x } ORDER BY ?o ?x", "?o ?x"),
        ("{ { ?s :date ?o } UNION { ?s :doubles ?o } } ORDER BY ?o", "* ?o"),
        ("{ VALUES ?o { 1 2e0 } } ORDER BY ?o", "* ?o"),
        ("{ ?s :mixed ?o } ORDER BY DESC(?o)", "* DESC(?o)"),
        ("{ ?s :name ?o } ORDER BY DESC(?o) ?s", "DESC(?o) ?s"),
        ("{ ?s a ?c ; :number ?o } ORDER BY (?o) ?c", "(?o) ?c"),
        ("{ { ?s :name ?o } UNION { ?s :number ?o } } ORDER BY ASC(?o)", "* ASC(?o)"),
        ("{ ?s :name/:number ?o FILTER(?o > 1 && STR(?o) != '') } ORDER BY ?o", "?o"),
        ("{ ?s :name|:number ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :number* ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s ^:mixed ?o } ORDER BY ?o", "?o"),
        ("{ ?s :name ?x , ?o } ORDER BY ?o", "* ?o"),
        ("{ ?s :name ( ?o ) } ORDER BY ?o", "* ?o"),
        ("{ ?s a ( ?o ) } ORDER BY ?o", "* ?o"),
        ("{ VALUES ?o { :a UNDEF } FILTER(isIRI(?o)) ?o ?p ?x } ORDER BY ?o", "?o"),
        ("{ VALUES ?o { 1 2.5 } } ORDER BY ?o", "?o"),
        ("{ FILTER :f(?s) ?o ?p ?x } ORDER BY ?o", "* ?o"),
        ("{ VALUES ?o { 1 'a' } } ORDER BY ?o", "* ?o"),
        ("{ VALUES (?o ?s) { (1 'a') } } ORDER BY ?o", "* ?o"),
        ("{ ?s :mixed ?x BIND(STR(?x) AS ?o) } ORDER BY ?o STR(?x)", "?o STR(?x)"),
        ("{ ?s :mixed ?x BIND(?x AS ?o) } ORDER BY ?o", "* ?o"),
        ("{ ?s :mixed ?x BIND(COALESCE(?x, 1) AS ?o) } ORDER BY ?o", "* ?o"),
        ("(COUNT(?x) AS ?n) { ?s :mixed ?x } GROUP BY ?s ORDER BY DESC(?n) COUNT(?x)", "DESC(?n) COUNT(?x)"),
        ("{ ?s :mixed ?o } ORDER BY RAND() (EXISTS { ?s :name ?o })", "RAND() (EXISTS { ?s :name ?o })"),
        ("{ ?s :mixed ?o } ORDER BY COALESCE(?o, 1)", "* COALESCE(?o, 1)"),
        ("{ { SELECT ?o { ?s :mixed ?o } ORDER BY ?o LIMIT 1 } }", "* ?o LIMIT 1 } }"),
        ("{ ?s :none ?o . ?o :mixed 1 } ORDER BY ?o", "?o"),
        ("{ ?s :name 'ORDER BY ?o' } # ORDER BY ?o", "?o"),
    ],
)
def test_a_column_is_sorted_by_classes_where_it_may_have_several(query, order):
    text = rewrite(f"SELECT ?s {query}", MIXED_DATA)
    for direction, term in (("", "?o"), ("DESC", "?o"), ("", "(COALESCE(?o, 1))")):
        text = text.replace(" ".join(f"{direction}({key})" for key in sort_keys(term)), "*")
    assert " ".join(text.rpartition("ORDER BY ")[2].split()) == order


NUMBERS = st.one_of(st.integers(-99, 999), st.floats(-9, 99, allow_nan=False), st.sampled_from(["1.50", "07"]))
TEXTS = st.sampled_from(["", "1z", "20x", "9", "NaN", "a", "é", "2001-01-01"])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.one_of(NUMBERS.map(ox.Literal), TEXTS.map(ox.Literal)), max_size=60), st.sampled_from(["ASC", "DESC"])
)
def test_numbers_are_in_order_and_so_are_texts(values, direction):
    store = ox.Store()
    store.extend(ox.Quad(iri(str(number)), iri("p"), value) for number, value in enumerate(values))
    data = facts(store)
    text = rewritten(f"SELECT ?o {{ ?s ?p ?o }} ORDER BY {direction}(?o)", data)
    found = [row["o"] for row in store.query(text)]
    kinds = {True: [], False: []}
    for value in found:
        kinds[value.datatype.value.endswith(("integer", "double"))].append(value.value)
    numbers, texts = [float(value) for value in kinds[True]], kinds[False]
    assert len(found) == len(values)
    assert numbers == sorted(numbers, reverse=direction == "DESC")
    assert texts == sorted(texts, reverse=direction == "DESC")


def test_a_property_with_many_values_is_not_searched_through():
    store = ox.Store()
    store.bulk_extend(ox.Quad(iri(str(number)), iri("p"), ox.Literal(number)) for number in range(10_001))
    data = facts(store)
    query = f"PREFIX : <{E}> SELECT ?o {{ ?s :p ?o }} ORDER BY ?o"
    assert "isNumeric" in rewritten(query, data)
    assert list(data.known.values()) == ["any"]
