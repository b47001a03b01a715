"""The files of a publication: which there are, the named graph of each, and what they contain once parsed.

A file that does not parse is a finding, not an error: the others are read all the same.
"""

import re
from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from twingraph.errors import PublicationError, QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.saved_queries import SavedQuery, parse_saved_query
from twingraph.rdf.formats import GRAPHS
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.positions import Locations, Texts
from twingraph.settings import Settings
from twingraph.settings_layers import FILE_NAME

RDF_SUFFIXES = (".ttl", ".trig", ".nt", ".nq", ".rdf", ".jsonld")
QUERY_SUFFIXES = (".rq",)


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A file of RDF, and the IRI of the named graph that stands in for its default graph."""

    path: Path
    graph: str


@dataclass(frozen=True, slots=True)
class QueryFile:
    """The text of a rule or a check; ``path`` is relative to the publication."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class _Listing:
    """A property of `Publication`: the files in a folder, sorted by path, but for those in the folder ``without``.

    Names in braces are the settings' ``folders``. When the settings name files one by one, the setting ``named`` lists
    them, and there are none without it: the folders around such files are nobody's publication.
    """

    folder: str
    suffixes: tuple[str, ...]
    without: str | None = None
    named: str | None = None

    def __get__(self, publication: "Publication", owner: type) -> tuple[Path, ...]:
        settings = publication.settings
        if settings.data_files:
            paths: tuple[Path, ...] = getattr(settings, self.named) if self.named else ()
            files = (file for path in paths for file in ((path,) if path.is_file() else self._below(path)))
            return tuple(sorted(set(files)))
        directory, names = settings.directory, settings.folders.model_dump()
        skipped = directory / self.without.format(**names) if self.without else None
        found = self._below(directory / self.folder.format(**names))
        return tuple(sorted(path for path in found if not (skipped and path.is_relative_to(skipped))))

    def _below(self, top: Path) -> Iterator[Path]:
        return (path for path in top.rglob("*") if path.suffix in self.suffixes and path.is_file())


@dataclass(frozen=True)
class Publication:
    """The files of the publication that ``settings`` describe."""

    settings: Settings

    def relative(self, path: Path) -> str:
        """Return a path relative to the publication, with forward slashes."""
        return path.relative_to(self.settings.directory).as_posix()

    @cached_property
    def rdf_files(self) -> tuple[GraphFile, ...]:
        """The files of ontology and data.

        Raises PublicationError when there are none, or when no named graph is configured for one.
        """
        paths = {*self._ontology_files, *self._data_files}
        if not paths:
            named = ", ".join(map(str, self.settings.data_files))
            reason = "there is no file of RDF" if named else "there is no file of RDF in ontology or data"
            raise PublicationError(named or self.settings.folders.data, reason)
        return tuple(GraphFile(path, self._graph(path)) for path in sorted(paths))

    # Files of ontology, without the rules, and of data
    _ontology_files = _Listing("{ontology}", RDF_SUFFIXES, without="{rules}")
    _data_files = _Listing("{data}", RDF_SUFFIXES, named="data_files")
    # Files of SHACL shapes
    shape_files = _Listing("{shapes}", RDF_SUFFIXES, without="{examples}", named="shape_files")
    # Examples of shapes, {examples}/{Shape}/{valid,invalid}-*.ttl
    example_files = _Listing("{examples}", RDF_SUFFIXES)
    # CONSTRUCT queries that derive statements, in the order in which they run
    rule_files = _Listing("{rules}", QUERY_SUFFIXES)
    # Saved queries
    query_files = _Listing("{queries}", QUERY_SUFFIXES, without="{checks}")
    # Queries of which any row is a violation
    check_files = _Listing("{checks}", QUERY_SUFFIXES)
    # Examples of checks, {checks}/examples/{check}/{valid,invalid}-*
    check_example_files = _Listing("{checks}/examples", RDF_SUFFIXES)
    # Examples of rules, {rules}/examples/{rule}/{applies,ignores}-*
    rule_example_files = _Listing("{rules}/examples", RDF_SUFFIXES)

    @property
    def input_files(self) -> tuple[Path, ...]:
        """Every file that a release is built from, the settings first."""
        rdf = tuple(file.path for file in self.rdf_files)
        rest = (*self.shape_files, *self.rule_files, *self.query_files, *self.check_files)
        settings = () if self.settings.data_files else (self.settings.directory / FILE_NAME,)
        return (*settings, *sorted({*rdf, *rest}))

    def _graph(self, path: Path) -> str:
        name = self.relative(path)
        rule = next((rule for rule in self.settings.graphs if path_pattern(rule.files).fullmatch(name)), None)
        if rule is None:
            raise PublicationError(name, f"no pattern under [[graphs]] in {FILE_NAME} matches this file")
        return self.settings.iris.graph(rule.graph.format(parent=path.parent.name, stem=path.stem, path=quote(name)))


