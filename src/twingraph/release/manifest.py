"""The manifest of a release: its metadata, provenance, statistics and the result of its check.

Other programs read it, so its form changes deliberately; FORM is its version.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import pyoxigraph as ox
from pydantic import BaseModel, ConfigDict, ValidationError

from twingraph import __version__
from twingraph.errors import ReleaseError, SettingsError
from twingraph.linked_data.addresses import Addresses, root_of
from twingraph.publication.evidence import Document
from twingraph.rdf.iris import Iris, canonical_language
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.dumps import Dump
from twingraph.settings import Agent, Catalogue, Descriptions

FILE = "manifest.json"
# 1: the store has no digests; 2: they are in `store.json`; 3: there are `graphs.nt.gz` and indexes.
FORM = 3
_TOOLS = ("pyoxigraph", "pyshacl", "rdflib", "edtf")
_NAMES = (
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://purl.org/dc/terms/title",
)
_GIT_SECONDS = 30
_VARIABLE = "SOURCE_DATE_EPOCH"
# The end of the year 9999: identifiers and dates have four digits for years.
_LATEST, _MAX_DIGITS = 253402300799, 12


class Box(BaseModel):
    """Bounds in degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    west: float
    south: float
    east: float
    north: float


class Located(BaseModel):
    """A place by an authority's ``iri``, the ``thing`` of the release that is the same, and its bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    iri: str
    thing: str
    box: Box


class Coverage(BaseModel):
    """What a release is about: days as in xsd:date, bounds of all coordinates, and places that have an authority's IRI.

    ``ontologies`` are those that it contains. None or nothing where the data do not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    earliest: str | None = None
    latest: str | None = None
    box: Box | None = None
    places: tuple[Located, ...] = ()
    ontologies: tuple[str, ...] = ()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassCount(_Part):
    """The number of instances of a class, and its label in each language."""

    things: int
    labels: dict[str, str] = {}


class Check(_Part):
    """The result of the check: the number of findings by severity, and how much was checked."""

    conforms: bool
    findings: dict[str, int]
    focus_nodes: int
    passages_verified: int
    passages_not_verified: int


class Origin(_Part):
    """What a release was built from: commit, whether files differ from it, digests of the files, versions of tools."""

    commit: str | None
    changed: bool
    inputs: dict[str, str]
    tools: dict[str, str]


class Manifest(_Part):
    """Everything about a release; ``files`` has the SHA-256 of its files, except those of the store.

    ``language_tags`` are the tags of its literals that are not lower-case, which the engine would lower-case. The store
    is the engine's own form of ``quads.nq.gz``: its content is the same for the same input, its files are not. Their
    digests are therefore in ``store.json`` (since form 2), and the manifest is the same for the same input.
    ``catalogue`` are the settings of that name, ``coverage`` and ``place_names`` what the data add to them, and
    ``dumps`` the files under ``dumps/``, whose digests are not in ``files``.
    """

    form: int = FORM
    id: str
    created: str
    base_iri: str
    prefixes: dict[str, str]
    default_graph: DefaultGraph = DefaultGraph.UNION
    title: dict[str, str]
    description: dict[str, str]
    publisher: Agent | None
    contact: Agent | None
    licence: str | None
    languages: tuple[str, ...]
    language_tags: tuple[str, ...] = ()
    origin: Origin
    quads: int
    graphs: dict[str, int]
    classes: dict[str, ClassCount]
    documents: dict[str, dict[str, str]]
    descriptions: Descriptions = Descriptions()
    check: Check
    files: dict[str, str]
    catalogue: Catalogue = Catalogue()
    coverage: Coverage = Coverage()
    place_names: dict[str, dict[str, str]] = {}
    dumps: tuple[Dump, ...] = ()

    @property
    def iris(self) -> Iris:
        """The IRIs of the release."""
        return Iris(self.base_iri, self.prefixes)

    @property
    def addresses(self) -> Addresses:
        """The addresses of the documents about things."""
        return Addresses(root_of(self.base_iri), self.descriptions.things, self.descriptions.documents)

    def to_json(self) -> bytes:
        """Return the manifest as JSON with sorted keys."""
        data = self.model_dump(mode="json")
        return (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of the release in a directory; raises ReleaseError when it is missing or damaged."""
    try:
        return Manifest.model_validate_json((directory / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else f"{error.error_count()} entries are missing or invalid"
        )
        raise ReleaseError(str(directory / FILE), str(reason)) from error


def class_counts(things: Mapping[bytes, int], names: Mapping[str, Mapping[str, str]]) -> dict[str, ClassCount]:
    """Return the entries of classes, given the number of instances of each and their names."""
    by_iri = {class_.decode()[1:-1]: number for class_, number in things.items()}
    return {iri: ClassCount(things=number, labels=dict(names.get(iri, {}))) for iri, number in by_iri.items()}


def document_names(documents: Iterable[Document], names: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the names of each source document, those of its file where the data have none."""
    return {one.iri: dict(names.get(one.iri) or {"": one.file_name}) for one in documents}


def names_of(things: set[str], lines: NQuads) -> dict[str, dict[str, str]]:
    """Return the names of things by language; of several in one language, the first in code point order."""
    found: dict[str, dict[str, str]] = {thing: {} for thing in things}
    for quad in lines.with_predicates(_NAMES):
        known = found.get(str(getattr(quad.subject, "value", "")))
        if known is not None and isinstance(quad.object, ox.Literal):
            language = canonical_language(quad.object.language or "")
            known[language] = min(known.get(language, quad.object.value), quad.object.value)
    return found


def digest(content: bytes) -> str:
    """Return the SHA-256 of the content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Provenance:
    """The commit, None outside git; whether the inputs differ from it; the date of the release."""

    commit: str | None
    changed: bool
    created: datetime


def provenance(directory: Path, inputs: Sequence[Path]) -> Provenance:
    """Return the provenance of the inputs.

    The date is SOURCE_DATE_EPOCH if it is set (reproducible-builds.org), else the time of the commit or, if there is
    none or files differ from it, of the newest input. Raises SettingsError as `source_date_epoch` does.
    """
    commit = _git(directory, "rev-parse", "HEAD")
    status = _git(directory, "status", "--porcelain", "--ignored", "--", *map(str, inputs)) if commit else None
    changed = status is None or status != ""
    return Provenance(commit, changed, datetime.fromtimestamp(_seconds(directory, inputs, changed), UTC))


def tools() -> dict[str, str]:
    """Return the versions of this program, Python, and the libraries on which the content of a release depends."""
    return {"python": python_version(), "twingraph": __version__, **{name: version(name) for name in _TOOLS}}


def _seconds(directory: Path, inputs: Sequence[Path], changed: bool) -> int:
    epoch = source_date_epoch()
    if epoch is not None:
        return epoch
    committed = None if changed else _git(directory, "show", "-s", "--format=%ct", "HEAD")
    return int(committed) if committed else int(max(path.stat().st_mtime for path in inputs))


def source_date_epoch() -> int | None:
    """Return SOURCE_DATE_EPOCH, in seconds since 1970, None if it is not set; raises SettingsError."""
    text = os.environ.get(_VARIABLE)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or int(text) > _LATEST:
        reason = f"must be a number of seconds since 1970, at most {_LATEST}, not {text[:40]!r}"
        raise SettingsError("environment", _VARIABLE, reason)
    return int(text)


def _git(directory: Path, *arguments: str) -> str | None:
    """Return the output of git, None without git or outside a repository."""
    try:
        command = ["git", "-C", str(directory), *arguments]
        run = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
