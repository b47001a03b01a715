"""What a publication's directory holds: which files there are and which named graph each belongs to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twingraph.errors import PublicationError
from twingraph.settings import FILE_NAME, GraphRule, Settings

RDF_SUFFIXES = (".ttl", ".trig", ".nt", ".nq", ".rdf", ".jsonld")
QUERY_SUFFIXES = (".rq",)


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A file of RDF, and the IRI of the named graph that its default graph's statements go to."""

    path: Path
    graph: str


@dataclass(frozen=True, slots=True)
class QueryFile:
    """A file of SPARQL as it stands: a rule that derives statements or a check; ``path`` is relative."""

    path: str
    text: str


@dataclass(frozen=True)
class Publication:
    """The files of the publication that ``settings`` describe, each listing sorted by path."""

    settings: Settings

    def relative(self, path: Path) -> str:
        """Return a path as people write it: relative to the publication, with forward slashes."""
        return path.relative_to(self.settings.directory).as_posix()

    @cached_property
    def rdf_files(self) -> tuple[GraphFile, ...]:
        """The files of ontology and data.

        Raises PublicationError when a file belongs to no named graph or when there is none at all.
        """
        folders = self.settings.folders
        ontology = self._files(folders.ontology, RDF_SUFFIXES, folders.rules)
        paths = {*ontology, *self._files(folders.data, RDF_SUFFIXES)}
        if not paths:
            raise PublicationError(folders.data, "neither ontology nor data holds a file of RDF")
        return tuple(GraphFile(path, self._graph(path)) for path in sorted(paths))

    @property
    def shape_files(self) -> tuple[Path, ...]:
        """The files of SHACL shapes, without their examples."""
        return self._files(self.settings.folders.shapes, RDF_SUFFIXES, self.settings.folders.examples)

    @property
    def example_files(self) -> tuple[Path, ...]:
        """The examples of the shapes, ``{examples}/{Shape}/{valid,invalid}-*.ttl``."""
        return self._files(self.settings.folders.examples, RDF_SUFFIXES)

    @property
    def rule_files(self) -> tuple[Path, ...]:
        """The CONSTRUCT queries that derive statements, in the order in which they run."""
        return self._files(self.settings.folders.rules, QUERY_SUFFIXES)

    @property
    def query_files(self) -> tuple[Path, ...]:
        """The saved queries."""
        return self._files(self.settings.folders.queries, QUERY_SUFFIXES, self.settings.folders.checks)

    @property
    def check_files(self) -> tuple[Path, ...]:
        """The queries of which any row is a violation."""
        return self._files(self.settings.folders.checks, QUERY_SUFFIXES)

    @property
    def check_example_files(self) -> tuple[Path, ...]:
        """The examples of the checks, ``{checks}/examples/{check}/{valid,invalid}-*``."""
        return self._files(f"{self.settings.folders.checks}/examples", RDF_SUFFIXES)

    @property
    def rule_example_files(self) -> tuple[Path, ...]:
        """The examples of the rules, ``{rules}/examples/{rule}/{applies,ignores}-*``."""
        return self._files(f"{self.settings.folders.rules}/examples", RDF_SUFFIXES)

    @property
    def input_files(self) -> tuple[Path, ...]:
        """Every file that a release is made from, the settings first."""
        rdf = tuple(file.path for file in self.rdf_files)
        rest = (*self.shape_files, *self.rule_files, *self.query_files, *self.check_files)
        return (self.settings.directory / FILE_NAME, *sorted({*rdf, *rest}))

    def _files(self, folder: str, suffixes: tuple[str, ...], without: str | None = None) -> tuple[Path, ...]:
        top = self.settings.directory / folder
        skipped = self.settings.directory / without if without else None
        found = (path for path in top.rglob("*") if path.suffix in suffixes and path.is_file())
        return tuple(sorted(path for path in found if not (skipped and path.is_relative_to(skipped))))

    def _graph(self, path: Path) -> str:
        name = self.relative(path)
        rule = _first_match(self.settings.graphs, name)
        if rule is None:
            raise PublicationError(name, f"no pattern under [[graphs]] in {FILE_NAME} matches this file")
        return self.settings.iris.graph(rule.graph.format(parent=path.parent.name, stem=path.stem))


def _first_match(rules: Iterable[GraphRule], name: str) -> GraphRule | None:
    return next((rule for rule in rules if _pattern(rule.files).fullmatch(name)), None)


def _pattern(glob: str) -> re.Pattern[str]:
    """Translate a glob in which ``*`` stays within a folder and ``**`` does not."""
    parts = re.split(r"(\*\*/?|\*)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))
