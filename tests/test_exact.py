"""The statements of a release as they were written: gzip members, indexes, the statements of a subject, graphs."""

import gzip
import tracemalloc
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from test_lines import BLANKS, IRIS, OBJECTS
from twingraph.rdf.gzip_members import MEMBER_BYTES, Extent, members, read_members
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.quads_files import write_quads, write_triples
from twingraph.store.exact import GRAPHS, QUADS, ExactStatements, read_graphs, read_subjects

LINES = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=20)
# Few subjects and graphs, so that there is more than one statement in and about each.
SUBJECTS = st.sampled_from([ox.NamedNode(f"http://x.example/{name}") for name in ("a", "a/b", "ab", "é", "b#c")])
NAMES = st.sampled_from([ox.NamedNode(f"http://g.example/{name}") for name in "xyz"] + [ox.DefaultGraph()])
QUADS_OF_FEW = st.lists(st.builds(ox.Quad, SUBJECTS | BLANKS, IRIS, OBJECTS, NAMES), max_size=12)
DEFAULTS = st.sampled_from(DefaultGraph)


def written(quads, default=DefaultGraph.UNION, member_bytes=MEMBER_BYTES, held_bytes=1 << 20):
    """Write quads as a release does; return what was written, its lines and its files."""
    canonical = nquads(quads)
    with TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "canonical.nq").write_bytes(canonical)
        lines = NQuads.in_file(directory / "canonical.nq")
        graphs = {"" if graph == ox.DefaultGraph() else graph.value for graph in (one.graph_name for one in lines)}
        write_quads(lines, directory, member_bytes)
        write_triples(lines, graphs, default, directory, directory, held_bytes)
        exact = ExactStatements.open(directory)
        subjects = {quad.subject for quad in lines} | {ox.NamedNode("http://x.example/none"), ox.BlankNode("none")}
        about = {subject: b"".join(exact.about(subject)) for subject in subjects}
        triples = {graph: b"".join(exact.triples(graph)) for graph in exact.graphs}
        files = {path.name: path.read_bytes() for path in directory.iterdir()}
        return canonical, about, triples, files


def nquads(quads):
    """Return quads as sorted lines, each once, with the labels that blank nodes have."""
    lines = {ox.serialize([quad], format=ox.RdfFormat.N_QUADS) for quad in quads}
    return b"".join(sorted(lines))


@given(LINES, LINES, st.integers(1, 30))
def test_members_are_a_gzip_file_of_whole_lines_however_the_lines_arrive(some, others, size):
    found = list(members([b"".join(some), b"".join(others)], size))
    assert gzip.decompress(b"".join(member.packed for member in found)) == b"".join(some + others)
    contents = [gzip.decompress(member.packed) for member in found]
    assert all(content.endswith(b"\n") for content in contents) or contents == [b""]
    assert [(len(content), content.count(b"\n")) for content in contents] == [(one.size, one.lines) for one in found]
    assert all(len(content) >= size for content in contents[:-1])
    assert list(members([b"".join(some + others)], size)) == found


def test_members_have_no_time_and_no_name_in_them():
    (member,) = members([b"quads\n"])
    assert (member.packed[4:8], member.packed[3]) == (b"\0\0\0\0", 0)


def test_members_are_read_from_a_part_of_a_file(tmp_path):
    packed = [member.packed for member in members([b"a\nb\nc\n"], 2)]
    path = tmp_path / "file"
    path.write_bytes(b"".join(packed))
    begin = len(packed[0])
    assert list(read_members(path, Extent(begin, path.stat().st_size))) == [b"b\n", b"c\n"]


def test_a_file_that_ends_early_or_is_damaged_is_an_error(tmp_path):
    (member,) = members([b"quads\n"])
    path = tmp_path / "file"
    path.write_bytes(member.packed)
    whole = Extent(0, len(member.packed))
    with pytest.raises(EOFError):
        list(read_members(path, Extent(0, whole.end + 1)))
    with pytest.raises(EOFError):
        list(read_members(path, Extent(0, whole.end - 9)))
    path.write_bytes(member.packed[:-8] + b"\0" * 8)
    with pytest.raises(zlib.error):
        list(read_members(path, whole))


