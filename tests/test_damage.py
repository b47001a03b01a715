"""Releases that are damaged, gone or come late: verified, named as such, taken out of service and served again."""

import json
import os
import shutil
import signal
import time

import pytest

from conftest import TESTS, copy_publication
from running import client, front_of, release_served, serving_process, twingraph, wait_for, workers_of
from twingraph.release.archive import Archive

LIMITS = """
[limits]
workers = 1
reserve_workers = 1
memory_quads = 1
memory_bytes = 300_000_000
cache_bytes = 0
warm_up = false
"""
SCAN = "SELECT ?s ?p ?o { ?s ?p ?o }"
COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    """A publication with enough statements that its store has several blocks, served from the disk."""
    copy = copy_publication(TESTS / "tiny", tmp_path_factory.mktemp("disk") / "tiny")
    label = "".join(f'island:i{n} a l:Island ; rdfs:label "Island {n} {n * 7919 % 10007}"@en .\n' for n in range(3000))
    copy.append("data/islands.ttl", label)
    copy.append("twingraph.toml", LIMITS)
    assert twingraph(copy.directory, "build").returncode == 0
    return copy


@pytest.fixture
def copied(on_disk, tmp_path):
    """A copy of it with its release, which a test may damage."""
    copy = copy_publication(on_disk.directory, tmp_path / "copy")
    shutil.copytree(on_disk.directory / "releases", copy.directory / "releases", symlinks=True)
    return copy


def current(publication):
    return Archive(publication.settings.releases).current()


def damage(release):
    """Write zeros over the middle of each large file of the store; return what stood there."""
    before = {}
    for path in (release.directory / "store").glob("*.sst"):
        content = path.read_bytes()
        if len(content) > 20_000:
            before[path] = content
            middle = len(content) // 2
            with path.open("r+b") as file:
                file.seek(middle)
                file.write(b"\0" * 4096)
    assert before
    return before


def verified(publication, *names):
    run = twingraph(publication.directory, "verify", *names)
    assert "Traceback" not in run.stderr
    return run.returncode, run.stdout


def test_a_damaged_store_is_named_and_taken_out_of_service_until_it_is_whole(copied):
    release = current(copied)
    with serving_process(copied.directory) as (address, process), client(address) as http:
        wait_for(lambda: len(workers_of(process.pid)) == 2)
        whole = damage(release)
        answer = http.get("/sparql", params={"query": COUNT})
        assert (answer.status_code, "memory" in answer.text) == (503, False), answer.text
        assert "damaged" in answer.json()["detail"]
        wait_for(lambda: http.get("/readyz").status_code == 503)
        later = http.get("/sparql", params={"query": "ASK {}"})
        assert (later.status_code, "damaged" in later.json()["detail"]) == (503, True)
        assert str(copied.directory) not in later.text
        assert f'twingraph_release_pending{{id="{release.id}"}} 1.0' in http.get("/metrics").text
        log = (copied.directory / "server.log").read_text()
        assert log.count("is not served") == 1
        assert ".sst" in log
        for path, content in whole.items():
            path.write_bytes(content)
        wait_for(lambda: http.get("/readyz").status_code == 200)
        assert http.get("/sparql", params={"query": COUNT}).status_code == 200


def test_a_new_release_takes_the_place_of_a_damaged_one(copied):
    with serving_process(copied.directory) as (address, process), client(address) as http:
        wait_for(lambda: len(workers_of(process.pid)) == 2)
        damage(current(copied))
        assert http.get("/sparql", params={"query": SCAN}).status_code == 503
        wait_for(lambda: http.get("/readyz").status_code == 503)
        copied.append("data/islands.ttl", 'island:holm rdfs:label "Holmen"@da .\n')
        assert twingraph(copied.directory, "build").returncode == 0
        wait_for(lambda: http.get("/readyz").status_code == 200)
        assert http.get("/sparql", params={"query": COUNT}).status_code == 200


def test_a_release_whose_store_is_damaged_is_not_begun_with(copied):
    damage(current(copied))
    run = twingraph(copied.directory, "serve", "--port", "0")
    assert (run.returncode, "is damaged" in run.stderr, "Traceback" in run.stderr) == (3, True, False)


