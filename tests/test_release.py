"""Releases: canonical bytes, the archive, and building."""

import gzip
import json
import os
import subprocess

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from running import canonical_nquads, twingraph
from twingraph.errors import NoReleaseError, NotConformingError, ReleaseError, UnknownNameError
from twingraph.rdf.iris import Iris
from twingraph.release.archive import Archive, verify
from twingraph.release.build import build
from twingraph.release.jsonld_context import json_ld_context
from twingraph.release.manifest import provenance
from twingraph.settings import load_settings

IRIS = st.from_regex(r"http://x\.example/[a-zé0-9/~_-]{0,8}(#[a-z]{0,4})?", fullmatch=True).map(ox.NamedNode)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LITERALS = st.one_of(
    TEXTS.map(ox.Literal),
    st.tuples(TEXTS, st.sampled_from(["en", "sv", "zh-Hans", "pt-BR"])).map(lambda p: ox.Literal(p[0], language=p[1])),
    st.tuples(TEXTS, IRIS).map(lambda p: ox.Literal(p[0], datatype=p[1])),
)
QUADS = st.lists(st.builds(ox.Quad, IRIS, IRIS, st.one_of(IRIS, LITERALS), st.one_of(IRIS, st.just(ox.DefaultGraph()))))


@given(QUADS)
def test_canonical_nquads_hold_the_same_quads(quads):
    assert set(ox.parse(canonical_nquads(quads), format=ox.RdfFormat.N_QUADS)) == set(quads)


@given(QUADS, st.randoms())
def test_canonical_nquads_do_not_depend_on_order_or_repetition(quads, random):
    shuffled = quads * 2
    random.shuffle(shuffled)
    lines = canonical_nquads(shuffled)
    assert lines == canonical_nquads(quads)
    assert lines.splitlines(keepends=True) == sorted(lines.splitlines(keepends=True))


def test_canonical_nquads_keep_lexical_forms_and_write_languages_canonically():
    text = b'<http://a/> <http://b/> "1.50"^^<http://www.w3.org/2001/XMLSchema#decimal>, "x"@zh-hans .'
    lines = canonical_nquads(ox.parse(text, format=ox.RdfFormat.TURTLE)).decode()
    assert '"1.50"' in lines
    assert "@zh-Hans" in lines


def test_a_build_writes_a_release_and_makes_it_the_current_one(tiny):
    built = build(tiny.settings)
    release = Archive(tiny.settings.releases).current()
    assert built.new
    assert release == built.release
    content = gzip.decompress((release.directory / "quads.nq.gz").read_bytes())
    assert len(list(ox.parse(content, format=ox.RdfFormat.N_QUADS))) == release.manifest.quads
    verify(release)


def test_the_store_of_a_release_holds_its_quads(tiny):
    release = build(tiny.settings).release
    held = list(ox.Store.read_only(str(release.directory / "store")))
    triples = {(quad.subject, quad.predicate, quad.object) for quad in held}
    named = [quad for quad in held if isinstance(quad.graph_name, ox.NamedNode)]
    assert len(named) == release.manifest.quads
    assert len(held) - len(named) == len(triples)


def test_the_manifest_says_what_the_release_holds_and_was_made_from(tiny):
    manifest = build(tiny.settings).release.manifest
    assert sum(manifest.graphs.values()) == manifest.quads
    assert manifest.classes[manifest.base_iri + "ontology#Light"].labels["sv"] == "fyr"
    assert manifest.check.conforms
    assert manifest.check.passages_verified == 8
    assert "twingraph.toml" in manifest.origin.inputs
    assert len(manifest.documents) == 2


