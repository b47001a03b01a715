"""The tutorial does what it says: its commands are run and what they print is compared with its words."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
STEPS = [match.groups() for match in BLOCK.finditer(TEXT)]
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def place(built_real, tmp_path_factory):
    """A copy of the publication with a server of its own; returns its directory, environment and address."""
    directory = tmp_path_factory.mktemp("tutorial") / "publication"
    shutil.copytree(built_real, directory, symlinks=True)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TWINGRAPH_SOURCES": os.environ.get("TWINGRAPH_SOURCES", str(ROOT / "../shared/sources")),
    }
    server = subprocess.Popen(
        ["twingraph", "serve", "--port", "0"], cwd=directory, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        line = server.stdout.readline()
        yield directory, environment, re.search(r"http://127\.0\.0\.1:\d+", line)[0]
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def test_the_steps_were_really_found():
    assert len(STEPS) >= 10
    assert TEXT.count("```sh") + TEXT.count("```python") == len(STEPS)


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_step_prints_what_the_tutorial_shows(step, place):
    directory, environment, address = place
    language, code, expected = STEPS[step]
    command = ["bash", "-euo", "pipefail", "-c"] if language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, code.replace(ADDRESS, address)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    printed = (done.stdout + done.stderr).splitlines()
    for line in (expected or "").splitlines():
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        assert any(pattern.fullmatch(shown) for shown in printed), f"{line!r} is not in:\n" + "\n".join(printed[:40])
    assert printed
