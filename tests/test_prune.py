"""Removing old releases: which, never the current one, in a way that may be killed, and under a server."""

import asyncio
import shutil

import pytest

from running import twingraph
from test_pool import job, pool_of, started
from twingraph.errors import ReleaseError
from twingraph.release.archive import Archive


@pytest.fixture
def archive(publication, tmp_path):
    """An archive of four releases, the second of which is the current one."""
    built = Archive(publication.settings.releases).current()
    archive = Archive(tmp_path / "releases")
    with archive.locked():
        for day in range(1, 5):
            shutil.copytree(built.directory, archive.directory / f"2024010{day}T000000Z-{day:012}")
        archive.point_to(archive.ids()[1])
    return archive


def pruned(publication, archive, *options):
    environment = {"TWINGRAPH_FOLDERS__RELEASES": str(archive.directory), "PATH": ""}
    run = twingraph(publication.directory, "prune", *options, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout.split(), run.stderr


def test_the_newest_stay_and_the_current_one_too(publication, archive):
    ids = archive.ids()
    gone, said = pruned(publication, archive, "--keep", "1")
    assert gone == [ids[0], ids[2]]
    assert archive.ids() == (ids[1], ids[3])
    assert archive.current_id() == ids[1]
    assert "Removed 2 releases, " in said


def test_a_dry_run_removes_nothing_and_says_the_same(publication, archive):
    ids = archive.ids()
    gone, said = pruned(publication, archive, "--keep", "1", "--dry-run")
    assert archive.ids() == ids
    freed = said.partition("releases, ")[2]
    assert (gone, freed) == (
        [ids[0], ids[2]],
        pruned(publication, archive, "--keep", "1")[1].partition("releases, ")[2],
    )


def test_only_those_older_than_so_many_days_go(publication, archive):
    newest = archive.ids()[-1]
    (archive.directory / newest).rename(archive.directory / "99990101T000000Z-000000000000")
    assert pruned(publication, archive, "--keep", "1", "--older-than", "36500")[0] == []
    old = ["20240101T000000Z-000000000001", "20240103T000000Z-000000000003"]
    assert pruned(publication, archive, "--keep", "1", "--older-than", "1")[0] == old


def test_nothing_is_removed_while_a_build_is_at_work(publication, archive):
    with archive.locked():
        environment = {"TWINGRAPH_FOLDERS__RELEASES": str(archive.directory), "PATH": ""}
        run = twingraph(publication.directory, "prune", "--keep", "1", env=environment)
    assert (run.returncode, "another build" in run.stderr) == (3, True)
    assert len(archive.ids()) == 4


def test_the_current_release_cannot_be_removed(archive):
    with archive.locked(), pytest.raises(ReleaseError, match="current"):
        archive.remove(archive.current_id())


def test_a_killed_removal_is_finished_by_the_next_command(archive):
    first = archive.ids()[0]
    (archive.directory / first).rename(archive.directory / f".removing-{first}")
    assert first not in archive.ids()
    with archive.locked():
        assert list(archive.directory.glob(".removing-*")) == []


def test_what_a_killed_switch_left_is_cleared_away(archive):
    left = archive.directory / ".current-x"
    left.mkdir()
    (left / "current").symlink_to("nowhere")
    with archive.locked():
        assert not left.exists()


@pytest.mark.parametrize("memory_quads", [1, 10**6])
def test_a_release_that_is_removed_is_answered_from_to_the_end(archive, memory_quads):
    async def run():
        release = archive.get(archive.ids()[0])
        async with started(pool_of(release, memory_quads=memory_quads)) as pool:
            text = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
            before = (await pool.ask(job(text), "10.0.0.1")).body()
            with archive.locked():
                archive.remove(release.directory.name)
            for number in range(4):
                assert (await pool.ask(job(f"{text} # {number}"), "10.0.0.1")).body() == before

    asyncio.run(run())