def test_verify_finds_intact_releases_intact(copied):
    release = current(copied)
    assert verified(copied) == (0, f"{release.id}: intact, {release.manifest.quads:,} quads\n")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("store/CURRENT", "is missing"),
        ("quads.nq.gz", "is missing"),
        ("store.json", "cannot be read"),
        ("manifest.json", "No such file"),
    ],
)
def test_verify_names_a_file_that_is_missing(copied, name, words):
    release = current(copied)
    (release.directory / name).unlink()
    code, said = verified(copied)
    if name != "manifest.json":
        assert f"{release.id}/{name}: " in said
        assert words in said
    assert code in (1, 3)


def test_verify_names_damaged_files_and_those_that_do_not_belong_there(copied):
    release = current(copied)
    changed = {f"{release.id}/store/{path.name}" for path in damage(release)}
    (release.directory / "store/000999.sst").write_bytes(b"")
    (release.directory / "notes.txt").write_text("x")
    (release.directory / "queries/lights.rq").write_text("ASK {}")
    code, said = verified(copied, release.id)
    assert code == 1
    named = {line.partition(":")[0] for line in said.splitlines()}
    assert named == changed | {f"{release.id}/{one}" for one in ("store/000999.sst", "notes.txt", "queries/lights.rq")}


def test_verify_compares_the_quads_with_the_counts(copied):
    release = current(copied)
    path = release.directory / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["quads"] += 1
    path.write_text(json.dumps(manifest))
    code, said = verified(copied)
    assert (code, f"has {manifest['quads'] - 1} quads, but the manifest says {manifest['quads']}" in said) == (1, True)


def test_verify_refuses_an_unknown_release(copied):
    assert verified(copied, "none")[0] == 2


def test_releases_of_the_form_before_are_served_and_verified_without_their_stores(copied):
    release = current(copied)
    path = release.directory / "manifest.json"
    manifest = json.loads(path.read_bytes())
    later = ("store.json", "quads.nq.index", "graphs.nt.gz", "graphs.nt.index")
    files = {name: digest for name, digest in manifest["files"].items() if name not in later}
    path.write_text(json.dumps({**manifest, "form": 1, "files": files}))
    for name in later:
        (release.directory / name).unlink()
    assert verified(copied)[0] == 0
    with serving_process(copied.directory) as (address, _):
        assert release_served(address) == release.id


def test_a_release_that_comes_late_is_served_when_it_is_there(built, tmp_path):
    archive = Archive(built.settings.releases)
    old = archive.current_id()
    with serving_process(built.directory) as (address, _), client(address) as http:
        built.append("data/islands.ttl", 'island:holm rdfs:label "Holmen"@da .\n')
        assert twingraph(built.directory, "build", "--output", str(tmp_path / "elsewhere")).returncode == 0
        new = Archive(tmp_path / "elsewhere").current_id()
        archive.point_to(new)
        wait_for(lambda: f'twingraph_release_pending{{id="{new}"}} 1.0' in http.get("/metrics").text)
        time.sleep(2)  # for more attempts than one, which are to be logged once
        assert release_served(address) == old
        shutil.move(tmp_path / "elsewhere" / new, archive.directory / new)
        wait_for(lambda: release_served(address) == new)
        log = (built.directory / "server.log").read_text()
        assert log.count("is not served") == 1
        assert "release_pending{" not in http.get("/metrics").text


def test_a_server_started_anew_without_its_release_says_so_until_it_is_there(built, tmp_path):
    release = current(built)
    with serving_process(built.directory) as (address, process):
        victim = front_of(process.pid)
        release.directory.rename(tmp_path / "away")
        os.kill(victim, signal.SIGKILL)
        with client(address) as http:
            wait_for(lambda: front_of(process.pid) not in (victim, None))
            answer = http.get("/sparql", params={"query": "ASK {}"})
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert int(answer.headers["retry-after"]) >= 1
            assert str(built.directory) not in answer.text
            assert (http.get("/readyz").status_code, http.get("/metrics").status_code) == (503, 200)
            assert http.get("/healthz").json() == {"status": "ok", "release": None, "quads": None}
            again = front_of(process.pid)
            (tmp_path / "away").rename(release.directory)
            wait_for(lambda: http.get("/readyz").status_code == 200)
            assert http.get("/sparql", params={"query": "ASK {}"}).status_code == 200
            assert front_of(process.pid) == again


def test_a_first_start_without_its_release_fails(built, tmp_path):
    current(built).directory.rename(tmp_path / "away")
    assert twingraph(built.directory, "serve", "--port", "0").returncode == 3
