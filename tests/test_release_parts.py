"""What a build is made of: counting, the process that writes the store, the steps it tells of."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from running import ENVIRONMENT, canonical_nquads, wait_for
from test_lines import IRIS, LITERALS
from twingraph.errors import NotConformingError, ReleaseError
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.build import build
from twingraph.release.manifest import names_of
from twingraph.release.store_writer import StoreWriter
from twingraph.release.void import VOID, count, describe_release, fragment
from twingraph.settings import Settings

TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
LABEL = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
THINGS = st.sampled_from([ox.NamedNode(f"http://x.example/{name}") for name in "abc"])
PREDICATES = st.one_of(st.just(TYPE), THINGS)
QUADS = st.lists(st.builds(ox.Quad, THINGS, PREDICATES, st.one_of(THINGS, LITERALS), st.one_of(THINGS, IRIS)))


def quad(subject, value, graph="g"):
    about, within = ox.NamedNode(f"http://x.example/{subject}"), ox.NamedNode(f"http://x.example/{graph}")
    return ox.Quad(about, LABEL, value, within)


def test_a_default_graph_of_its_own_is_described_by_its_own_counts(tmp_path):
    outside = ox.Quad(ox.NamedNode("http://x.example/a"), LABEL, ox.Literal("x"))
    counts = count(
        NQuads.of(ox.parse(canonical_nquads([outside, quad("b", ox.Literal("y"))]), format=ox.RdfFormat.N_QUADS))
    )

    def triples(default_graph):
        settings = Settings(
            directory=tmp_path, base_iri="http://x.example/", title={"en": "A test"}, default_graph=default_graph
        )
        start = f"<{fragment(settings.base_iri, 'default-graph')}> <{VOID}triples> ".encode()
        lines = describe_release(counts, settings, ()).splitlines()
        return [line.removeprefix(start).split(b"^^")[0] for line in lines if line.startswith(start)]

    assert triples(DefaultGraph.DEFAULT) == [b'"1"']
    assert triples(DefaultGraph.UNION) == [b'"2"']


@given(QUADS)
def test_what_is_counted_is_what_sets_of_quads_hold(quads):
    counts = count(NQuads.of(ox.parse(canonical_nquads(quads), format=ox.RdfFormat.N_QUADS)))
    triples = {quad.triple for quad in quads}
    typed = {(triple.subject, triple.object) for triple in triples if triple.predicate == TYPE}
    classes = Counter(value.value for _, value in typed if isinstance(value, ox.NamedNode))
    assert {name: tally.triples for name, tally in counts.graphs.items()} == Counter(
        quad.graph_name.value for quad in set(quads)
    )
    assert +counts.whole.classes == {f"<{iri}>".encode(): things for iri, things in classes.items()}
    assert (counts.whole.triples, counts.whole.subjects) == (len(triples), len({each.subject for each in triples}))
    assert +counts.whole.properties == Counter(f"<{each.predicate.value}>".encode() for each in triples)
    for name, tally in counts.graphs.items():
        own = {quad for quad in quads if quad.graph_name.value == name}
        assert (tally.triples, tally.subjects) == (len(own), len({each.subject for each in own}))


def test_what_spans_several_blocks_counts_once():
    # About 3 MB, and so several blocks, all about one thing in two graphs.
    quads = [quad("a", ox.Literal("x" * 300 + str(number)), graph) for number in range(4_000) for graph in "gh"]
    lines = NQuads.of(ox.parse(canonical_nquads(quads), format=ox.RdfFormat.N_QUADS))
    counts = count(lines)
    assert len(list(lines.blocks())) > 2
    assert (counts.whole.triples, counts.whole.subjects) == (4_000, 1)
    assert [(tally.triples, tally.subjects) for tally in counts.graphs.values()] == [(4_000, 1)] * 2


def test_things_are_called_by_the_first_of_their_names_in_each_language():
    lines = NQuads.of(
        quad("a", ox.Literal(text, language=tag)) for text, tag in (("b", "en"), ("a", "en"), ("c", "sv"))
    )
    wanted = "http://x.example/a"
    assert names_of({wanted, "urn:x"}, lines) == {wanted: {"en": "a", "sv": "c"}, "urn:x": {}}


def test_the_store_holds_what_the_files_hold_and_their_merge(tmp_path):
    quads = [quad("a", ox.Literal(text), graph) for text in (" <g> .", "x") for graph in "gh"]
    with StoreWriter(tmp_path / "store", DefaultGraph.UNION) as writer:
        for number, each in enumerate(quads):
            NQuadsWriter(tmp_path / f"{number}.nq").add([each])
            writer.load(tmp_path / f"{number}.nq")
        writer.end()
        writer.finish()
    merged = [ox.Quad(each.subject, each.predicate, each.object) for each in quads[::2]]
    assert sorted(map(str, ox.Store.read_only(str(tmp_path / "store")))) == sorted(map(str, quads + merged))


def test_a_store_without_union_has_an_empty_default_graph(tmp_path):
    NQuadsWriter(tmp_path / "said.nq").add([quad("a", ox.Literal("x"))])
    with StoreWriter(tmp_path / "store", DefaultGraph.DEFAULT) as writer:
        writer.load(tmp_path / "said.nq")
        writer.end()
        writer.finish()
    assert list(ox.Store.read_only(str(tmp_path / "store"))) == [quad("a", ox.Literal("x"))]


def test_blank_nodes_have_the_labels_of_the_canonical_lines_in_the_store(tmp_path):
    a, p, g = (ox.NamedNode(f"urn:{one}") for one in "apg")
    plain = ox.Quad(a, p, ox.Literal("_:x"), g)
    NQuadsWriter(tmp_path / "said.nq").add([ox.Quad(a, p, ox.BlankNode("said"), g), plain])
    canonical = [ox.Quad(a, p, ox.BlankNode("c14n0"), g), plain]
    NQuadsWriter(tmp_path / "canonical.nq").add(canonical)
    with StoreWriter(tmp_path / "store", DefaultGraph.UNION) as writer:
        writer.load(tmp_path / "said.nq")
        writer.end(tmp_path / "canonical.nq")
        writer.finish()
    merged = [ox.Quad(each.subject, each.predicate, each.object) for each in canonical]
    assert set(ox.Store.read_only(str(tmp_path / "store"))) == {*canonical, *merged}


def test_a_store_that_cannot_be_written_is_an_error_with_its_reason(tmp_path):
    with StoreWriter(tmp_path / "store", DefaultGraph.UNION) as writer:
        writer.load(tmp_path / "missing.nq")
        writer.end()
        with pytest.raises(ReleaseError, match="No such file"):
            writer.finish()


def test_who_writes_the_store_ends_when_nobody_waits_for_it(tmp_path):
    with StoreWriter(tmp_path / "store", DefaultGraph.UNION) as writer:
        NQuadsWriter(tmp_path / "said.nq")
        writer.load(tmp_path / "said.nq")
        process = writer._process
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL


ORPHAN = """
import sys, time
from pathlib import Path
from twingraph.rdf.terms import DefaultGraph
from twingraph.rdf.nquads import NQuadsWriter
from twingraph.release.store_writer import StoreWriter
directory = Path(sys.argv[1])
with StoreWriter(directory / "store", DefaultGraph.UNION) as writer:
    NQuadsWriter(directory / "said.nq")
    writer.load(directory / "said.nq")
    print(writer._process.pid, flush=True)
    time.sleep(60)
"""


def test_who_writes_the_store_ends_with_a_build_that_is_killed(tmp_path):
    command = [sys.executable, "-c", ORPHAN, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        parent.kill()
    wait_for(lambda: _is_gone(pid))


def _is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_build_tells_of_its_steps(tiny):
    seen = []

    @contextmanager
    def observe(step):
        seen.append(step)
        yield

    build(tiny.settings, observer=observe)
    assert {"parse", "derive", "check: shapes", "check: saved queries", "canonical N-Quads", "publish"} <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_build_that_fails_leaves_no_process_and_no_files(tiny):
    tiny.append("data/islands.ttl", "\n<https://lights.example/id/island/void> a l:Island .\n")
    with pytest.raises(NotConformingError):
        build(tiny.settings)
    assert [path.name for path in tiny.settings.releases.iterdir()] == [".lock"]
    assert subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "store_writer"], check=False).returncode == 1


def test_a_release_that_cannot_be_written_is_an_error_with_its_reason(tiny, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("twingraph.rdf.nquads._in_file", full)
    with pytest.raises(ReleaseError, match="could not be written: No space left"):
        build(tiny.settings)
    assert [path.name for path in tiny.settings.releases.iterdir()] == [".lock"]
