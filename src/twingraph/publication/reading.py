"""Reading a publication's files: RDF into quads that remember their file, and saved queries.

A file that does not parse is a finding, not an error: the others are read all the same.
"""

from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from twingraph.errors import PublicationError, QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.files import Publication, QueryFile
from twingraph.publication.saved_queries import SavedQuery, parse_saved_query
from twingraph.rdf.formats import GRAPHS
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.positions import Locations, Texts

_SCANNED = (".ttl", ".trig", ".nt", ".nq")
_INDEX_AFTER = 10
_FORMATS = {f".{one.extension}": one.engine for one in GRAPHS if isinstance(one.engine, ox.RdfFormat)}


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one file says: its quads as written, with order, repetitions and lexical forms preserved."""

    path: str
    graph: str
    quads: NQuads


@dataclass(frozen=True)
class Reading:
    """All files that were read, what did not parse, and where each statement stands.

    ``lines`` are the statements of every file, in the order of the files.
    """

    files: tuple[ParsedFile, ...]
    lines: NQuads
    findings: tuple[Finding, ...]
    locations: Locations

    def quads(self) -> Iterator[ox.Quad]:
        """Yield the quads of every file, in the order of the files."""
        return iter(self.lines)


@dataclass(frozen=True)
class SavedQueries:
    """The saved queries that could be read, and what is wrong with the others."""

    queries: tuple[SavedQuery, ...]
    findings: tuple[Finding, ...]


def read(publication: Publication, path: Path | None = None) -> Reading:
    """Return what the files of ontology and data say, each file's default graph named as the settings say.

    The statements are written to the file ``path`` or, without one, to memory. Raises PublicationError when there is
    nothing to read or a file belongs to no named graph.
    """
    return _read(publication, [(file.path, file.graph) for file in publication.rdf_files], NQuadsWriter(path))


def read_shapes(publication: Publication) -> Reading:
    """Return what the files of shapes say, in the default graph."""
    return _read(publication, [(path, "") for path in publication.shape_files], NQuadsWriter())


def read_saved_queries(publication: Publication) -> SavedQueries:
    """Return the saved queries, sorted by name."""
    queries: dict[str, SavedQuery] = {}
    findings = []
    for path in publication.query_files:
        name = publication.relative(path)
        try:
            query = parse_saved_query(name, read_text(path, name))
        except QueryError as error:
            remedy = "mend the lines that begin with #+"
            findings.append(Finding("query/header", error.message, remedy, location=Location(name, error.line)))
            continue
        if query.name in queries:
            message = f"a query called {query.name} stands already in {queries[query.name].path}"
            findings.append(Finding("query/name", message, "rename one of the files", location=Location(name, 1)))
        queries.setdefault(query.name, query)
    return SavedQueries(tuple(queries[name] for name in sorted(queries)), tuple(findings))


def read_query_files(publication: Publication, paths: Iterable[Path]) -> tuple[QueryFile, ...]:
    """Return files of SPARQL as they stand, in the order of ``paths``; raises PublicationError as `read_text`."""
    names = [(path, publication.relative(path)) for path in paths]
    return tuple(QueryFile(name, read_text(path, name)) for path, name in names)


def parse_file(path: Path, name: str, base: str, graph: str, writer: NQuadsWriter) -> ParsedFile:
    """Return the quads of one file, which ``writer`` keeps; an empty ``graph`` leaves them in the default graph.

    Raises SyntaxError, as the parser gives it, with line and column.
    """
    format_ = _FORMATS[path.suffix]
    # Labels of blank nodes are local to a file; N-Triples and N-Quads know no base.
    relative = format_ not in (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS)
    quads = ox.parse(path=path, format=format_, base_iri=base if relative else None, rename_blank_nodes=True)
    if format_.supports_datasets:
        target = ox.NamedNode(graph) if graph else ox.DefaultGraph()
        return ParsedFile(name, graph, writer.add(_placed(quads, target)))
    return ParsedFile(name, graph, writer.add_triples(quads, graph))


def read_text(path: Path, name: str) -> str:
    """Return a file's text; raises PublicationError when it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PublicationError(name, f"cannot be read: {error}") from error


def _read(publication: Publication, sources: list[tuple[Path, str]], writer: NQuadsWriter) -> Reading:
    files, findings, texts, base = [], [], {}, publication.settings.base_iri
    for path, graph in sources:
        name = publication.relative(path)
        if path.suffix in _SCANNED:
            texts[name] = path
        try:
            files.append(parse_file(path, name, base, graph, writer))
        except SyntaxError as error:
            findings.append(_marked(name) if _begins_with_mark(path) else _syntax(name, error))
    parsed = {file.path for file in files}
    homes = _Homes(tuple(files), tuple(name for name in texts if name not in parsed))
    return Reading(tuple(files), writer.lines, tuple(findings), Locations(Texts(texts), base, homes))


@dataclass(frozen=True)
class _Homes:
    """Which files speak of a subject; those that did not parse may speak of any."""

    files: tuple[ParsedFile, ...]
    unread: tuple[str, ...]
    searched: set[str] = field(default_factory=set)

    def __call__(self, subject: str) -> tuple[str, ...]:
        # An index of all subjects is made for many only: it takes ten times as long as to look for one.
        self.searched.add(subject)
        found = self._paths.get(subject, ()) if len(self.searched) > _INDEX_AFTER else self._seek(subject)
        return (*found, *self.unread)

    def _seek(self, subject: str) -> Iterator[str]:
        start = f"{subject} ".encode() if subject.startswith("_:") else f"<{subject}> ".encode()
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


def _placed(quads: Iterable[ox.Quad], target: ox.NamedNode | ox.DefaultGraph) -> Iterator[ox.Quad]:
    for quad in quads:
        is_named = not isinstance(quad.graph_name, ox.DefaultGraph)
        yield quad if is_named else ox.Quad(quad.subject, quad.predicate, quad.object, target)


def _begins_with_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(BOM_UTF8)) == BOM_UTF8


def _marked(name: str) -> Finding:
    remedy = "save it as UTF-8 without a byte order mark; nothing in this file was read"
    return Finding("syntax", "the file begins with a byte order mark", remedy, location=Location(name, 1, 1))


def _syntax(name: str, error: SyntaxError) -> Finding:
    message = str(error.msg).partition(": ")[2] if error.lineno else str(error)
    remedy = "mend the syntax here; what stands after it in this file was not read"
    return Finding("syntax", message or str(error), remedy, location=Location(name, error.lineno, error.offset))
