"""What the tests share: publications to break, releases and servers to read from, and the order of a run.

`make test` runs the modules in several processes; what is only read (`shared`) is built once for all of them.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from running import ENVIRONMENT, locked, serving, twingraph
from twingraph.release.archive import Archive, Release
from twingraph.settings import Settings, load_settings

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent


@dataclass(frozen=True)
class EditablePublication:
    """A copy of a publication that a test may break."""

    directory: Path
    sources: Path | None = None

    @property
    def settings(self) -> Settings:
        """The settings as they are now in the copy."""
        return load_settings(self.directory, sources=self.sources)

    def text(self, path: str) -> str:
        """Return a file's text."""
        return (self.directory / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file, its folder too."""
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        """Add text at the end of a file."""
        self.write(path, self.text(path) + text)

    def edit(self, path: str, old: str, new: str) -> int:
        """Replace the first ``old`` in a file by ``new``; return the line, from 1, on which it stood."""
        text = self.text(path)
        assert old in text, f"{path} does not hold {old!r}"
        self.write(path, text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def remove(self, path: str) -> None:
        """Remove a file or a folder."""
        file = self.directory / path
        shutil.rmtree(file) if file.is_dir() else file.unlink()


def copy_publication(source: Path, target: Path, sources: Path | None = None) -> EditablePublication:
    parts = ("twingraph.toml", "ontology", "data", "shapes", "queries", "sources")
    target.mkdir()
    for part in parts:
        path = source / part
        if path.is_dir():
            shutil.copytree(path, target / part)
        elif path.exists():
            shutil.copy2(path, target / part)
    return EditablePublication(target, sources)


def copy_built(source: Path, target: Path) -> EditablePublication:
    """Copy a publication with its releases."""
    shutil.copytree(source, target, symlinks=True)
    return EditablePublication(target)


def shared(name: str, factory: pytest.TempPathFactory, make: Callable[[Path], object]) -> Path:
    """Return a directory that the first process to need it has made; the others wait for it. It must not be changed."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    directory, unfinished = base / name, base / f"{name}.unfinished"
    with locked(base / f"{name}.lock"):
        if not directory.exists():
            make(unfinished)
            unfinished.rename(directory)
    return directory


@pytest.fixture(scope="session")
def built_tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the tiny publication with a release, for copying."""

    def make(directory: Path) -> None:
        copy_publication(TESTS / "tiny", directory)
        assert twingraph(directory, "build").returncode == 0

    return shared("tiny", tmp_path_factory, make)


@pytest.fixture(scope="session")
def built_real(tmp_path_factory: pytest.TempPathFactory, real: Settings) -> Path:
    """The directory of a copy of the real publication with a release, for copying."""

    def make(directory: Path) -> None:
        copy_publication(REPOSITORY, directory)
        ran = twingraph(directory, "build", env=ENVIRONMENT | {"TWINGRAPH_SOURCES": str(real.source_archive)})
        assert ran.returncode == 0, ran.stderr

    return shared("real", tmp_path_factory, make)


@pytest.fixture(scope="session")
def publication(built_tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> EditablePublication:
    """The tiny publication with a release; it must not be changed, since all tests of this process share it."""
    return copy_built(built_tiny, tmp_path_factory.mktemp("built") / "tiny")


@pytest.fixture(scope="session")
def release(publication: EditablePublication) -> Release:
    """The release of the shared publication."""
    return Archive(publication.settings.releases).current()


@pytest.fixture(scope="session")
def address(publication: EditablePublication) -> Iterator[str]:
    """The address of a server of the shared publication, which all tests of this process ask."""
    with serving(publication.directory) as address:
        yield address


@pytest.fixture
def built(built_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EditablePublication:
    """A copy of the tiny publication with a release, in a directory of its own."""
    monkeypatch.delenv("TWINGRAPH_SOURCES", raising=False)
    return copy_built(built_tiny, tmp_path / "built")


@pytest.fixture
def as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have rdflib keep lexical forms, which it otherwise replaces when it reads."""
    monkeypatch.setattr("rdflib.NORMALIZE_LITERALS", False)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EditablePublication:
    """A copy of the tiny publication in a directory of its own, with its source archive."""
    # Its archive is part of it, whatever archive the environment names for the real publication.
    monkeypatch.delenv("TWINGRAPH_SOURCES", raising=False)
    return copy_publication(TESTS / "tiny", tmp_path / "tiny")


@pytest.fixture
def copy_of_real(tmp_path: Path, real: Settings) -> EditablePublication:
    """A copy of the real publication in a directory of its own, without its releases, with the same source archive."""
    return copy_publication(REPOSITORY, tmp_path / "real", real.source_archive)


@pytest.fixture(scope="session")
def real() -> Settings:
    """The settings of the real publication, which is the repository itself."""
    return load_settings(REPOSITORY)


# Modules whose tests start servers, builds, browsers or large checks, those that take longest first: a run begins with
# them, so that no process is left with a long one at the end, and `make quick` leaves them out.
SLOW = (
    "test_budget", "test_under_load", "test_hostile", "test_tutorial", "test_shacl_batches", "test_pipeline",
    "test_breakages", "test_query_examples", "test_release", "test_abuse", "test_cli", "test_release_killed",
    "test_server", "test_workers", "test_connections", "test_differential", "test_clients_node",
    "test_clients_yasgui", "test_clients_jena", "test_clients_graphs", "test_clients", "test_client_accepts",
    "test_pages", "test_openapi", "test_edge", "test_endpoint", "test_damage", "test_prune", "test_pool",
    "test_mutated_queries", "test_model_counts", "test_questions", "test_bench", "test_domain", "test_project",
    "test_tiny", "test_store_contract", "test_rewrites_needed", "test_prefix_order", "test_sparql_nesting",
    "test_report_formats", "test_release_parts", "test_loose_files", "test_init", "test_command_line",
    "test_publication_page", "test_harvesters", "test_catalogue_http", "test_catalogue", "test_dumps",
    "test_terms_as_written", "test_graph_output",
)  # fmt: skip
SLOW_FOLDERS = ("conformance", "datasets")
SLOW_FIXTURES = {"built_real", "built_tiny", "copy_of_real"}
QUICK = "not slow"


def pytest_configure() -> None:
    """Have this process and those that it starts notice interrupts, which shells have background jobs ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what a quick run leaves out: browsers' drivers and data frames take seconds."""
    left_out = collection_path.stem in SLOW or collection_path.name in SLOW_FOLDERS
    return True if left_out and config.getoption("markexpr") == QUICK else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and put what takes longest first."""
    for item in items:
        in_folder = item.path.parent.name in SLOW_FOLDERS
        if in_folder or item.path.stem in SLOW or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    order = {name: number for number, name in enumerate((*SLOW_FOLDERS, *SLOW))}
    items.sort(key=lambda item: min(order.get(name, len(order)) for name in (item.path.stem, item.path.parent.name)))
