"""Documents over an open release: from the IRIs that a request may mean to the bytes of a representation."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyoxigraph as ox

from twingraph.errors import UnknownNameError, WithdrawnError
from twingraph.linked_data.addresses import Addresses
from twingraph.linked_data.compact_json_ld import Context
from twingraph.linked_data.description import Description, Selection, Statements, describe
from twingraph.linked_data.representation import Document, Origin, serialized
from twingraph.rdf.formats import HTML, JSON_LD, Format

# The file of a release with its JSON-LD context.
CONTEXT = "context.jsonld"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_REPLACED = "http://purl.org/dc/terms/isReplacedBy"
_MAX_NEAR = 3


class NamedStatements(Statements, Protocol):
    """The statements of a release, whose subjects are sorted."""

    def near(self, iri: str) -> Iterable[str]:
        """Return some IRIs of subjects that begin like this one."""


class Written(NamedTuple):
    """A representation; ``next`` is the reference to the next page from this one, empty if there is none."""

    body: bytes
    next: str = ""


@dataclass(frozen=True)
class Facts:
    """What descriptions depend on besides the statements, as the manifest of the release has it."""

    addresses: Addresses
    namespaces: Mapping[str, str]
    selection: Selection
    origin: Origin
    tombstone: str
    context: Path

    @cached_property
    def json_ld(self) -> Context:
        """The context of the release."""
        definitions: Mapping[str, Any] = json.loads(self.context.read_bytes())["@context"]
        return Context(self.addresses.base + self.context.name, definitions)


class Documents:
    """The documents about the things of a release."""

    def __init__(self, facts: Facts, statements: NamedStatements) -> None:
        self._facts, self._statements = facts, statements

    def location(self, iris: tuple[str, ...]) -> Written:
        """Return as JSON which IRI is meant, and where the document about it is.

        Raises UnknownNameError, or WithdrawnError.
        """
        found = self._described(iris, 1)
        address = self._facts.addresses.document(found.iri)
        facts = {"iri": found.iri, "is_namespace": found.is_namespace, "document": address}
        return Written(json.dumps(facts).encode())

    def written(self, iris: tuple[str, ...], format_: Format, address: str, page: int) -> Written:
        """Return the document about the first of the IRIs that is known.

        For HTML it is JSON with the description and its representation as JSON-LD. Raises UnknownNameError,
        WithdrawnError, or QueryError if the format cannot represent a term.
        """
        facts = self._facts
        description = self._described(iris, page)
        document = Document(facts.addresses.base + address, description, facts.origin, facts.selection.links)
        following = document.page(page + 1) if page < document.page_count else ""
        link = following[following.find("?") :]
        if format_ == HTML:
            embedded = serialized(document, JSON_LD, facts.json_ld, facts.namespaces).decode()
            return Written(json.dumps({"description": description.to_json(), "json_ld": embedded}).encode(), link)
        return Written(serialized(document, format_, facts.json_ld, facts.namespaces), link)

    def _described(self, iris: tuple[str, ...], page: int) -> Description:
        found = describe(self._statements, iris, self._facts.selection, page)
        if found is None:
            name = next(iter(iris), "")
            raise UnknownNameError("thing", name, self._near(name))
        if page > found.pages(self._facts.selection.links):
            raise UnknownNameError("page", str(page), (str(found.pages(self._facts.selection.links)),))
        if _has(found, _TYPE, self._facts.tombstone):
            successors = (quad.object for quad in found.statements if quad.predicate.value == _REPLACED)
            successor = next((one.value for one in successors if isinstance(one, ox.NamedNode)), "")
            raise WithdrawnError(found.iri, successor)
        return found

    def _near(self, iri: str) -> list[str]:
        return get_close_matches(iri, list(self._statements.near(iri)), n=_MAX_NEAR, cutoff=0.8)


def _has(description: Description, predicate: str, value: str) -> bool:
    return any(
        quad.predicate.value == predicate and quad.object == ox.NamedNode(value) for quad in description.statements
    )
