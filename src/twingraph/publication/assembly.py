"""From a publication's directory to an assembly: read, then derive."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twingraph.errors import QueryError
from twingraph.findings import Finding, Location
from twingraph.progress import Watch, unwatched
from twingraph.publication.deriving import derive
from twingraph.publication.engine import Engine
from twingraph.publication.evidence import Document, documents
from twingraph.publication.files import Publication
from twingraph.publication.reading import Reading, SavedQueries, read, read_query_files, read_saved_queries, read_shapes
from twingraph.rdf.nquads import Lines
from twingraph.settings import Settings


@dataclass(frozen=True)
class Assembly:
    """All that a release is made from; ``findings`` are those of the rules, the readings hold their own.

    ``engine`` is over all quads, as the rules and the checks ask it; it does not keep lexical forms.
    """

    publication: Publication
    reading: Reading
    shapes: Reading
    engine: Engine
    derived: Lines
    saved: SavedQueries
    findings: tuple[Finding, ...]

    @property
    def settings(self) -> Settings:
        """The publication's settings."""
        return self.publication.settings

    @cached_property
    def quads(self) -> Lines:
        """The quads as the files say them, in the files' order, then the derived ones."""
        return self.reading.lines + self.derived

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The source documents, none when the publication has no evidence."""
        terms = self.settings.evidence
        return documents(self.quads, terms, self.settings.iris) if terms else ()


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the statements are kept: in files in ``directory``; ``ready`` is given each of them when it is whole."""

    directory: Path
    ready: Callable[[Path], None]

    @property
    def said(self) -> Path:
        """The file of what the publication's files say."""
        return self.directory / "said.nq"

    @property
    def derived(self) -> Path:
        """The file of what is derived."""
        return self.directory / "derived.nq"


def assemble(settings: Settings, kept: Kept | None = None, watch: Watch = unwatched) -> Assembly:
    """Read the publication and derive what its rules say; without ``kept`` the statements are kept in memory.

    Raises PublicationError when there is nothing to read; what does not parse is a finding.
    """
    publication = Publication(settings)
    with watch("parse"):
        reading = read(publication, kept.said if kept else None)
    is_whole = kept is not None and not reading.findings
    if kept and is_whole:
        kept.ready(kept.said)
    with watch("load the engine"):
        engine = Engine(reading.lines)
    with watch("derive"):
        derived, findings = _derive(publication, engine, kept.derived if kept else None)
    if kept and is_whole and not findings:
        kept.ready(kept.derived)
    with watch("parse shapes and queries"):
        shapes, saved = read_shapes(publication), read_saved_queries(publication)
    return Assembly(publication, reading, shapes, engine, derived, saved, findings)


def _derive(publication: Publication, engine: Engine, keep: Path | None) -> tuple[Lines, tuple[Finding, ...]]:
    iris = publication.settings.iris
    rules = read_query_files(publication, publication.rule_files)
    try:
        derived = derive(rules, engine.store, iris, iris.graph(publication.settings.derived_graph), keep)
    except QueryError as error:
        engine.forget()  # what the rules before it derived
        path = next((rule.path for rule in rules if error.message.startswith(f"{rule.path}: ")), None)
        place = Location(path, error.line, error.column) if path else None
        message = error.message.removeprefix(f"{path}: ")
        return Lines(), (Finding("query/rule", message, "mend the rule; nothing was derived", location=place),)
    engine.holds(derived)
    return derived, ()
