"""Harvesters for the tests: CKAN's parser of DCAT, and extruct, in an environment of their own that is kept."""

import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from running import ENVIRONMENT, locked

_CLIENTS = Path(__file__).parent / "clients"
_CACHE = _CLIENTS / ".cache"


@cache
def _python() -> Path:
    """Return the interpreter that has what ``clients/harvesters.txt`` lists, installed if need be."""
    wanted = _CLIENTS / "harvesters.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment = _CACHE / f"harvesters-{version}-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]}"
    python, mark = environment / "bin/python", environment / ".installed"
    _CACHE.mkdir(exist_ok=True)
    with locked(_CACHE / "harvesters.lock"):
        if not mark.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True, timeout=120)
            # Each version is pinned, and CKAN's own requirements include the driver of a database that is not needed.
            install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", wanted]
            subprocess.run(install, check=True, timeout=600)
            mark.touch()
    return python


def _read(kind: str, text: str) -> Any:
    script = _CLIENTS / "read_catalogue.py"
    run = subprocess.run(
        [_python(), script, kind], input=text, capture_output=True, text=True, check=False, timeout=120, env=ENVIRONMENT
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def ckan_datasets(catalogue: str, format_: str) -> list[dict[str, Any]]:
    """Return the datasets that CKAN makes of a catalogue in ``turtle``, ``xml``, ``json-ld`` or ``nt``."""
    return _read(format_, catalogue)


def embedded_json_ld(page: str) -> list[dict[str, Any]]:
    """Return the JSON-LD that extruct finds in a page."""
    return _read("page", page)
