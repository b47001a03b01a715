"""The archive of releases: immutable directories ``releases/{id}/``, and ``releases/current``, which names one.

A release is written to ``.building-*`` beside the others, flushed to disk, renamed, and only then pointed at. One
that is removed is renamed to ``.removing-*`` first. Whoever is killed at any moment leaves at most a ``.building-*``,
``.current-*`` or ``.removing-*`` behind, which the next build or removal clears away.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from twingraph.errors import NoReleaseError, ReleaseError, UnknownNameError
from twingraph.release.manifest import FILE, Manifest, read_manifest

QUADS, CONTEXT, STORE, QUERIES = "quads.nq.gz", "context.jsonld", "store", "queries"
_DATE = "%Y%m%dT%H%M%SZ"
_LOCK, _CURRENT, _BUILDING, _POINTING, _REMOVING = ".lock", "current", ".building-", ".current-", ".removing-"


@dataclass(frozen=True)
class Release:
    """A release on disk."""

    directory: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """The release's identifier, which begins with its date."""
        return self.manifest.id

    @property
    def query_files(self) -> tuple[Path, ...]:
        """The saved queries of the release, sorted by name."""
        return tuple(sorted((self.directory / QUERIES).glob("*.rq")))

    @property
    def has_store_digests(self) -> bool:
        """Whether the digests of the store's files were written when it was built."""
        return self.manifest.form > 1 and self.manifest.quads > 0


@dataclass(frozen=True)
class Archive:
    """The releases in a directory, which need not exist yet."""

    directory: Path

    def ids(self) -> tuple[str, ...]:
        """Return the identifiers of the releases, the oldest first."""
        return tuple(
            sorted(path.parent.name for path in self.directory.glob(f"[!.]*/{FILE}") if self._own(path.parent))
        )

    def holds(self, identifier: str) -> bool:
        """Tell whether there is something by this identifier that looks like a release; it costs one system call."""
        try:
            return (self.directory / identifier / FILE).is_file()
        except OSError:
            return False

    def current_id(self) -> str | None:
        """Return the identifier of the current release, None when there is none; it costs one system call."""
        try:
            return (self.directory / _CURRENT).readlink().name
        except OSError:
            return None

    def current(self) -> Release:
        """Return the current release; raises NoReleaseError, or ReleaseError when it is damaged."""
        identifier = self.current_id()
        if identifier is None:
            raise NoReleaseError(str(self.directory))
        return Release(self.directory / identifier, read_manifest(self.directory / identifier))

    def get(self, identifier: str) -> Release:
        """Return a release by its identifier; raises UnknownNameError or ReleaseError."""
        if identifier not in self.ids():
            raise UnknownNameError("release", identifier, self.ids())
        return Release(self.directory / identifier, read_manifest(self.directory / identifier))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other build of this archive out, and clear away what killed builds have left.

        Raises ReleaseError when another build is at work. The system frees the lock when its holder dies.
        """
        self._create()
        with (self.directory / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ReleaseError(str(self.directory), "another build is writing here; wait for it") from error
            self._clean()
            yield

    def begin(self) -> Path:
        """Return a new empty directory to write a release into, while the lock is held."""
        return Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.directory))

    @contextmanager
    def beginning(self) -> Iterator[Path]:
        """Yield a directory as `begin` makes it; what has not been published in the end is removed."""
        building = self.begin()
        try:
            yield building
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def publish(self, building: Path, identifier: str) -> None:
        """Flush what was written to disk, give it its name, and make it the current release."""
        for path in (*building.rglob("*"), building):
            _flush(path)
        building.chmod(0o755)
        building.rename(self.directory / identifier)
        _flush(self.directory)
        self.point_to(identifier)

    def point_to(self, identifier: str) -> None:
        """Make a release the current one, in one step that other processes see whole or not at all."""
        pointer = Path(tempfile.mkdtemp(prefix=_POINTING, dir=self.directory)) / _CURRENT
        pointer.symlink_to(identifier)
        pointer.replace(self.directory / _CURRENT)
        pointer.parent.rmdir()
        _flush(self.directory)

    def remove(self, identifier: str) -> None:
        """Remove a release that is not the current one, while the lock is held.

        It has no name any more before its first file goes, so that nobody finds a part of it. Who has its files open
        reads on.
        """
        if identifier == self.current_id():
            raise ReleaseError(str(self.directory / identifier), "is the current release")
        gone = self.directory / f"{_REMOVING}{identifier}"
        (self.directory / identifier).rename(gone)
        _flush(self.directory)
        shutil.rmtree(gone)

    def _own(self, path: Path) -> bool:
        return not path.is_symlink()

    def _create(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReleaseError(str(self.directory), f"cannot be made: {error.strerror}") from error

    def _clean(self) -> None:
        for prefix in (_BUILDING, _POINTING, _REMOVING):
            for path in self.directory.glob(f"{prefix}*"):
                shutil.rmtree(path)


def prunable(archive: Archive, keep: int, before: datetime | None = None) -> tuple[str, ...]:
    """Return the releases that may go, the oldest first: not the newest ``keep``, and never the current one.

    With ``before``, only those whose identifier has an earlier date; one without a date stays then.
    """
    current = archive.current_id()
    old = archive.ids()[: -keep or None]
    return tuple(one for one in old if one != current and (before is None or _is_before(one, before)))


def size(directory: Path) -> int:
    """Return how many bytes the files in a directory have."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink())


def _is_before(identifier: str, moment: datetime) -> bool:
    try:
        date = datetime.strptime(identifier.partition("-")[0], _DATE).replace(tzinfo=UTC)
    except ValueError:
        return False
    return date < moment


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
