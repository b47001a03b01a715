"""The table of data sets, ``datasets.toml``: where each comes from, which files, settings and shapes."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_TABLE = FOLDER / "datasets.toml"
MAX_SETTINGS = 10


@dataclass(frozen=True)
class Package:
    """One version of a package of a registry, ``pypi`` or ``npm``, and the SHA-256 of the file it is distributed as."""

    registry: str
    name: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Repository:
    """A commit of a public repository, which only a person can bring here."""

    name: str
    commit: str


Origin = Package | Repository


@dataclass(frozen=True)
class Files:
    """The files below ``root`` of an origin that match one of the patterns."""

    origin: Origin
    root: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class DataSet:
    """A data set; ``oracle`` says who else reads it: ``rdflib``, the ``suite``'s own results, or the ``engine``."""

    name: str
    title: str
    licence: str
    files: Files
    shapes: tuple[Files, ...]
    own_shapes: tuple[str, ...]
    settings: str
    oracle: str
    by_hand: bool
    note: str
    left_out: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The lines of its settings."""
        return [line for line in self.settings.splitlines() if line.strip()]

    @property
    def origins(self) -> set[Origin]:
        """Where its files and shapes come from."""
        return {self.files.origin, *(files.origin for files in self.shapes)}


def backends() -> list[str]:
    """Return the build backends that source distributions on PyPI name, without which pip downloads none."""
    return _table()["backends"]


def data_sets() -> tuple[DataSet, ...]:
    """Return the rows of the table."""
    table = _table()
    origins: dict[str, Origin] = {key: Package(**row) for key, row in table["packages"].items()}
    origins |= {key: Repository(**row) for key, row in table["repositories"].items()}

    def files(text: str, *patterns: str) -> Files:
        origin, root, *found = text.split(":")
        return Files(origins[origin], root, (*found, *patterns))

    return tuple(
        DataSet(
            row["name"],
            row["title"],
            row["licence"],
            files(row["from"], *row["files"]),
            tuple(files(each) for each in row.get("shapes", [])),
            tuple(row.get("own_shapes", [])),
            row["settings"],
            row.get("oracle", "rdflib"),
            row.get("by_hand", False),
            row.get("note", ""),
            tuple(row.get("left_out", [])),
        )
        for row in table["datasets"]
    )


@cache
def _table() -> dict:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))