def path_pattern(glob: str) -> re.Pattern[str]:
    """Return the regular expression of a glob of paths, in which ``**`` matches across folders and ``*`` does not."""
    parts = re.split(r"(\*\*/?|\*)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))


_SCANNED = (".ttl", ".trig", ".nt", ".nq")
_SEARCHES_BEFORE_INDEX = 10
_FORMATS = {f".{one.extension}": one.engine for one in GRAPHS if isinstance(one.engine, ox.RdfFormat)}


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The quads of one file, with order, repetitions and lexical forms preserved."""

    path: str
    graph: str
    quads: NQuads


@dataclass(frozen=True)
class Reading:
    """The parsed files, a finding for each that did not parse, and the positions of statements.

    ``lines`` has the statements of every file, in the order of the files.
    """

    files: tuple[ParsedFile, ...]
    lines: NQuads
    findings: tuple[Finding, ...]
    locations: Locations


@dataclass(frozen=True)
class SavedQueries:
    """The saved queries that could be parsed, and a finding for each of the others."""

    queries: tuple[SavedQuery, ...]
    findings: tuple[Finding, ...]


def read(publication: Publication, path: Path | None = None) -> Reading:
    """Parse the files of ontology and data; the default graph of each gets the name that the settings configure.

    The statements are written to the file ``path`` or, without one, kept in memory. Raises PublicationError when there
    are no files, or when no named graph is configured for one.
    """
    return _read(publication, [(file.path, file.graph) for file in publication.rdf_files], NQuadsWriter(path))


def read_shapes(publication: Publication) -> Reading:
    """Parse the files of shapes into the default graph."""
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
            remedy = "fix the lines that begin with #+"
            findings.append(Finding("query/header", error.message, remedy, location=Location(name, error.line)))
            continue
        if query.name in queries:
            message = f"there is already a query {query.name} in {queries[query.name].path}"
            findings.append(Finding("query/name", message, "rename one of the files", location=Location(name, 1)))
        queries.setdefault(query.name, query)
    return SavedQueries(tuple(queries[name] for name in sorted(queries)), tuple(findings))


def read_query_files(publication: Publication, paths: Iterable[Path]) -> tuple[QueryFile, ...]:
    """Return the texts of rules or checks, in the order of ``paths``; raises PublicationError as `read_text` does."""
    names = [(path, publication.relative(path)) for path in paths]
    return tuple(QueryFile(name, read_text(path, name)) for path, name in names)


def parse_file(path: Path, name: str, base: str, graph: str, writer: NQuadsWriter) -> ParsedFile:
    """Parse one file, with ``writer``; with an empty ``graph`` its default graph has no name.

    Raises SyntaxError, from the parser, with line and column.
    """
    format_ = _FORMATS[path.suffix]
    # Labels of blank nodes are local to a file; N-Triples and N-Quads have no relative IRIs.
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
            findings.append(_syntax(path, name, error))
    parsed = {file.path for file in files}
    homes = _Homes(tuple(files), tuple(name for name in texts if name not in parsed))
    return Reading(tuple(files), writer.lines, tuple(findings), Locations(Texts(texts), base, homes))


@dataclass(frozen=True)
class _Homes:
    """The files that may have statements about a subject, among them all that did not parse."""

    files: tuple[ParsedFile, ...]
    unread: tuple[str, ...]
    searched: set[str] = field(default_factory=set)

    def __call__(self, subject: str) -> tuple[str, ...]:
        # Indexing all subjects takes ten times as long as searching for one.
        self.searched.add(subject)
        found = self._paths.get(subject, ()) if len(self.searched) > _SEARCHES_BEFORE_INDEX else self._search(subject)
        return (*found, *self.unread)

    def _search(self, subject: str) -> Iterator[str]:
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


def _syntax(path: Path, name: str, error: SyntaxError) -> Finding:
    with path.open("rb") as file:
        has_bom = file.read(len(BOM_UTF8)) == BOM_UTF8
    if has_bom:
        remedy = "save it as UTF-8 without a byte order mark; this file was ignored"
        return Finding("syntax", "the file begins with a byte order mark", remedy, location=Location(name, 1, 1))
    message = str(error.msg).partition(": ")[2] if error.lineno else str(error)
    remedy = "fix the syntax here; the rest of this file was not read"
    return Finding("syntax", message or str(error), remedy, location=Location(name, error.lineno, error.offset))
