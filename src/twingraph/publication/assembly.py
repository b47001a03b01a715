"""From the files of a publication to an assembly: parse them, load a store, derive statements."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twingraph.errors import LimitError, QueryError, WorkerLostError
from twingraph.findings import Finding, Location
from twingraph.publication.evidence import Document, documents
from twingraph.publication.files import Publication
from twingraph.publication.query_files import (
    QueryFile,
    SavedQueries,
    read_query_files,
    read_saved_queries,
    unreadable_query_files,
)
from twingraph.publication.reading import Reading, read, read_shapes
from twingraph.publication.working_store import WorkingStore, stopped
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
        """The source documents, none when the publication has no evidence."""
        terms = self.settings.evidence
        return documents(self.quads, terms, self.settings.iris) if terms else ()


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
    working_store = WorkingStore(settings.iris, settings.check_limits)
    working_store.start()  # it gets ready while the files are read
    with observer("parse"):
        reading = read(publication, spool_files.asserted if spool_files else None)
    is_whole = spool_files is not None and not reading.findings
    if spool_files and is_whole:
        spool_files.on_complete(spool_files.asserted)
    with observer("load the engine"):
        working_store.load(reading.lines)
    with observer("derive"):
        derived, findings = _derive(publication, working_store, spool_files.derived if spool_files else None)
    if spool_files and is_whole and not findings:
        spool_files.on_complete(spool_files.derived)
    with observer("parse shapes and queries"):
        shapes, saved = read_shapes(publication), read_saved_queries(publication)
        findings += unreadable_query_files(publication, publication.check_files)
    return Assembly(publication, reading, shapes, working_store, derived, saved, findings)


def _derive(
    publication: Publication, working_store: WorkingStore, path: Path | None
) -> tuple[NQuads, tuple[Finding, ...]]:
    if unreadable := unreadable_query_files(publication, publication.rule_files):
        return NQuads(), unreadable
    writer, graph = NQuadsWriter(path), publication.settings.iris.graph(publication.settings.derived_graph)
    for rule in read_query_files(publication, publication.rule_files):
        try:
            derived = working_store.derive(rule, graph)
        except (QueryError, LimitError, WorkerLostError) as error:
            working_store.unload()  # drops what the rules before it derived
            return NQuads(), (_failed(rule, error),)
        working_store.append(writer.add_lines(derived))
    return writer.lines, ()


def _failed(rule: QueryFile, error: QueryError | LimitError | WorkerLostError) -> Finding:
    remedy = "fix the rule; nothing was derived"
    if isinstance(error, QueryError):
        message = error.message.removeprefix(f"{rule.path}: ")
        return Finding("query/rule", message, remedy, location=Location(rule.path, error.line, error.column))
    return Finding("query/limit", stopped("rule", error), remedy, location=Location(rule.path, 1))