def test_two_builds_of_the_same_files_give_the_same_bytes(tiny, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = build(load_settings(tiny.directory, folders__releases="one")).release
    second = build(load_settings(tiny.directory, folders__releases="two")).release
    assert first.id == second.id
    assert first.id.startswith("20231114T221320Z-")
    for name in (*first.manifest.files, "manifest.json"):
        assert (first.directory / name).read_bytes() == (second.directory / name).read_bytes(), name


def test_building_the_same_again_writes_nothing(tiny):
    first = build(tiny.settings)
    before = {path: path.stat().st_mtime_ns for path in first.release.directory.rglob("*")}
    again = build(tiny.settings)
    assert (again.new, again.release.id) == (False, first.release.id)
    assert before == {path: path.stat().st_mtime_ns for path in first.release.directory.rglob("*")}


def test_another_content_is_another_release(tiny):
    first = build(tiny.settings).release
    tiny.edit("data/islands.ttl", "Angso", "Angsoe")
    second = build(tiny.settings).release
    assert second.id != first.id
    assert Archive(tiny.settings.releases).ids() == tuple(sorted((first.id, second.id)))


def test_what_does_not_conform_is_not_written(tiny):
    tiny.append("data/islands.ttl", "\n<https://lights.example/id/island/void> a l:Island .\n")
    found = []
    with pytest.raises(NotConformingError):
        build(tiny.settings, found.append)
    assert found[0].findings
    assert Archive(tiny.settings.releases).ids() == ()
    assert [path.name for path in tiny.settings.releases.iterdir()] == [".lock"]


def test_a_build_under_another_base_moves_every_iri(tiny):
    settings = load_settings(tiny.directory, base_iri="http://127.0.0.1:9/")
    release = build(settings).release
    text = gzip.decompress((release.directory / "quads.nq.gz").read_bytes()).decode()
    assert "https://lights.example/" not in text.replace("https://lights.example/about", "")
    assert release.manifest.base_iri == "http://127.0.0.1:9/"


def test_saved_queries_of_a_release_declare_the_prefixes_they_use(tiny):
    release = build(tiny.settings).release
    text = (release.directory / "queries/lights.rq").read_text(encoding="utf-8")
    assert text.startswith("#+ title:")
    ox.Store().query(text)


def test_a_second_build_at_the_same_time_is_told_to_wait(tiny):
    archive = Archive(tiny.settings.releases)
    with archive.locked(), pytest.raises(ReleaseError, match="another build"):
        build(tiny.settings)


def test_what_killed_builds_left_is_cleared_away(tiny):
    archive = Archive(tiny.settings.releases)
    with archive.locked():
        left = archive.begin()
        (left / "store").mkdir()
    build(tiny.settings)
    assert not left.exists()


def test_a_damaged_release_is_not_taken_for_a_good_one(tiny):
    release = build(tiny.settings).release
    (release.directory / "quads.nq.gz").write_bytes(b"")
    with pytest.raises(ReleaseError, match="damaged"):
        verify(release)
    with pytest.raises(ReleaseError, match="damaged"):
        build(tiny.settings)


def test_an_archive_knows_its_releases_by_name(tmp_path):
    archive = Archive(tmp_path / "none")
    assert (archive.ids(), archive.current_id()) == ((), None)
    with pytest.raises(NoReleaseError, match="twingraph build"):
        archive.current()
    with pytest.raises(UnknownNameError):
        archive.get("20200101T000000Z-0")


def test_a_manifest_that_is_not_one_is_an_error(tiny):
    release = build(tiny.settings).release
    (release.directory / "manifest.json").write_text("{}")
    with pytest.raises(ReleaseError, match="entries"):
        Archive(tiny.settings.releases).current()


def test_the_date_is_that_of_the_commit_unless_files_have_changed(tiny):
    file = tiny.directory / "data/islands.ttl"
    assert provenance(tiny.directory, [file]).commit is None
    git(tiny.directory, "init", "-q")
    git(tiny.directory, "add", ".")
    git(tiny.directory, "-c", "user.name=t", "-c", "user.email=t", "commit", "-qm", "x", "--date=@1600000000 +0000")
    committed = provenance(tiny.directory, [file])
    assert len(committed.commit) == 40
    assert (committed.changed, committed.created.timestamp()) == (False, 1600000000)
    tiny.append("data/islands.ttl", "\n")
    changed = provenance(tiny.directory, [file])
    assert (changed.changed, changed.created.timestamp()) == (True, int(file.stat().st_mtime))


def test_an_input_that_git_ignores_counts_as_changed(tiny):
    tiny.write(".gitignore", "data/islands.ttl\n")
    git(tiny.directory, "init", "-q")
    git(tiny.directory, "add", ".")
    git(tiny.directory, "-c", "user.name=t", "-c", "user.email=t", "commit", "-qm", "x", "--date=@1600000000 +0000")
    assert not provenance(tiny.directory, [tiny.directory / "twingraph.toml"]).changed
    assert provenance(tiny.directory, [tiny.directory / "data/islands.ttl"]).changed


def test_what_killed_builds_and_removals_left_is_cleared_away(tmp_path):
    for name in (".building-a", ".current-b", ".removing-c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    with Archive(tmp_path).locked():
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def git(directory, *arguments):

    environment = {**os.environ, "GIT_COMMITTER_DATE": "1600000000 +0000"}
    subprocess.run(["git", "-C", str(directory), *arguments], check=True, env=environment, capture_output=True)


CONTEXT = b"""
@prefix t: <http://t.example/ontology#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
t:Thing a owl:Class . t:place a owl:ObjectProperty . t:name a owl:DatatypeProperty ; rdfs:range rdf:langString .
t:day a owl:DatatypeProperty ; rdfs:range xsd:date . t:note a rdf:Property .
<http://elsewhere.example/p> a owl:ObjectProperty .
"""


def test_the_context_reads_values_as_the_ontology_declares_them():
    iris = Iris("http://t.example/", {"t": "http://t.example/ontology#", "place": "http://t.example/id/place/"})
    context = json.loads(json_ld_context(ox.parse(CONTEXT, format=ox.RdfFormat.TURTLE), iris))["@context"]
    assert context["place"] == {"@id": "http://t.example/ontology#place", "@type": "@id"}  # the prefix gives way
    assert context["name"]["@container"] == "@language"
    assert context["day"]["@type"] == "http://www.w3.org/2001/XMLSchema#date"
    assert context["note"] == {"@id": "http://t.example/ontology#note"}
    assert context["Thing"] == "http://t.example/ontology#Thing"
    assert "p" not in context


def test_the_context_turns_json_back_into_the_statements_it_came_from(tiny):
    release = build(tiny.settings).release
    context = json.loads((release.directory / "context.jsonld").read_bytes())["@context"]
    document = {"@context": context, "id": "light:holm", "type": "Light", "stands": "island:holm",
                "label": {"en": "Holm light"}}  # fmt: skip
    quads = {str(quad) for quad in ox.parse(json.dumps(document), format=ox.RdfFormat.JSON_LD)}
    base = release.manifest.base_iri
    assert f"<{base}id/light/holm> <{base}ontology#stands> <{base}id/island/holm>" in quads
    assert len(quads) == 3


def test_release_files_are_readable_for_others(tiny):
    assert twingraph(tiny.directory, "build").returncode == 0
    release = Archive(tiny.settings.releases).current()
    assert release.directory.stat().st_mode & 0o777 == 0o755


def test_two_builds_of_the_real_publication_give_the_same_bytes(built_real, copy_of_real):
    first = Archive(built_real / "releases").current()
    second = build(copy_of_real.settings).release
    assert first.manifest.quads > 10_000
    for name in (*first.manifest.files, "manifest.json"):
        assert (first.directory / name).read_bytes() == (second.directory / name).read_bytes(), name


def test_a_publication_with_blank_nodes_is_built_the_same_twice_where_they_are_allowed(tiny):
    tiny.append("data/islands.ttl", '\n[] a l:Island ; rdfs:label "Nameless rock"@en .\n')
    tiny.edit("twingraph.toml", 'blank_nodes = "refuse"', 'blank_nodes = "allow"')
    first, second = (build(tiny.settings).release for _ in range(2))
    assert first.manifest.id == second.manifest.id
    assert b"_:c14n0 " in gzip.decompress((first.directory / "quads.nq.gz").read_bytes())
