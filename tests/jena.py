"""Apache Jena's commands: their class path is resolved by Maven as ``clients/pom.xml`` says, and kept beside it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from running import ENVIRONMENT

CLIENTS = Path(__file__).parent / "clients"
_POM = CLIENTS / "pom.xml"
_KEPT = CLIENTS / ".jena-class-path"


def class_path() -> str:
    """Return the class path of Jena's commands; skip the test where there is no Maven, but in CI."""
    if _KEPT.exists() and _KEPT.stat().st_mtime > _POM.stat().st_mtime:
        kept = _KEPT.read_text()
        if all(Path(one).exists() for one in kept.split(os.pathsep)):
            return kept
    maven = shutil.which("mvn")
    if maven is None and not os.environ.get("CI"):
        pytest.skip("Maven is not here, so Jena does not ask; on Debian: apt-get install maven")
    assert maven, "CI has Maven: .ci/run installs it"
    command = [maven, "-q", "-B", "-f", str(_POM), "dependency:build-classpath", f"-Dmdep.outputFile={_KEPT}"]
    subprocess.run(command, check=True, timeout=600, capture_output=True)
    return _KEPT.read_text()


def run_jena(command: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run one of Jena's commands to its end, whatever that is: ``arq.rsparql``, for example."""
    line = ["java", "-cp", class_path(), command, *arguments]
    return subprocess.run(line, capture_output=True, check=False, timeout=120, env=ENVIRONMENT)
