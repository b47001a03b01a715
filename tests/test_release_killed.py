"""``kill -9`` at every step of a build: the old release is served on, and the next build tidies up."""

import fcntl
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from running import ENVIRONMENT, client, release_served, serving, twingraph, wait_for
from twingraph.errors import ExitCode
from twingraph.release.archive import Archive, verify

# Builds in a child for each number on its input. The child kills itself at that time that it touches a file of the
# archive: a moment that a signal from outside may meet. All is imported once, which takes longer than such a build.
SUICIDES = """
import os, signal, sys
from twingraph.cli import main

def build(last):
    seen = 0
    def watch(event, arguments):
        nonlocal seen
        if event.startswith(("open", "os.", "shutil.", "tempfile.")) and "/releases" in str(arguments):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)
    main()

sys.argv = ["twingraph", "-C", sys.argv[1], "build"]
for line in sys.stdin:
    child = os.fork()
    if not child:
        build(int(line))
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def killed_builds(archive, directory):
    """Yield a function that builds, killed at a step, and tells whether it was killed before it came to its end."""
    command = [sys.executable, "-c", SUICIDES, str(directory)]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=ENVIRONMENT, **quiet) as builds:

        def build(step):
            wait_for(lambda: is_free(archive))
            builds.stdin.write(f"{step}\n")
            builds.stdin.flush()
            # What the command prints comes before.
            return next(int(line) for line in builds.stdout if line.lstrip("-").strip().isdigit())

        def killed(step):
            # A process that the killed one started may hold the lock a moment longer.
            code = next(code for _ in range(50) if (code := build(step)) != ExitCode.NOT_DONE)
            assert code in (0, -signal.SIGKILL)
            return code != 0

        yield killed
        builds.stdin.close()


def is_free(archive):
    try:
        with (archive.directory / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def leftovers(directory):
    return sorted(path.name for path in (directory / "releases").iterdir() if path.name.startswith((".b", ".c")))


def test_a_build_killed_at_any_step_leaves_the_old_release_serving(built):
    archive = Archive(built.settings.releases)
    old = archive.current_id()
    built.edit("data/islands.ttl", "Angso", "Angsoe")
    with serving(built.directory) as address, killed_builds(archive, built.directory) as killed_build:
        steps, step, left = 0, 1, set()
        while killed_build(step):
            left.update(name[:9] for name in leftovers(built.directory))
            verify(archive.current())
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
            verify(archive.current())
            with client(address) as http:
                answer = http.get("/sparql", params={"query": "ASK { ?s ?p ?o }", "format": "json"})
            assert answer.json()["boolean"] is True
            assert release_served(address) in (old, archive.current_id())
        assert twingraph(built.directory, "build").returncode == 0
        wait_for(lambda: release_served(address) == archive.current_id())
        assert leftovers(built.directory) == []
