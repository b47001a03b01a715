"""The manifest of a release: what it is, what it was made from, how much is in it and what its check said.

This is what others read a release by, so it changes deliberately; FORM counts its changes.
"""

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from twingraph.errors import ReleaseError
from twingraph.rdf.iris import Iris
from twingraph.rdf.terms import DefaultGraph
from twingraph.settings import Agent

FILE = "manifest.json"
# 1: releases whose store has no digests; 2: those that have `store.json`.
FORM = 2


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassCount(_Part):
    """How many things are of a class, and what the ontology calls it in each language."""

    things: int
    labels: dict[str, str] = {}


class Check(_Part):
    """What the check said of the publication: findings by severity, and how far it looked."""

    conforms: bool
    findings: dict[str, int]
    focus_nodes: int
    passages_verified: int
    passages_not_verified: int


class Origin(_Part):
    """What a release was made from: commit, whether files differ from it, and the digest of every input file."""

    commit: str | None
    changed: bool
    inputs: dict[str, str]
    tools: dict[str, str]


class Manifest(_Part):
    """Everything about a release; ``files`` are the SHA-256 of its files, the store's directory apart.

    ``language_tags`` are the tags of its literals that are not lower-case, as the engine would write them.
    The store is the engine's own form of ``quads.nq.gz``: its files differ from build to build, its content does not.
    Their digests are in ``store.json`` (from form 2 on), so that the manifest is the same for every build of one input.
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
    check: Check
    files: dict[str, str]

    @property
    def iris(self) -> Iris:
        """The IRIs of the release."""
        return Iris(self.base_iri, self.prefixes)

    def to_json(self) -> bytes:
        """Return the manifest as JSON with sorted keys."""
        data = self.model_dump(mode="json")
        return (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of the release in a directory; raises ReleaseError when it is missing or damaged."""
    try:
        return Manifest.model_validate_json((directory / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{error.error_count()} entries are not as they must"
        raise ReleaseError(str(directory / FILE), str(reason)) from error


def digest(content: bytes) -> str:
    """Return the SHA-256 of the content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
