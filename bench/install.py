"""Installing the servers to compare with, in a place of their own (bench/.cache); Virtuoso comes from the system.

python bench/install.py
"""

import shutil
import subprocess
import sys
import venv

from places import CACHE, COMPETITORS, FUSEKI

# py-spy is for `bench/layers.py`.
_PACKAGES = ("oxigraph", "rdflib-endpoint", "py-spy")
_JENA = "5.3.0"


def install() -> None:
    """Install what is missing and can be installed without rights over the machine; say what else to do."""
    _python_packages()
    _fuseki()
    if not shutil.which("virtuoso-t"):
        print("Virtuoso is not here; on Debian: apt-get install virtuoso-opensource", file=sys.stderr)


def _python_packages() -> None:
    if all((COMPETITORS / name).exists() for name in _PACKAGES):
        return
    venv.create(COMPETITORS.parent, with_pip=True)
    subprocess.run([COMPETITORS / "python", "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)


def _fuseki() -> None:
    if FUSEKI.exists():
        return
    if not shutil.which("mvn") or not shutil.which("java"):
        print(
            "Fuseki needs Java 17 and Maven; on Debian: apt-get install openjdk-17-jre-headless maven", file=sys.stderr
        )
        return
    artifact = f"org.apache.jena:jena-fuseki-server:{_JENA}:jar"
    command = ["mvn", "-q", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={CACHE}"]
    subprocess.run([*command, "-Dmdep.stripVersion=true"], check=True)


if __name__ == "__main__":
    install()
