"""Canonical N-Quads: the same bytes for isomorphic datasets, in memory and in sorted runs."""

import io
import sys
from types import SimpleNamespace

import pyoxigraph as ox
import pytest

from running import canonical_nquads
from twingraph.errors import ReleaseError
from twingraph.rdf import canonical
from twingraph.rdf.canonical import _runs, write_canonical
from twingraph.rdf.nquads import NQuads

LABEL = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")


def quad(subject, value, graph="g"):
    about, within = ox.NamedNode(f"http://x.example/{subject}"), ox.NamedNode(f"http://x.example/{graph}")
    return ox.Quad(about, LABEL, value, within)


@pytest.mark.parametrize("sorted_bytes", [1, 300_000, 10**9])
def test_quads_sorted_in_runs_are_the_same_bytes(tmp_path, sorted_bytes):
    quads = [quad(number % 997, ox.Literal(f"{number % 5}", language="zh-Hans")) for number in range(30_000)]
    path = tmp_path / "canonical.nq"
    lines = write_canonical(NQuads.of(quads), path, sorted_bytes)
    assert path.read_bytes() == canonical_nquads(quads)
    assert len(lines) == len(set(quads))
    assert [each.name for each in tmp_path.iterdir()] == ["canonical.nq"]


def test_no_quads_at_all_are_an_empty_file(tmp_path):
    assert len(write_canonical(NQuads(), tmp_path / "canonical.nq")) == 0
    assert (tmp_path / "canonical.nq").read_bytes() == b""


def blank_nodes(text):
    return ox.parse(text, format=ox.RdfFormat.TURTLE, base_iri="http://x.example/", rename_blank_nodes=True)


def test_blank_nodes_have_the_same_labels_however_often_a_file_is_read():
    text = '[] a <Island> ; <has> [ <name> "_:x <a> _:b ." ], ( 1 1 2 ) . <a> <b> [ ], "\\u0041"@EN .'
    once, again = (canonical_nquads(blank_nodes(text)) for _ in range(2))
    assert once == again
    assert once.count(b"_:c14n") == 15


def test_graphs_named_by_blank_nodes_have_the_same_labels():
    text = b'_:g1 <urn:p> <urn:o> _:g2 .\n<urn:s> <urn:p> "x" _:g1 .\n<urn:s> <urn:p> <urn:o> _:g1 .\n'
    quads = ox.parse(text, format=ox.RdfFormat.N_QUADS)
    renamed = ox.parse(text.replace(b"g1", b"a").replace(b"g2", b"b"), format=ox.RdfFormat.N_QUADS)
    assert canonical_nquads(quads) == canonical_nquads(renamed)


def test_blank_nodes_that_would_take_years_to_label_are_refused(tmp_path):
    nodes = [ox.BlankNode() for _ in range(12)]
    quads = [ox.Quad(a, LABEL, b, ox.NamedNode("urn:knot")) for a in nodes for b in nodes if a != b]
    # These are told apart by what they say, or by what they do not refer to.
    plain = [ox.BlankNode() for _ in range(30)]
    quads += [ox.Quad(node, LABEL, ox.Literal("x"), ox.NamedNode("urn:plain")) for node in plain]
    words = "12 blank nodes in the graph <urn:knot> refer to one another and look alike; use IRIs for them"
    with pytest.raises(ReleaseError, match=f"blank nodes: no canonical labels within 1 seconds: {words}"):
        write_canonical(NQuads.of(quads), tmp_path / "canonical.nq", seconds=1)
    assert list(tmp_path.iterdir()) == []


def test_a_quad_that_several_sorted_pieces_have_is_written_once(tmp_path):
    same = quad("a", ox.Literal("x"))
    lines = write_canonical(NQuads.of([same]) + NQuads.of([same]), tmp_path / "canonical.nq", 1)
    assert list(lines) == [same]


def test_runs_are_about_as_large_as_what_is_sorted_in_memory():
    def sizes(size):
        return [len(b"".join(run)) for run in _runs([b"0123456789"] * 7, size)]

    assert sizes(25) == [30, 30, 10]
    assert sizes(20) == [20, 20, 20, 10]
    assert sizes(70) == [70]


def test_a_labelling_process_that_fails_is_an_error_with_its_exit_code(tmp_path, monkeypatch):
    monkeypatch.setattr(canonical, "command", lambda _: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(ReleaseError, match="blank nodes: the process that labels them ended with 3"):
        write_canonical(NQuads.of(blank_nodes("[] a <Island> .")), tmp_path / "canonical.nq")


def test_the_labelling_process_reads_quads_and_writes_them_with_canonical_labels(monkeypatch):
    output, ends_with_parent = io.BytesIO(), []
    text = b'_:a <urn:p> "x" <urn:g> .\n_:b <urn:p> "y" <urn:g> .\n'
    monkeypatch.setattr(canonical, "exit_with_parent", lambda: ends_with_parent.append(True))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=output))
    canonical.main()
    labels = {line.split(b" ")[0] for line in output.getvalue().splitlines()}
    assert labels == {b"_:c14n0", b"_:c14n1"}
    assert ends_with_parent


def test_language_tags_have_their_canonical_case_wherever_they_stand(tmp_path):
    lines = NQuads.of(
        [
            ox.Quad(quad("a", LABEL).subject, LABEL, ox.Literal("x", language="zh-hans"), graph)
            for graph in (ox.DefaultGraph(), ox.NamedNode("urn:g"), ox.BlankNode("g"))
        ]
    )
    text = b"".join(write_canonical(lines, tmp_path / "canonical.nq").blocks())
    assert text.count(b'"x"@zh-Hans ') == 3