@given(QUADS_OF_FEW, st.integers(1, 300))
def test_the_statements_of_a_subject_are_those_of_all_that_are_about_it(quads, member_bytes):
    canonical, about, _, files = written(quads, member_bytes=member_bytes)
    every = set(ox.parse(canonical, format=ox.RdfFormat.N_QUADS))
    assert gzip.decompress(files[QUADS]) == canonical
    for subject, lines in about.items():
        found = list(ox.parse(lines, format=ox.RdfFormat.N_QUADS))
        assert set(found) == {quad for quad in every if quad.subject == subject}
        assert len(found) == len(set(found))
        assert lines in canonical


@given(QUADS_OF_FEW, DEFAULTS, st.integers(1, 300))
def test_a_graph_is_its_triples_sorted(quads, default, held_bytes):
    canonical, _, triples, files = written(quads, default, held_bytes=held_bytes)
    every = list(ox.parse(canonical, format=ox.RdfFormat.N_QUADS))
    names = {"" if quad.graph_name == ox.DefaultGraph() else quad.graph_name.value for quad in every}
    assert triples.keys() == names | {""}
    for name, lines in triples.items():
        is_union = not name and default == DefaultGraph.UNION
        graph = ox.NamedNode(name) if name else ox.DefaultGraph()
        assert lines == nquads(ox.Quad(*quad.triple) for quad in every if is_union or quad.graph_name == graph)
    assert "graphs.nt" not in files


@given(QUADS_OF_FEW, DEFAULTS)
def test_the_bytes_of_a_graph_are_a_gzip_file(quads, default):
    with TemporaryDirectory() as name:
        directory = Path(name)
        lines = NQuads.of(ox.parse(nquads(quads), format=ox.RdfFormat.N_QUADS))
        graphs = {"" if quad.graph_name == ox.DefaultGraph() else quad.graph_name.value for quad in lines}
        write_triples(lines, graphs, default, directory, directory)
        content = (directory / GRAPHS).read_bytes()
        for extent, count, size in read_graphs(directory).values():
            unpacked = gzip.decompress(content[extent.start : extent.end])
            assert (unpacked.count(b"\n"), len(unpacked)) == (count, size)


def test_the_union_of_one_graph_is_not_written_twice():
    quads = [ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal("1"), ox.NamedNode("urn:g"))]
    _, _, triples, files = written(quads)
    assert triples == {"": b'<urn:s> <urn:p> "1" .\n', "urn:g": b'<urn:s> <urn:p> "1" .\n'}
    assert gzip.decompress(files[GRAPHS]) == triples[""]


def test_a_subject_of_many_members_has_all_its_statements():
    many = [ox.Quad(ox.NamedNode("urn:m"), ox.NamedNode("urn:p"), ox.Literal(str(one))) for one in range(200)]
    others = [ox.Quad(ox.NamedNode(f"urn:{one}"), ox.NamedNode("urn:p"), ox.Literal("x")) for one in "abcxyz"]
    _, about, _, _ = written(many + others, member_bytes=100)
    assert about[ox.NamedNode("urn:m")] == nquads(many)


def test_a_line_longer_than_a_member_is_in_one(tmp_path):
    quads = [ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal("x" * 3 * MEMBER_BYTES))]
    lines = NQuads.of(quads)
    write_quads(lines, tmp_path)
    assert len(read_subjects(tmp_path)) == 1
    assert list(ox.parse(b"".join(ExactStatements(tmp_path, {}, (b"<urn:s> ",), (read_subjects(tmp_path)[0].extent,))
        .about(ox.NamedNode("urn:s"))), format=ox.RdfFormat.N_QUADS)) == quads  # fmt: skip


def test_graphs_are_collected_in_a_file_and_not_in_memory(tmp_path):
    """Lines of two graphs take turns, so that neither can be written before the other has been read."""
    text = "".join(f'<urn:{one:07}> <urn:p> "{"x" * 200}" <urn:{one % 2}> .\n' for one in range(40_000))
    path = tmp_path / "lines.nq"
    path.write_text(text)
    size, lines = len(text), NQuads.in_file(path)
    del text
    tracemalloc.start()
    try:
        write_triples(lines, {"urn:0", "urn:1"}, DefaultGraph.DEFAULT, tmp_path, tmp_path, held_bytes=1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read_graphs(tmp_path)["urn:0"].triples == 20_000
    assert peak < size
