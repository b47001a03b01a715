"""What the files of a publication contain once parsed.

A file that does not parse, or not within the limits, is a finding, not an error: the others are read all the same.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, cast

import pyoxigraph as ox

from twingraph.errors import FileRefusedError
from twingraph.findings import Finding
from twingraph.publication.files import Publication, file_notes, left_out
from twingraph.publication.inspection import inspect
from twingraph.publication.jsonld_contexts import ContextFiles
from twingraph.publication.jsonld_losses import losses
from twingraph.publication.sources import READ_ERRORS, Source, finding_about
from twingraph.rdf.blank_nodes import Statement
from twingraph.rdf.formats import JSON_LD
from twingraph.rdf.iris import GENID
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.positions import Locations, Texts
from twingraph.rdf.scanning import first_long_token
from twingraph.rdf.terms import text

_SEARCHES_BEFORE_INDEX = 10
_WITH_BLANK_NODE = re.compile(rb"^.*(?:_:|%b).*\n" % re.escape(GENID.encode()), re.MULTILINE)
# What the parsers raise: SyntaxError for what they recognize, MemoryError for a token larger than their buffer.
_PARSE_ERRORS = (*READ_ERRORS, SyntaxError, ValueError, RuntimeError, MemoryError, FileRefusedError)
# The first bytes of code points above U+FFFF. The parser of Turtle lets some of them stand in prefixed names although
# no IRI may have them (RFC 3987, section 2.2), and no other parser of the engine reads such an IRI again.
_ABOVE_FFFF = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
_CODE_POINT = re.compile("code point '(.)'")


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The quads of one file, with order, repetitions and lexical forms preserved; ``notes`` say what it ignores."""

    path: str
    graph: str
    quads: NQuads
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The parsed files, a finding for each that was not read, and the positions of statements.

    ``lines`` has the statements of every file, in the order of the files. ``notes`` are findings about files that were
    rightly left out or partly ignored; they do not make the reading incomplete.
    """

    files: tuple[ParsedFile, ...]
    lines: NQuads
    findings: tuple[Finding, ...]
    locations: Locations
    notes: tuple[Finding, ...] = ()


def read(publication: Publication, path: Path | None = None) -> Reading:
    """Parse the files of ontology and data; the default graph of each gets the name that the settings configure.

    The statements are written to the file ``path`` or, without one, kept in memory. Raises PublicationError when there
    are no files.
    """
    sources = [(file.path, file.graph) for file in publication.rdf_files]
    return _read(publication, sources, NQuadsWriter(path), tuple(left_out(publication)), file_notes(publication))


def read_shapes(publication: Publication) -> Reading:
    """Parse the files of shapes into the default graph."""
    return _read(publication, [(path, "") for path in publication.shape_files], NQuadsWriter())


def with_quads(reading: Reading, files: tuple[ParsedFile, ...], lines: NQuads) -> Reading:
    """Return a reading of the same files with other quads, of which ``lines`` are all."""
    homes = _Homes.of(files, reading.locations.texts)
    return replace(reading, files=files, lines=lines, locations=replace(reading.locations, homes=homes))


@dataclass(frozen=True)
class FileParser:
    """Parses files of a publication one by one."""

    publication: Publication

    def parse(self, path: Path, graph: str, writer: NQuadsWriter) -> ParsedFile | Finding:
        """Parse one file, with ``writer``, or return why it was not read, in which case nothing of it is written.

        With an empty ``graph`` its default graph has no name.
        """
        source = self.source(path)
        try:
            size = inspect(source)
            if source.format is not JSON_LD:
                with source.open() as stream:
                    return ParsedFile(source.name, graph, self._lines(source, stream, size, graph, writer))
            content = self._contexts.inlined(source)
            lines = self._lines(source, io.BytesIO(content), size, graph, writer)
            return ParsedFile(source.name, graph, lines, losses(source.name, content))
        except MemoryError:
            return finding_about(source, _literal_too_large(source))
        except _PARSE_ERRORS as error:
            return finding_about(source, error)

    def source(self, path: Path) -> Source:
        """Return a file as a source of bytes, with its limits."""
        return Source(path, self.publication.relative(path), self.publication.settings.files)

    @cached_property
    def _contexts(self) -> ContextFiles:
        settings = self.publication.settings
        return ContextFiles(settings.directory, settings.files.contexts, settings.base_iri)

    def _lines(self, source: Source, stream: BinaryIO, size: int, graph: str, writer: NQuadsWriter) -> NQuads:
        engine = cast("ox.RdfFormat", source.format.engine)
        # Labels of blank nodes are local to a file; N-Triples and N-Quads have no relative IRIs.
        relative = engine not in (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS)
        base = self.publication.settings.base_iri if relative else None
        buffer = partial(_BoundedBuffer, _Budget(source, source.allowance(size)))
        quads = ox.parse(stream, format=engine, base_iri=base, rename_blank_nodes=True)
        if engine.supports_datasets:
            target = ox.NamedNode(graph) if graph else ox.DefaultGraph()
            return writer.add(_placed(quads, target), buffer)
        return writer.add_triples(quads, graph, buffer)


@dataclass
class _Budget:
    """How many more bytes the statements of a source may take."""

    source: Source
    left: int

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise self.source.refused("its prefixes make its statements far larger than the file", "max_expansion")


class _BoundedBuffer(io.BytesIO):
    """A buffer for lines of statements, which no file can make larger than its budget."""

    def __init__(self, budget: _Budget) -> None:
        super().__init__()
        self._budget = budget

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._budget.spend(len(data))
        return super().write(data)

    def getvalue(self) -> bytes:
        """Return the lines; raises FileRefusedError when one is too long."""
        lines, limit = super().getvalue(), self._budget.source.limits.max_literal_bytes
        if len(lines) > limit and any(len(line) > limit for line in lines.split(b"\n")):
            raise _literal_too_large(self._budget.source)
        if _has_above_ffff(lines):
            _check_iris(self._budget.source, filter(_has_above_ffff, lines.split(b"\n")))
        return lines


def _has_above_ffff(lines: bytes) -> bool:
    return any(byte in lines for byte in _ABOVE_FFFF)


def _check_iris(source: Source, lines: Iterable[bytes]) -> None:
    """Raise FileRefusedError, with line and column, when an IRI in lines of N-Quads is none."""
    try:
        for _ in ox.parse(b"\n".join(lines), format=ox.RdfFormat.N_QUADS):
            pass
    except SyntaxError as error:
        found = _CODE_POINT.search(str(error.msg))
        before = source.text().partition(found[1])[0] if found and source.is_scannable else ""
        line, column = (before.count("\n") + 1, len(before) - before.rfind("\n")) if before else (None, None)
        what = f"the code point U+{ord(found[1]):04X}" if found else "a code point"
        message = f"an IRI has {what}, which no IRI may have (RFC 3987, section 2.2)"
        remedy = "name the thing otherwise; none of this file was read"
        raise FileRefusedError(source.name, "syntax", message, remedy, line, column) from error


def _literal_too_large(source: Source) -> FileRefusedError:
    limit = source.limits.max_literal_bytes
    place = first_long_token(source.name, source.text(), limit) if source.is_scannable else None
    line, column = (place.line, place.column) if place else (None, None)
    return source.refused(f"a literal or other term has more than {limit:,} bytes", "max_literal_bytes", line, column)


def _read(
    publication: Publication,
    sources: list[tuple[Path, str]],
    writer: NQuadsWriter,
    findings: tuple[Finding, ...] = (),
    notes: tuple[Finding, ...] = (),
) -> Reading:
    parser, base = FileParser(publication), publication.settings.base_iri
    parsed = [parser.parse(path, graph, writer) for path, graph in sources]
    files = tuple(file for file in parsed if isinstance(file, ParsedFile))
    failed = tuple(finding for finding in parsed if isinstance(finding, Finding))
    texts = {source.name: source.text for path, _ in sources if (source := parser.source(path)).is_scannable}
    notes += tuple(note for file in files for note in file.notes)
    homes = _Homes.of(files, texts)
    return Reading(files, writer.lines, (*findings, *failed), Locations(Texts(texts), base, homes), notes)


@dataclass(frozen=True)
class _Homes:
    """The files that may have statements about a subject, among them all that were not read."""

    files: tuple[ParsedFile, ...]
    unread: tuple[str, ...]
    searched: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, files: tuple[ParsedFile, ...], texts: Iterable[str]) -> "_Homes":
        """Return what to ask of files that were read, and of others among the names of ``texts``."""
        read_names = {file.path for file in files}
        return cls(files, tuple(name for name in texts if name not in read_names))

    def __call__(self, subject: str) -> tuple[str, ...]:
        # Indexing all subjects takes ten times as long as searching for one.
        self.searched.add(subject)
        found = self._paths.get(subject, ()) if len(self.searched) > _SEARCHES_BEFORE_INDEX else self._search(subject)
        return (*found, *self.unread)

    def states(self, path: str, subject: str, predicate: str, value: str | None) -> bool:
        """Return whether a file has the statement or, without ``value``, the property of the subject."""
        objects = self._statements(path).get((_written(subject), f"<{predicate}>".encode()), ())
        if value is None:
            return bool(objects)
        iri, literal = f"<{value}>".encode(), str(ox.Literal(value)).encode()
        return any(each in (iri, value.encode()) or each.startswith(literal) for each in objects)

    def with_blank_nodes(self, path: str) -> Iterator[Statement]:
        """Yield the statements of a file that have a blank node, or an IRI in place of one."""
        for block in (block for file in self.files if file.path == path for block in file.quads.blocks()):
            for quad in ox.parse(b"".join(_WITH_BLANK_NODE.findall(block)), format=ox.RdfFormat.N_QUADS):
                yield text(quad.subject), quad.predicate.value, text(quad.object)

    def _statements(self, path: str) -> dict[tuple[bytes, bytes], list[bytes]]:
        if path not in self._indexed:
            index = self._indexed.setdefault(path, defaultdict(list))
            for file in (file for file in self.files if file.path == path):
                for subject, predicate, value, _ in (row for rows in file.quads.rows() for row in rows):
                    index[subject, predicate].append(value)
        return self._indexed[path]

    @cached_property
    def _indexed(self) -> dict[str, dict[tuple[bytes, bytes], list[bytes]]]:
        return {}

    def _search(self, subject: str) -> Iterator[str]:
        start = _written(subject) + b" "
        for file in self.files:
            if any(block.startswith(start) or b"\n" + start in block for block in file.quads.blocks()):
                yield file.path

    @cached_property
    def _paths(self) -> dict[str, list[str]]:
        paths: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            for subject in {row[0] for rows in file.quads.rows() for row in rows}:
                paths[subject.decode().strip("<>")].append(file.path)
        return dict(paths)


def _written(subject: str) -> bytes:
    return subject.encode() if subject.startswith("_:") else f"<{subject}>".encode()


def _placed(quads: Iterable[ox.Quad], target: ox.NamedNode | ox.DefaultGraph) -> Iterator[ox.Quad]:
    for quad in quads:
        is_named = not isinstance(quad.graph_name, ox.DefaultGraph)
        yield quad if is_named else ox.Quad(quad.subject, quad.predicate, quad.object, target)
