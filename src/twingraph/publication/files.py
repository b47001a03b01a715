"""The files of a publication: which there are, which of them are read, and the named graph of each."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from os import R_OK, X_OK, access, fsencode
from os.path import relpath
from pathlib import Path

from twingraph.errors import PublicationError
from twingraph.findings import Finding, Location, Severity
from twingraph.rdf.formats import COMPRESSED_SUFFIX, INPUT_SUFFIXES
from twingraph.settings import DEFAULT_GRAPH_NAME, Files, Settings
from twingraph.settings.layers import FILE_NAME

RDF_SUFFIXES = (*INPUT_SUFFIXES, *(suffix + COMPRESSED_SUFFIX for suffix in INPUT_SUFFIXES))
QUERY_SUFFIXES = (".rq",)
_FIRST_NAMES = 5
# What an IRI cannot contain (RFC 3987, section 2.2), and what would end a segment of its path.
_NOT_IN_SEGMENT = re.compile(r"[\x00-\x20\"#%<>?\\^`{|}\x7f-\xa0\ud800-\uf8ff]")


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A file of RDF, and the IRI of the named graph that stands in for its default graph."""

    path: Path
    graph: str


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
        found = self.candidates(publication)
        dropped = _variants(found, publication.settings.files.prefer)
        return tuple(path for path in found if path not in dropped)

    def candidates(self, publication: "Publication") -> tuple[Path, ...]:
        """Return the files with these suffixes, also those of which another syntax is preferred."""
        settings = publication.settings
        if settings.data_files:
            paths: tuple[Path, ...] = getattr(settings, self.named) if self.named else ()
            found = (file for path in paths for file in (publication.walk(path) if path.is_dir() else (path,)))
            return tuple(
                sorted({path for path in found if suffix_of(path) in self.suffixes and _is(path, Path.is_file)})
            )
        directory, names = settings.directory, settings.folders.model_dump()
        skipped = directory / self.without.format(**names) if self.without else None
        found = (
            path
            for path in publication.walk(directory / self.folder.format(**names))
            if suffix_of(path) in self.suffixes
        )
        inside = (path for path in found if not (skipped and path.is_relative_to(skipped)))
        return tuple(sorted(path for path in inside if _is(path, Path.is_file)))


@dataclass(frozen=True)
class Publication:
    """The files of the publication that ``settings`` describe."""

    settings: Settings

    def relative(self, path: Path) -> str:
        """Return a path relative to the publication, with forward slashes; bytes that are not UTF-8 are replaced."""
        return fsencode(self._relative(path)).decode(errors="replace")

    def walk(self, folder: Path) -> Iterator[Path]:
        """Yield what is in a folder and its folders, as far as it is included; releases are not part of it."""
        limits, releases = self.settings.files, self.settings.releases
        for path in folder.rglob("*"):
            if not path.is_relative_to(releases) and is_included(self.relative(path), limits):
                yield path

    @cached_property
    def rdf_files(self) -> tuple[GraphFile, ...]:
        """The files of ontology and data that have a named graph; raises PublicationError when there are no files."""
        paths = self._rdf_paths()
        if not paths:
            named = ", ".join(map(str, self.settings.data_files))
            folders = (self.settings.folders.ontology, self.settings.folders.data)
            missing = [name for name in folders if not (self.settings.directory / name).is_dir()]
            absent = f"; there is no folder {' or '.join(missing)}" if missing else ""
            reason = f"there is no file of RDF in {' or '.join(folders)}{absent}"
            raise PublicationError(named or folders[1], "there is no file of RDF" if named else reason)
        named_graphs = ((path, self._graph(path)) for path in paths)
        return tuple(GraphFile(path, graph) for path, graph in named_graphs if graph is not None)

    @property
    def files_without_graph(self) -> tuple[Path, ...]:
        """The files of ontology and data that no pattern under ``[[graphs]]`` matches."""
        return tuple(path for path in self._rdf_paths() if self._graph(path) is None)

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
        contexts = (self.settings.directory / name for name in self.settings.files.contexts.values())
        used = (path for path in contexts if _is(path, Path.is_file))
        rest = (*self.shape_files, *self.rule_files, *self.query_files, *self.check_files, *used)
        settings = () if self.settings.data_files else (self.settings.directory / FILE_NAME,)
        return (*settings, *sorted({*rdf, *rest}))

    def _relative(self, path: Path) -> str:
        directory = self.settings.directory
        inside = path.is_relative_to(directory)
        return (path.relative_to(directory) if inside else Path(relpath(path, directory))).as_posix()

    def _rdf_paths(self) -> list[Path]:
        return sorted({*self._ontology_files, *self._data_files})

    def _graph(self, path: Path) -> str | None:
        name, rules = self.relative(path), self.settings.graphs
        rule = next((rule.graph for rule in rules if path_pattern(rule.files).fullmatch(name)), None)
        pattern = rule if rules else DEFAULT_GRAPH_NAME
        if pattern is None:
            return None
        whole = self._relative(path).removesuffix(path.name) + stem_of(path)
        values = {"{parent}": path.parent.name, "{stem}": stem_of(path), "{path}": whole}
        return self.settings.iris.graph(re.sub(r"\{\w+\}", lambda match: _segment(values[match[0]]), pattern))


