"""Jena for the tests: the class path of ``clients/pom.xml``, fetched by Maven and kept until that file changes."""

import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from running import ENVIRONMENT, locked

_CLIENTS = Path(__file__).parent / "clients"
_CACHE = _CLIENTS / ".cache"
# The plug-in is pinned as the dependencies are.
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:build-classpath"


def missing() -> str:
    """Return what is not here that Jena needs, nothing when all of it is."""
    absent = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return (
        f"not installed: {', '.join(absent)}; on Debian: apt-get install default-jdk-headless maven" if absent else ""
    )


@cache
def class_path() -> str:
    """Return the class path of Jena's commands and ARQ; raises RuntimeError when Maven cannot fetch them."""
    pom = _CLIENTS / "pom.xml"
    kept = _CACHE / f"{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}.classpath"
    _CACHE.mkdir(exist_ok=True)
    with locked(_CACHE / "fetching.lock"):
        if not (kept.exists() and all(map(os.path.exists, kept.read_text().split(os.pathsep)))):
            new = kept.with_suffix(".tmp")
            command = ["mvn", "-q", "-B", "-f", str(pom), _GOAL, f"-Dmdep.outputFile={new}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            if done.returncode:
                raise RuntimeError(f"Maven could not fetch Jena: {(done.stdout + done.stderr)[-2000:]}")
            new.replace(kept)
    return kept.read_text().strip()


def run_jena(command: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run one of Jena's commands to its end, whatever that is: ``arq.rsparql``, for example."""
    line = ["java", "-cp", class_path(), command, *arguments]
    return subprocess.run(line, capture_output=True, check=False, timeout=120, env=ENVIRONMENT)
