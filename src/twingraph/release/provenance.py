"""What a release is made from: the commit, whether the files are as committed, and the time that counts as its date."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from twingraph import __version__
from twingraph.errors import SettingsError

_TOOLS = ("pyoxigraph", "pyshacl", "rdflib", "edtf")
_SECONDS = 30
_VARIABLE = "SOURCE_DATE_EPOCH"
# The end of the year 9999: four digits are what identifiers and dates have.
_LATEST, _MOST_DIGITS = 253402300799, 12


@dataclass(frozen=True, slots=True)
class Provenance:
    """The commit, None outside git; ``changed`` when the inputs are not as committed; the release's date."""

    commit: str | None
    changed: bool
    created: datetime


def provenance(directory: Path, inputs: Sequence[Path]) -> Provenance:
    """Return where the inputs come from.

    The date is SOURCE_DATE_EPOCH when it is set (reproducible-builds.org), else the commit's time, else - when the
    files are not as committed or there is no commit - the time of the newest input.
    Raises SettingsError when the variable has no such number.
    """
    commit = _git(directory, "rev-parse", "HEAD")
    status = _git(directory, "status", "--porcelain", "--ignored", "--", *map(str, inputs)) if commit else None
    changed = status is None or status != ""
    return Provenance(commit, changed, datetime.fromtimestamp(_seconds(directory, inputs, changed), UTC))


def tools() -> dict[str, str]:
    """Return the versions of what makes a release: this program, Python and the libraries that parse and derive."""
    return {"python": python_version(), "twingraph": __version__, **{name: version(name) for name in _TOOLS}}


def _seconds(directory: Path, inputs: Sequence[Path], changed: bool) -> int:
    given = given_date()
    if given is not None:
        return given
    committed = None if changed else _git(directory, "show", "-s", "--format=%ct", "HEAD")
    return int(committed) if committed else int(max(path.stat().st_mtime for path in inputs))


def given_date() -> int | None:
    """Return SOURCE_DATE_EPOCH, in seconds since 1970, None when it is not set; raises SettingsError."""
    given = os.environ.get(_VARIABLE)
    if not given:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > _MOST_DIGITS or int(given) > _LATEST:
        reason = f"must be a number of seconds since 1970, {_LATEST} at most, and not {given[:40]!r}"
        raise SettingsError("environment", _VARIABLE, reason)
    return int(given)


def _git(directory: Path, *arguments: str) -> str | None:
    """Return what git prints, None without git or outside a repository."""
    try:
        command = ["git", "-C", str(directory), *arguments]
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
