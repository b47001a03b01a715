"""What the tests share: an editable copy of the tiny publication, and the settings of the real one."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from running import serving, twingraph
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
            shutil.copy(path, target / part)
    return EditablePublication(target, sources)


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> EditablePublication:
    """A copy of the tiny publication, built once for the tests of a module."""
    copy = copy_publication(TESTS / "tiny", tmp_path_factory.mktemp("built") / "tiny")
    assert twingraph(copy.directory, "build").returncode == 0
    return copy


@pytest.fixture(scope="module")
def release(publication: EditablePublication) -> Release:
    """The current release of the module's publication."""
    return Archive(publication.settings.releases).current()


@pytest.fixture(scope="module")
def address(publication: EditablePublication) -> Iterator[str]:
    """The address of a server of the module's publication."""
    with serving(publication.directory) as address:
        yield address


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
