"""``kill -9`` at every step of a build: the old release is served on, and the next build tidies up."""

import signal
import subprocess
import sys
import time

from running import ENVIRONMENT, client, release_served, serving, twingraph, wait_for
from twingraph.release.archive import Archive

# Kills itself at the n-th time that it touches a file of the archive: a moment that a signal from outside may meet.
SUICIDE = """
import os, signal, sys
from twingraph.cli import main
directory, last = sys.argv[1], int(sys.argv[2])
seen = 0
def watch(event, arguments):
    global seen
    if event.startswith(("open", "os.", "shutil.", "tempfile.")) and "/releases" in str(arguments):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
sys.argv = ["twingraph", "-C", directory, "build"]
main()
"""


def killed_build(directory, step):
    """Build, killed at a step; return whether it was killed before it came to its end."""
    command = [sys.executable, "-c", SUICIDE, str(directory), str(step)]
    code = subprocess.run(command, capture_output=True, env=ENVIRONMENT, timeout=60, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


def leftovers(directory):
    return sorted(path.name for path in (directory / "releases").iterdir() if path.name.startswith((".b", ".c")))


def test_a_build_killed_at_any_step_leaves_the_old_release_serving(built):
    archive = Archive(built.settings.releases)
    old = archive.current_id()
    built.edit("data/islands.ttl", "Angso", "Angsoe")
    with serving(built.directory) as address:
        steps, step, left = 0, 1, set()
        while killed_build(built.directory, step):
            left.update(name[:9] for name in leftovers(built.directory))
            archive.current().verify()
            assert release_served(address) in (old, archive.current_id())
            steps, step = steps + 1, step + 1 + step // 6
        assert steps > 10
        assert {".building", ".current-"} >= left >= {".building"}
        assert leftovers(built.directory) == []
        new = archive.current_id()
        assert new != old
        wait_for(lambda: release_served(address) == new)


def test_a_build_killed_from_outside_leaves_the_old_release_serving(built):
    archive = Archive(built.settings.releases)
    with serving(built.directory) as address:
        for number, moment in enumerate((0.3, 0.9, 1.2, 1.5)):
            old = archive.current_id()
            built.append("data/islands.ttl", f"# {number}\nisland:holm l:height {number}.5 .\n")
            command = [sys.executable, "-m", "twingraph", "-C", str(built.directory), "build"]
            with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as build:
                time.sleep(moment)
                build.kill()
            archive.current().verify()
            with client(address) as http:
                answer = http.get("/sparql", params={"query": "ASK { ?s ?p ?o }", "format": "json"})
            assert answer.json()["boolean"] is True
            assert release_served(address) in (old, archive.current_id())
        assert twingraph(built.directory, "build").returncode == 0
        wait_for(lambda: release_served(address) == archive.current_id())
        assert leftovers(built.directory) == []
