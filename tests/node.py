"""Clients in JavaScript: their packages, installed from npm as the lock file says, and scripts that use them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from running import ENVIRONMENT, locked

CLIENTS = Path(__file__).parent / "clients"
PACKAGES = CLIENTS / "node_modules"
_LOCK = "package-lock.json"
_INSTALLED = ".package-lock.installed"


def require_packages() -> None:
    """Install the packages unless those of the lock file are there; skip the test where there is no npm, but in CI."""
    with locked(CLIENTS / ".installing.lock"):
        _install()


def _install() -> None:
    mark = PACKAGES / _INSTALLED
    lock = (CLIENTS / _LOCK).read_bytes()
    if mark.exists() and mark.read_bytes() == lock:
        return
    npm = shutil.which("npm")
    if npm is None and not os.environ.get("CI"):
        pytest.skip("npm is not here, so no client in JavaScript asks; on Debian: apt-get install nodejs npm")
    assert npm, "CI has npm: .ci/run installs it"
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-progress"], cwd=CLIENTS, check=True, timeout=300)
    mark.write_bytes(lock)


def run_script(name: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script in ``clients`` to its end, whatever that is."""
    require_packages()
    command = ["node", name, *arguments]
    return subprocess.run(command, cwd=CLIENTS, capture_output=True, check=False, timeout=60, env=ENVIRONMENT)
