"""From the files of a publication to an assembly: parse them, load a store, derive statements."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twingraph.errors import QueryError
from twingraph.findings import Finding, Location
from twingraph.policy import BlankNodes
from twingraph.publication.evidence import Document, documents
from twingraph.publication.files import (
    Publication,
    Reading,
    SavedQueries,
    read,
    read_query_files,
    read_saved_queries,
    read_shapes,
)
from twingraph.publication.skolemisation import derived_without_blank_nodes, without_blank_nodes
from twingraph.publication.working_store import WorkingStore, derive
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.settings import Settings

StepObserver = Callable[[str], AbstractContextManager[None]]
"""Takes the name of a step of a long task; what it returns is entered when the step begins, and left when it ends."""


def no_observer(step: str) -> AbstractContextManager[None]:
    """Ignore every step."""
    return nullcontext()


@dataclass(frozen=True)
class Assembly:
    """Everything that a release is built from; ``findings`` are about the rules, each reading has its own.

    ``working_store`` contains all quads for the queries of rules and checks; it does not preserve lexical forms.
    """

    publication: Publication
    reading: Reading
    shapes: Reading
    working_store: WorkingStore
    derived: NQuads
    saved: SavedQueries
    findings: tuple[Finding, ...]

    @property
    def settings(self) -> Settings:
        """The publication's settings."""
        return self.publication.settings

    @cached_property
    def quads(self) -> NQuads:
        """The quads of the files, in the files' order, then the derived ones."""
        return self.reading.lines + self.derived

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The source documents that have an IRI, none when the publication has no evidence."""
        terms = self.settings.evidence
        found = documents(self.quads, terms, self.settings.iris) if terms else ()
        return tuple(document for document in found if not document.iri.startswith("_:"))


@dataclass(frozen=True, slots=True)
class SpoolFiles:
    """Files in ``directory`` for the statements; ``on_complete`` is called with each file when it is complete."""

    directory: Path
    on_complete: Callable[[Path], None]

    @property
    def asserted(self) -> Path:
        """The file of the statements that the publication makes itself."""
        return self.directory / "asserted.nq"

    @property
    def derived(self) -> Path:
        """The file of the derived statements."""
        return self.directory / "derived.nq"


def assemble(
    settings: Settings, spool_files: SpoolFiles | None = None, observer: StepObserver = no_observer
) -> Assembly:
    """Parse the publication's files and apply its rules; without ``spool_files`` the statements stay in memory.

    Raises PublicationError when there are no files; one that does not parse is a finding.
    """
    publication = Publication(settings)
    with observer("parse"):
        reading = _read(publication, spool_files.asserted if spool_files else None)
    is_whole = spool_files is not None and not reading.findings
    if spool_files and is_whole:
        spool_files.on_complete(spool_files.asserted)
    with observer("load the engine"):
        working_store = WorkingStore(reading.lines)
    with observer("derive"):
        derived, findings = _derive(publication, working_store, spool_files.derived if spool_files else None)
    if spool_files and is_whole and not findings:
        spool_files.on_complete(spool_files.derived)
    with observer("parse shapes and queries"):
        shapes, saved = read_shapes(publication), read_saved_queries(publication)
    return Assembly(publication, reading, shapes, working_store, derived, saved, findings)


def _read(publication: Publication, path: Path | None) -> Reading:
    reading = read(publication, _unnamed(publication, path))
    if not _skolemises(publication):
        return reading
    return without_blank_nodes(reading, NQuadsWriter(path), publication.settings.iris.genid)


def _skolemises(publication: Publication) -> bool:
    return publication.settings.policy.blank_nodes is BlankNodes.SKOLEMISE


def _unnamed(publication: Publication, path: Path | None) -> Path | None:
    """Return the file for statements that still may have blank nodes."""
    return path.with_suffix(".unnamed.nq") if path and _skolemises(publication) else path


def _derive(
    publication: Publication, working_store: WorkingStore, path: Path | None
) -> tuple[NQuads, tuple[Finding, ...]]:
    iris = publication.settings.iris
    rules = read_query_files(publication, publication.rule_files)
    try:
        graph = iris.graph(publication.settings.derived_graph)
        derived = derive(rules, working_store.store, iris, graph, _unnamed(publication, path))
    except QueryError as error:
        working_store.unload()  # and with it what earlier rules derived
        failed = next((rule.path for rule in rules if error.message.startswith(f"{rule.path}: ")), None)
        place = Location(failed, error.line, error.column) if failed else None
        message = error.message.removeprefix(f"{failed}: ")
        return NQuads(), (Finding("query/rule", message, "fix the rule; nothing was derived", location=place),)
    if _skolemises(publication):
        derived = derived_without_blank_nodes(derived, NQuadsWriter(path), iris.genid)
        working_store.unload()  # the rules have added blank nodes to it
    working_store.append(derived)
    return derived, ()
