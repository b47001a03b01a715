"""Publishing a data set as it comes: its files unchanged, a handful of settings, and a build."""

import gzip
import hashlib
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote, urljoin

import pyoxigraph as ox

from datasets.origins import directory
from datasets.table import FOLDER, DataSet, Files
from twingraph.check.run import CheckResult
from twingraph.publication.assembly import Assembly, assemble
from twingraph.release.archive import QUADS, Release
from twingraph.release.build import build
from twingraph.settings import Settings, load_settings

# The path, value, constraint component and severity of a validation result, after its focus node, as N-Triples.
Result = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Built:
    """A data set in a directory of its own, what its build found, and how many seconds that took."""

    data_set: DataSet
    source: Path
    settings: Settings
    release: Release
    findings: Counter[str]
    results: Counter[Result]
    focus_nodes: int
    seconds: float

    @property
    def directory(self) -> Path:
        """The directory of the publication."""
        return self.settings.directory

    @property
    def files(self) -> list[tuple[Path, str]]:
        """The files that must be read, where they come from, each with the name of its graph.

        These are all that were copied, but for those that the table leaves out.
        """
        data, base = self.directory / "data", self.settings.base_iri
        left_out = {path for pattern in self.data_set.left_out for path in data.glob(pattern)}
        copied = sorted(path for path in data.rglob("*") if path.is_file() and path not in left_out)
        names = [path.relative_to(data) for path in copied]
        return [(self.source / name, urljoin(base, f"graph/data/{quote(str(name.with_suffix('')))}")) for name in names]

    @property
    def shapes(self) -> list[Path]:
        """The files of shapes."""
        return sorted(path for path in (self.directory / "shapes").rglob("*") if path.is_file())

    def quads(self) -> Iterator[ox.Quad]:
        """Yield the quads of the release."""
        with gzip.open(self.release.directory / QUADS) as file:
            yield from ox.parse(file, format=ox.RdfFormat.N_QUADS)


def publish(data_set: DataSet, target: Path, repositories: Path | None) -> Built:
    """Copy the files, write the settings and build a release; raises NotConformingError."""
    _copy(data_set.files, target / "data", repositories)
    for shapes in data_set.shapes:
        _copy(shapes, target / "shapes", repositories)
    for name in data_set.own_shapes:
        (target / "shapes").mkdir(exist_ok=True)
        shutil.copy(FOLDER / "shapes" / name, target / "shapes")
    (target / "twingraph.toml").write_text(data_set.settings, encoding="utf-8")
    source = directory(data_set.files.origin, repositories) / data_set.files.root
    settings = load_settings(target)
    assembled: list[Assembly] = []
    results: list[Counter[Result]] = []

    def keep(*arguments) -> Assembly:
        assembled.append(assemble(*arguments))
        return assembled[0]

    # Results are read while the statements are there, whose blank nodes they name.
    begin = time.monotonic()
    with patch("twingraph.release.build.assemble", keep):
        built = build(settings, lambda result: results.append(_results(result, assembled[0])))
    seconds = time.monotonic() - begin
    findings = Counter(finding.rule for finding in built.result.findings)
    nodes = built.result.focus_node_count
    return Built(data_set, source, settings, built.release, findings, results[0], nodes, seconds)


def _results(found: CheckResult, assembly: Assembly) -> Counter[Result]:
    """Return the results of shapes, those too that other findings explain."""
    named = names(assembly.quads)
    every = (finding.terms for finding in (*found.findings, *found.consequences) if finding.terms)
    return Counter(
        (named(terms.focus), path_name(terms.path), named(terms.value or ""), terms.component, terms.severity)
        for terms in every
    )


def path_name(path: str | None) -> str:
    """Return a path; one that is no IRI is written in many ways, and is only told from none."""
    return path if path and path.startswith("<") else "complex" if path else ""


def names(quads: Iterable[ox.Quad]) -> Callable[[str], str]:
    """Return names of blank nodes that do not depend on labels: digests of what is said of each directly."""
    facts: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        if isinstance(quad.subject, ox.BlankNode):
            value = "_:" if isinstance(quad.object, ox.BlankNode) else str(quad.object)
            facts[str(quad.subject)].add(f"{quad.predicate} {value}")

    def named(term: str) -> str:
        if not term.startswith("_:"):
            return term
        return "_:" + hashlib.sha256("\n".join(sorted(facts[term])).encode()).hexdigest()[:16]

    return named


def _copy(files: Files, target: Path, repositories: Path | None) -> None:
    root = directory(files.origin, repositories) / files.root
    found = {path for pattern in files.patterns for path in root.glob(pattern) if path.is_file()}
    assert found, f"{files.origin} has no file {files.patterns} in {files.root}"
    for path in found:
        copy = target / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