def suffix_of(path: Path) -> str:
    """Return a file's suffix in lower case, with ``.gz`` and the one before it as one suffix."""
    last = path.suffix.lower()
    return Path(path.stem).suffix.lower() + last if last == COMPRESSED_SUFFIX else last


def stem_of(path: Path) -> str:
    """Return a file's name without the suffix that `suffix_of` returns."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def is_included(name: str, files: Files) -> bool:
    """Return whether the patterns of ``[files]`` include the path ``name`` and do not exclude it."""
    inside = re.sub(r"^(?:\.\./)+", "", name)  # a folder may be outside the publication, but is then not hidden
    included, excluded = (
        any(path_pattern(glob).fullmatch(inside) for glob in globs) for globs in (files.include, files.exclude)
    )
    return included and not excluded


def file_notes(publication: Publication) -> tuple[Finding, ...]:
    """Return findings about files that are not read, or perhaps should not be; none of them is a violation."""
    return (
        *_default_graph_note(publication),
        *_links_to_nothing(publication),
        *_not_read(publication),
        *_variant_notes(publication),
    )


def left_out(publication: Publication) -> Iterator[Finding]:
    """Yield a finding for each folder that cannot be listed, and each file of RDF that belongs to no named graph."""
    for path in _entries(publication):
        if _is(path, Path.is_dir) and not access(path, R_OK | X_OK):
            message, remedy = "this folder cannot be listed", "permit reading it, or exclude it under [files]"
            yield Finding("file/unreadable", message, remedy, location=Location(publication.relative(path)))
    for path in publication.files_without_graph:
        name = publication.relative(path)
        message = f"no pattern under [[graphs]] in {FILE_NAME} matches this file, so it was not read"
        remedy = f'add files = "{name}" with its graph under [[graphs]], or exclude it under [files]'
        yield Finding("file/graph", message, remedy, location=Location(name))


def _default_graph_note(publication: Publication) -> Iterator[Finding]:
    if not publication.settings.graphs:
        message = f"without [[graphs]] each file has a named graph of its own, {DEFAULT_GRAPH_NAME}"
        place = Location(FILE_NAME)
        yield Finding("file/graph", message, "name other graphs under [[graphs]]", Severity.INFO, place)


def _links_to_nothing(publication: Publication) -> Iterator[Finding]:
    for path in _entries(publication):
        if _is_link_to_nothing(path):
            place = Location(publication.relative(path))
            message = "this is a link to a file that does not exist, or to itself"
            yield Finding("file/unreadable", message, "correct the link, or remove it", Severity.WARNING, place)


def _not_read(publication: Publication) -> Iterator[Finding]:
    listed = {path for listing in _listings() for path in listing.candidates(publication)}
    others = [path for path in _entries(publication) if path not in listed and not _is_reported_or_plain_folder(path)]
    if names := [publication.relative(path) for path in others]:
        message = f"{_counted(names, 'is', 'are')} not read: {_first(names)}"
        remedy = "rename what should be read (see the suffixes under [files]), or exclude it there"
        yield Finding("file/not-read", message, remedy, Severity.INFO, Location(names[0]))


def _variant_notes(publication: Publication) -> Iterator[Finding]:
    preferred, remedy = publication.settings.files.prefer, "list suffixes under files.prefer, best first"
    for listing in _listings():
        candidates = listing.candidates(publication)
        dropped = [publication.relative(path) for path in sorted(_variants(candidates, preferred))]
        if dropped:
            message = f"{_counted(dropped, 'is', 'are')} not read, by files.prefer: {_first(dropped)}"
            place = Location(dropped[0])
            yield Finding("file/variants", message, "nothing, if they state the same", Severity.INFO, place)
        for same in () if preferred else _groups(candidates):
            names = ", ".join(publication.relative(path) for path in same)
            message = f"all of these are read, although only their suffixes differ: {names}"
            yield Finding("file/variants", message, remedy, Severity.INFO, Location(publication.relative(same[0])))


def _listings() -> tuple[_Listing, ...]:
    return tuple(each for each in vars(Publication).values() if isinstance(each, _Listing))


def _entries(publication: Publication) -> list[Path]:
    settings = publication.settings
    named = (path for path in (*settings.data_files, *settings.shape_files) if path.is_dir())
    usual = (settings.directory / name for name in settings.folders.model_dump(exclude={"releases"}).values())
    return sorted({path for folder in (named if settings.data_files else usual) for path in publication.walk(folder)})


def _is_reported_or_plain_folder(path: Path) -> bool:
    return _is_link_to_nothing(path) or (_is(path, Path.is_dir) and not path.is_symlink())


def _is(path: Path, test: Callable[[Path], bool]) -> bool:
    """Return what a test of a path says, False where the system refuses to tell."""
    try:
        return test(path)
    except OSError:
        return False


def _is_link_to_nothing(path: Path) -> bool:
    return path.is_symlink() and suffix_of(path) in (*RDF_SUFFIXES, *QUERY_SUFFIXES) and not _is(path, Path.exists)


def _groups(paths: Iterable[Path]) -> list[list[Path]]:
    """Group the files of RDF that differ in nothing but their suffix; groups of one are left out."""
    groups: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in paths:
        if suffix_of(path) in RDF_SUFFIXES:
            groups[path.parent, stem_of(path)].append(path)
    return [group for group in groups.values() if len(group) > 1]


def _variants(paths: Iterable[Path], preferred: tuple[str, ...]) -> set[Path]:
    """Return the files of which there is a better syntax."""
    if not preferred:
        return set()
    ranks = {suffix: rank for rank, suffix in enumerate(preferred)}
    dropped: set[Path] = set()
    for group in _groups(paths):
        ranked = [(ranks.get(suffix_of(path), len(ranks)), path) for path in group]
        best = min(rank for rank, _ in ranked)
        dropped.update(path for rank, path in ranked if rank > best)
    return dropped


def _counted(names: list[str], one: str, many: str) -> str:
    return f"1 file {one}" if len(names) == 1 else f"{len(names)} files {many}"


def _first(names: list[str]) -> str:
    more = ", ..." if len(names) > _FIRST_NAMES else ""
    return ", ".join(names[:_FIRST_NAMES]) + more


def _segment(text: str) -> str:
    """Percent-encode what cannot stand in a path of an IRI."""
    return _NOT_IN_SEGMENT.sub(lambda match: "".join(f"%{byte:02X}" for byte in fsencode(match[0])), text)


@lru_cache(maxsize=256)
def path_pattern(glob: str) -> re.Pattern[str]:
    """Return the regular expression of a glob of paths, in which ``**`` matches across folders and ``*`` does not."""
    parts = re.split(r"(\*\*/?|\*)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)
