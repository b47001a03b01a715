"""Settings for files and folders that have none: the base IRI guessed, a named graph for each file."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox

from twingraph.errors import PublicationError, SettingsError
from twingraph.publication.files import RDF_SUFFIXES, Publication, suffix_of
from twingraph.publication.reading import read
from twingraph.settings import Settings, settings_from
from twingraph.settings_layers import FILE_NAME

# What relative IRIs are resolved against while the base is not known, and when nothing suggests one.
UNKNOWN_BASE = "https://data.example/"
# So many statements tell the commonest namespace, and so much of a file holds its prefixes.
_SAMPLE, _HEAD_BYTES = 100_000, 65_536
_TITLED = 3
_PREFIX = re.compile(
    r"""(?:@?prefix\s+|xmlns:)([A-Za-z][\w.-]*)\s*(?::\s*<([^<>\s]*)>|=\s*["']([^"'<>\s]*)["'])""", re.I
)
_COMMON_PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def settings_of_files(paths: Sequence[Path], shapes: Sequence[Path] = (), **options: object) -> tuple[Settings, bool]:
    """Return settings with which these files and folders are read, and whether their base IRI is a guess.

    ``options`` are those of the command line. Raises PublicationError for what is not there or is not RDF, and
    SettingsError for options that cannot be used and for a folder that is a publication.
    """
    if not paths:
        raise PublicationError("data", "name at least one file or folder of RDF")
    data, rules = tuple(map(_absolute, paths)), tuple(map(_absolute, shapes))
    directory = _directory((*data, *rules))
    values: dict[str, object] = {
        "base_iri": UNKNOWN_BASE,
        "title": {"en": _title(data)},
        "graphs": [{"files": "**", "graph": "graph/{path}"}],
        "prefixes": _COMMON_PREFIXES | declared_prefixes(_files(data)),
    }
    inputs = {"directory": directory, "data_files": data, "shape_files": rules}
    provisional = settings_from(values, inputs, **options)
    is_guessed = options.get("base_iri") is None and provisional.base_iri == UNKNOWN_BASE
    if not is_guessed:
        return provisional, False
    base = guessed_base(_subjects(provisional))
    return settings_from(values | {"base_iri": base}, inputs, **options), True


def guessed_base(subjects: Iterable[str]) -> str:
    """Return the commonest namespace of these IRIs as a base: http or https, to the last slash of its path."""
    counts = Counter(base for iri in subjects if (base := _base_of(iri)) and base != UNKNOWN_BASE)
    # The most frequent, of equally frequent ones the first by name, so that the guess is always the same.
    return min(counts, key=lambda base: (-counts[base], base), default=UNKNOWN_BASE)


def declared_prefixes(paths: Iterable[Path]) -> dict[str, str]:
    """Return the prefixes with absolute namespaces that files declare at their beginnings, the first of each name."""
    found: dict[str, str] = {}
    for path in paths:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
        for name, turtle, xml in _PREFIX.findall(head):
            namespace = turtle or xml
            if _base_of(namespace) or namespace.startswith("urn:"):
                found.setdefault(name, namespace)
    return found


def _subjects(settings: Settings) -> Iterator[str]:
    for quad in islice(read(Publication(settings)).lines, _SAMPLE):
        if isinstance(quad.subject, ox.NamedNode):
            yield quad.subject.value


def _base_of(iri: str) -> str | None:
    """Return the namespace of an IRI as a base, None when it is not of http."""
    parts = urlsplit(iri)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"


def _absolute(path: Path) -> Path:
    # Not resolved: findings name a file as it was given, and not where a symbolic link leads.
    absolute = Path(os.path.abspath(path))  # noqa: PTH100
    if not absolute.exists():
        raise PublicationError(str(path), "there is no such file or folder")
    if absolute.is_file() and suffix_of(absolute) not in RDF_SUFFIXES:
        raise PublicationError(str(path), f"the name of a file of RDF ends in one of {', '.join(RDF_SUFFIXES)}")
    if (absolute / FILE_NAME).exists():
        raise SettingsError(str(path), "", f"is a publication: use `twingraph -C {path}`, without naming files")
    return absolute


def _directory(paths: Sequence[Path]) -> Path:
    """Return what the paths are relative to: the current directory or, when one lies elsewhere, what they share."""
    here = Path.cwd()
    if all(path.is_relative_to(here) for path in paths):
        return here
    return Path(os.path.commonpath([path if path.is_dir() else path.parent for path in paths]))


def _files(paths: Iterable[Path]) -> list[Path]:
    folders = {path: sorted(path.rglob("*")) if path.is_dir() else [path] for path in paths}
    return [file for files in folders.values() for file in files if suffix_of(file) in RDF_SUFFIXES and file.is_file()]


def _title(paths: Sequence[Path]) -> str:
    names = [path.name for path in paths]
    if len(names) <= _TITLED:
        return ", ".join(names)
    return f"{', '.join(names[: _TITLED - 1])} and {len(names) - _TITLED + 1} more"
