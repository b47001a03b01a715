"""The commands of docs/publication.md and README.md run as they stand and print what the pages show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from running import ENVIRONMENT, serving

ROOT = Path(__file__).parents[1]
ADDRESS = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
PAGE, README = (
    BLOCK.findall((ROOT / name).read_text(encoding="utf-8")) for name in ("docs/publication.md", "README.md")
)
# What README says beside these is how to set up, which is done here.
QUERIES = [code for code, _ in README if not code.startswith("make ")]


def run(code: str, directory: Path) -> list[str]:
    """Run a block of a page as it stands; return the lines that it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code], cwd=directory, env=ENVIRONMENT | {"PATH": path},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).splitlines()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The directory in which the page is worked through, block after block."""
    return tmp_path_factory.mktemp("page")


def test_the_blocks_were_really_found():
    assert len(PAGE) >= 8
    assert len(QUERIES) == 2
    assert sum("curl" in code for code, _ in PAGE) == 1


@pytest.mark.parametrize("step", range(len(PAGE)))
def test_a_block_of_the_page_prints_what_it_shows(step, place):
    code, expected = PAGE[step]
    if ADDRESS in code:
        with serving(place / "trees") as address:
            printed = run(code.replace(ADDRESS, address), place)
    else:
        printed = run(code, place)
    for line in expected.splitlines():
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        assert any(pattern.fullmatch(shown) for shown in printed), f"{line!r} is not in:\n" + "\n".join(printed[:40])


@pytest.fixture(scope="module")
def checkout(built_real, tmp_path_factory):
    """A copy of the publication with a release, which looks like a checkout that has been set up."""
    directory = tmp_path_factory.mktemp("readme") / "checkout"
    shutil.copytree(built_real, directory, symlinks=True)
    (directory / ".venv").mkdir()
    (directory / ".venv/bin").symlink_to(Path(sys.executable).parent)
    return directory


@pytest.mark.parametrize("code", QUERIES)
def test_a_command_of_the_readme_runs_as_it_stands(code, checkout):
    with serving(checkout) as address:
        printed = run(code.replace(ADDRESS, address), checkout)
    assert len(printed) > 3


def test_the_targets_that_the_readme_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    names = [name for code, _ in README for name in re.findall(r"^make (\w+)", code, re.MULTILINE)]
    assert names == ["serve", "test"]
    assert all(re.search(rf"^{name}:", makefile, re.MULTILINE) for name in names)
