"""Statements as lines: what is kept comes back as it was, from memory and from files."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twingraph.rdf.nquads import NQuads, NQuadsWriter, by_blank_nodes, labelled, terms, without_graph_names

IRIS = st.from_regex(r"http://x\.example/[a-zé0-9/~_-]{0,8}(#[a-z]{0,4})?", fullmatch=True).map(ox.NamedNode)
BLANKS = st.from_regex(r"b[0-9]{1,3}", fullmatch=True).map(ox.BlankNode)
# What might be taken for the end of a literal, of a line or for a graph.
BAIT = st.sampled_from(
    ['"', " <http://g/> .", " <http://g/>", " _:b", "\n", "\r", "\u2028", "_:b .", '"^^<http://d/>', "\\", '"@en', " "]
)
TEXTS = st.lists(BAIT | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=4).map("".join)
LITERALS = st.one_of(
    TEXTS.map(ox.Literal),
    st.tuples(TEXTS, st.sampled_from(["en", "zh-hans"])).map(lambda pair: ox.Literal(pair[0], language=pair[1])),
    st.tuples(TEXTS, IRIS).map(lambda pair: ox.Literal(pair[0], datatype=pair[1])),
)
QUOTED = st.builds(ox.Triple, IRIS, IRIS, st.one_of(IRIS, BLANKS, LITERALS))
OBJECTS = st.one_of(IRIS, BLANKS, LITERALS, QUOTED)
GRAPHS = st.one_of(IRIS, BLANKS, st.just(ox.DefaultGraph()))
QUADS = st.lists(st.builds(ox.Quad, st.one_of(IRIS, BLANKS), IRIS, OBJECTS, GRAPHS), max_size=8)
A, P = ox.NamedNode("http://x.example/a"), ox.NamedNode("http://x.example/p")


def triples(count):
    return [ox.Triple(A, P, ox.Literal(str(number))) for number in range(count)]


def broken(quads):
    yield from quads
    raise SyntaxError("broken")


@given(QUADS)
def test_lines_give_the_quads_back_in_their_order_with_repetitions(quads):
    lines = NQuads.of(quads * 2)
    assert list(lines) == quads * 2
    assert len(lines) == 2 * len(quads)


@given(QUADS)
def test_rows_are_the_terms_of_the_quads(quads):
    rows = [row for rows in NQuads.of(quads).rows() for row in rows]
    read = [tuple(next(terms([term])) if term else ox.DefaultGraph() for term in row) for row in rows]
    assert read == [(quad.subject, quad.predicate, quad.object, quad.graph_name) for quad in quads]


@given(QUADS)
def test_lines_without_graph_names_are_the_triples_of_the_quads(quads):
    triples = without_graph_names(b"".join(NQuads.of(quads).blocks()))
    assert [quad.triple for quad in ox.parse(triples, format=ox.RdfFormat.N_TRIPLES)] == [one.triple for one in quads]


def has_blank_node(term):
    parts = (term.subject, term.object) if isinstance(term, ox.Triple) else ()
    return isinstance(term, ox.BlankNode) or any(map(has_blank_node, parts))


@given(QUADS)
def test_lines_are_divided_by_whether_they_have_blank_nodes(quads):
    lines = NQuads.of(quads)
    divided = [by_blank_nodes(block) for block in lines.blocks()]
    plain = list(ox.parse(b"".join(one for one, _ in divided), format=ox.RdfFormat.N_QUADS))
    others = [quad for _, block in divided for quad in ox.parse(block, format=ox.RdfFormat.N_QUADS)]
    assert sorted(map(str, plain + others)) == sorted(map(str, quads))
    assert not [quad for quad in plain if any(map(has_blank_node, (quad.subject, quad.object, quad.graph_name)))]
    assert lines.may_have_blank_nodes() is bool(others)
    assert list(labelled(lines.blocks(), union=False)) == others


def test_lines_with_blank_nodes_are_only_those():
    a, text = ox.NamedNode("urn:a"), ox.Literal("see _:b there")
    quoted = [ox.Quad(a, a, ox.Triple(a, a, one), a) for one in (ox.BlankNode("b"), ox.Literal("x"))]
    (block,) = NQuads.of([ox.Quad(a, a, text), ox.Quad(a, a, text, a), *quoted]).blocks()
    assert by_blank_nodes(block)[1].splitlines(keepends=True) == block.splitlines(keepends=True)[2:3]


@given(QUADS)
def test_quads_about_predicates_are_those_that_have_them(quads):
    wanted = {quad.predicate.value for quad in quads[:2]} or {"http://x.example/none"}
    found = list(NQuads.of(quads).with_predicates(wanted))
    assert found == [quad for quad in quads if quad.predicate.value in wanted]


def test_a_literal_that_looks_like_a_statement_is_about_nothing():
    quad = ox.Quad(A, P, ox.Literal(f" {P} "))
    assert list(NQuads.of([quad]).with_predicates(["http://x.example/q"])) == []
    assert list(NQuads.of([quad]).with_predicates([P.value])) == [quad]


def test_what_is_kept_in_a_file_is_what_is_kept_in_memory(tmp_path):
    kept, held = NQuadsWriter(tmp_path / "kept.nq"), NQuadsWriter()
    for writer in (kept, held):
        writer.add_triples(triples(3), "http://x.example/g")
        writer.add([ox.Quad(A, P, ox.Literal("x\ny .\n"))])
    assert list(kept.lines) == list(held.lines)
    assert len(kept.lines) == 4
    assert list(NQuads.in_file(tmp_path / "kept.nq")) == list(held.lines)


def test_each_file_has_its_own_lines(tmp_path):
    writer = NQuadsWriter(tmp_path / "kept.nq")
    first, second = (writer.add_triples(triples(count), "http://x.example/g") for count in (2, 3))
    assert [len(list(first)), len(list(second)), len(list(writer.lines))] == [2, 3, 5]


@pytest.mark.parametrize("name", [None, "kept.nq"])
def test_of_what_breaks_off_nothing_is_kept(tmp_path, name):
    writer = NQuadsWriter(tmp_path / name if name else None)
    writer.add_triples(triples(1), "")
    with pytest.raises(SyntaxError):
        writer.add_triples(broken(triples(2)), "")
    writer.add_triples(triples(1), "")
    assert len(list(writer.lines)) == len(writer.lines) == 2


def test_blocks_are_whole_lines(tmp_path):
    long = [ox.Quad(A, P, ox.Literal("x" * 700_000 + str(number))) for number in range(5)]
    for lines in (NQuads.of(long), NQuads.of(long).stored(tmp_path)):
        blocks = list(lines.blocks())
        assert len(blocks) > 1
        assert all(block.endswith(b"\n") for block in blocks)
        assert list(lines) == long


def test_lines_in_files_are_stored_already(tmp_path):
    writer = NQuadsWriter(tmp_path / "kept.nq")
    writer.add_triples(triples(2), "")
    assert writer.lines.stored(tmp_path) is writer.lines


@given(st.lists(OBJECTS, max_size=5))
def test_terms_come_back_from_what_is_written(objects):
    written = [row[2] for rows in NQuads.of([ox.Quad(A, P, each) for each in objects]).rows() for row in rows]
    assert list(terms(written)) == objects
