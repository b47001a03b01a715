"""From the files of a publication to an assembly: parse them, load a store, derive statements."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
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
from twingraph.publication.skolemisation import derived_without_blank_nodes, without_blank_nodes
from twingraph.publication.working_store import WorkingStore, stopped
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.settings import Derivation, Settings
from twingraph.settings.policy import BlankNodes

StepObserver = Callable[[str], AbstractContextManager[None]]
"""Takes the name of a step of a long task; what it returns is entered when the step begins, and left when it ends."""


def no_observer(step: str) -> AbstractContextManager[None]:
    """Ignore every step."""
    return nullcontext()


@dataclass(frozen=True)
class Assembly:
    """Everything that a release is built from; ``findings`` are about the rules, each reading has its own.

    ``working_store`` contains all quads for the queries of rules and checks; it does not preserve lexical forms.
    ``derived_by`` has, for the path of each rule, those of the ``derived`` statements that it has made.
    """

    publication: Publication
    reading: Reading
    shapes: Reading
    working_store: WorkingStore
    derived: NQuads
    derived_by: tuple[tuple[str, NQuads], ...]
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
    working_store = WorkingStore(settings.iris, settings.check_limits)
    working_store.start()  # it gets ready while the files are read
    with observer("parse"):
        reading = _read(publication, spool_files.asserted if spool_files else None)
    is_whole = spool_files is not None and not reading.findings
    if spool_files and is_whole:
        spool_files.on_complete(spool_files.asserted)
    with observer("load the engine"):
        working_store.hide(_hidden(settings.derivations[0], settings.iris))
        working_store.load(reading.lines)
    with observer("derive"):
        derivation = _derive(publication, reading.lines, working_store, spool_files.derived if spool_files else None)
    findings = derivation.findings
    if spool_files and is_whole and not findings:
        spool_files.on_complete(spool_files.derived)
    with observer("parse shapes and queries"):
        shapes, saved = read_shapes(publication), read_saved_queries(publication)
        findings += unreadable_query_files(publication, publication.check_files)
    derived, by_rule = derivation.lines, derivation.by_rule
    return Assembly(publication, reading, shapes, working_store, derived, by_rule, saved, findings)


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


@dataclass(frozen=True, slots=True)
class _Derivation:
    """What the rules have derived, all of it and rule by rule, or why nothing is derived."""

    lines: NQuads = field(default_factory=NQuads)
    by_rule: tuple[tuple[str, NQuads], ...] = ()
    findings: tuple[Finding, ...] = ()


def _hidden(derivation: Derivation, iris: Iris) -> frozenset[str]:
    return frozenset(map(iris.graph, derivation.without))


def _derive(publication: Publication, given: NQuads, working_store: WorkingStore, path: Path | None) -> _Derivation:
    if unreadable := unreadable_query_files(publication, publication.rule_files):
        return _Derivation(findings=unreadable)
    iris, rules = publication.settings.iris, tuple(read_query_files(publication, publication.rule_files))
    writer, by_rule = NQuadsWriter(_unnamed(publication, path)), defaultdict[str, NQuads](NQuads)
    for derivation in publication.settings.derivations:
        working_store.hide(_hidden(derivation, iris))
        for rule in rules:
            try:
                new = writer.add_lines(working_store.derive(rule, iris.graph(derivation.graph)))
            except (QueryError, LimitError, WorkerLostError) as error:
                working_store.hide(())
                working_store.load(given)
                return _Derivation(findings=(_failed(rule, error),))
            by_rule[rule.path] += new
            working_store.append(new)
    working_store.hide(())
    derived = writer.lines
    if _skolemises(publication):
        derived = derived_without_blank_nodes(derived, NQuadsWriter(path), iris.genid)
        working_store.load(given + derived)  # the rules have added blank nodes to it
    return _Derivation(derived, tuple(by_rule.items()))


def _failed(rule: QueryFile, error: QueryError | LimitError | WorkerLostError) -> Finding:
    remedy = "fix the rule; nothing was derived"
    if isinstance(error, QueryError):
        message = error.message.removeprefix(f"{rule.path}: ")
        return Finding("query/rule", message, remedy, location=Location(rule.path, error.line, error.column))
    return Finding("query/limit", stopped("rule", error), remedy, location=Location(rule.path, 1))
