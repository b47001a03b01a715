"""Apache Jena for the tests: the class path of ``pom.xml``, fetched by Maven and kept until that file changes."""

import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_CACHE = _HERE / ".cache"
# The plug-in is pinned as the dependencies are.
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:build-classpath"


def missing() -> str:
    """Return what is not here that Jena needs, nothing when all of it is."""
    absent = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


@cache
def class_path() -> str:
    """Return the class path of Jena's command line and ARQ (``java -cp ... arq.query``, ``arq.rsparql``)."""
    digest = hashlib.sha256((_HERE / "pom.xml").read_bytes()).hexdigest()[:16]
    kept = _CACHE / f"{digest}.classpath"
    if not (kept.exists() and all(map(os.path.exists, kept.read_text().split(os.pathsep)))):
        _CACHE.mkdir(exist_ok=True)
        new = kept.with_suffix(".tmp")
        command = ["mvn", "-q", "-B", "-f", str(_HERE / "pom.xml"), _GOAL, f"-Dmdep.outputFile={new}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Maven could not fetch Jena: {(done.stdout + done.stderr)[-2000:]}")
        new.replace(kept)
    return kept.read_text().strip()
