"""The archive of releases: immutable directories ``releases/{id}/``, and ``releases/current``, a link to one of them.

A release is written to ``.building-*`` beside the others, flushed to disk and renamed before the link is changed. One
to be removed is first renamed to ``.removing-*``. A process that is killed leaves at most a ``.building-*``,
``.current-*`` or ``.removing-*`` behind, which the next build or removal deletes.


A release can be verified: its files against their digests, its quads against their counts. The digests of the store's
files are in ``store.json`` and not in the manifest, because the engine never writes the same files twice.
"""

import fcntl
import gzip
import json
import os
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from twingraph.errors import NoReleaseError, ReleaseError, UnknownNameError
from twingraph.rdf.nquads import rows_of
from twingraph.release.manifest import FILE, Manifest, read_manifest
from twingraph.release.store_writer import DIGESTS, file_digest, store_files
from twingraph.store.exact import GRAPHS, QUADS, ExactStatements

CONTEXT, STORE, QUERIES, SHAPES = "context.jsonld", "store", "queries", "shapes.nt"
_DATE = "%Y%m%dT%H%M%SZ"
_LOCK, _CURRENT, _BUILDING, _POINTING, _REMOVING = ".lock", "current", ".building-", ".current-", ".removing-"
_BLOCK = 1 << 20
_FORM_WITH_INDEXES = 3

Fault = tuple[str, str]
"""The name of a file within a release, and what is wrong with it."""


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
        """The files of the saved queries, sorted by name."""
        return tuple(sorted((self.directory / QUERIES).glob("*.rq")))

    @property
    def has_store_digests(self) -> bool:
        """Whether the build wrote the digests of the store's files."""
        return self.manifest.form > 1 and self.manifest.quads > 0

    def exact(self) -> ExactStatements | None:
        """Return the statements as written, None for a release of an earlier form, which has no indexes of them.

        Raises ReleaseError when the indexes cannot be read.
        """
        if self.manifest.form < _FORM_WITH_INDEXES:
            return None
        try:
            return ExactStatements.open(self.directory)
        except (OSError, ValueError) as error:
            raise ReleaseError(str(self.directory), f"the indexes of its statements cannot be read: {error}") from error


@dataclass(frozen=True)
class Archive:
    """The releases in a directory, which need not exist yet."""

    directory: Path

    def ids(self) -> tuple[str, ...]:
        """Return the identifiers of the releases, the oldest first."""
        return tuple(
            sorted(path.parent.name for path in self.directory.glob(f"[!.]*/{FILE}") if not path.parent.is_symlink())
        )

    def holds(self, identifier: str) -> bool:
        """Return whether there is a release with this identifier; makes one system call."""
        try:
            return (self.directory / identifier / FILE).is_file()
        except OSError:
            return False

    def current_id(self) -> str | None:
        """Return the identifier of the current release, None when there is none; makes one system call."""
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
        """Lock the archive against other builds, and delete what killed builds have left behind.

        Raises ReleaseError when another build holds the lock, which the system releases when its process ends.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReleaseError(str(self.directory), f"cannot be created: {error.strerror}") from error
        with (self.directory / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ReleaseError(
                    str(self.directory), "another build is writing here: wait until it has ended"
                ) from error
            for prefix in (_BUILDING, _POINTING, _REMOVING):
                for path in self.directory.glob(f"{prefix}*"):
                    shutil.rmtree(path)
            yield

    def begin(self) -> Path:
        """Make an empty directory to write a release into; the caller holds the lock."""
        return Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.directory))

    @contextmanager
    def beginning(self) -> Iterator[Path]:
        """Yield a directory made by `begin`, and delete it at the end unless it has been published."""
        building = self.begin()
        try:
            yield building
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def publish(self, building: Path, identifier: str) -> None:
        """Flush a release to disk, rename it to its identifier, and make it the current one."""
        for path in (*building.rglob("*"), building):
            _flush(path)
        building.chmod(0o755)
        building.rename(self.directory / identifier)
        _flush(self.directory)
        self.point_to(identifier)

    def point_to(self, identifier: str) -> None:
        """Make a release the current one, atomically."""
        pointer = Path(tempfile.mkdtemp(prefix=_POINTING, dir=self.directory)) / _CURRENT
        pointer.symlink_to(identifier)
        pointer.replace(self.directory / _CURRENT)
        pointer.parent.rmdir()
        _flush(self.directory)

    def remove(self, identifier: str) -> None:
        """Remove a release that is not the current one; the caller holds the lock.

        It is renamed before its files are deleted, so that nobody reads part of it. Open files stay readable.
        """
        if identifier == self.current_id():
            raise ReleaseError(str(self.directory / identifier), "is the current release")
        gone = self.directory / f"{_REMOVING}{identifier}"
        (self.directory / identifier).rename(gone)
        _flush(self.directory)
        shutil.rmtree(gone)


def prunable(archive: Archive, keep: int, before: datetime | None = None) -> tuple[str, ...]:
    """Return the releases that can be removed, the oldest first: neither the newest ``keep`` nor the current one.

    With ``before``, only those with an earlier date in their identifier.
    """
    current = archive.current_id()
    old = archive.ids()[: -keep or None]
    return tuple(one for one in old if one != current and (before is None or _is_before(one, before)))


def size(directory: Path) -> int:
    """Return the total size of the files in a directory, in bytes."""
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


def verify(release: Release, *, store: bool = True, dumps: bool = True) -> None:
    """Raise ReleaseError when a file of the manifest, of the ``store`` or of the ``dumps`` is missing or damaged."""
    for name, expected in release.manifest.files.items():
        path = release.directory / name
        fault = file_fault(path, expected)
        if fault:
            raise ReleaseError(str(path), fault)
    for name, fault in chain(store_faults(release) if store else (), dump_faults(release) if dumps else ()):
        raise ReleaseError(str(release.directory / name), fault)


def faults(release: Release) -> Iterator[Fault]:
    """Yield the faults of a release, in no order; those of the store only if the release has digests of its files."""
    manifest, directory = release.manifest, release.directory
    for name, sha256 in manifest.files.items():
        fault = file_fault(directory / name, sha256)
        if fault:
            yield name, fault
        elif name == QUADS:
            yield from _count_faults(release)
        elif name == GRAPHS:
            yield from _graph_faults(release)
    yield from store_faults(release)
    yield from dump_faults(release)
    known = {*manifest.files, FILE, DIGESTS, *(dump.path for dump in manifest.dumps)}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if not path.is_dir() and name not in known and not name.startswith(f"{STORE}/"):
            yield name, "does not belong here"


def dump_faults(release: Release) -> Iterator[Fault]:
    """Yield the faults of the dumps, after reading all of them; a server need not, since no answer depends on them."""
    for dump in release.manifest.dumps:
        fault = file_fault(release.directory / dump.path, dump.sha256, dump.bytes)
        if fault and dump.path not in release.manifest.files:
            yield dump.path, fault


def store_faults(release: Release) -> Iterator[Fault]:
    """Yield the faults of the store's files, after reading all of them; none if the release has no digests of them."""
    if not release.has_store_digests:
        return
    try:
        expected = json.loads((release.directory / DIGESTS).read_bytes())
        found = {path.name for path in store_files(release.directory / STORE)}
        facts = {name: (int(fact["bytes"]), str(fact["sha256"])) for name, fact in expected.items()}
    except OSError as error:
        yield DIGESTS, f"cannot be read: {error.strerror}"
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        yield DIGESTS, "is damaged"
        return
    for name, (size, sha256) in facts.items():
        fault = file_fault(release.directory / STORE / name, sha256, size)
        if fault:
            yield f"{STORE}/{name}", fault
    for name in sorted(found - facts.keys()):
        yield f"{STORE}/{name}", "does not belong here"


def file_fault(path: Path, sha256: str, size: int | None = None) -> str | None:
    """Return what is wrong with a file, None when nothing is."""
    try:
        if size is not None and path.stat().st_size != size:
            return f"is damaged: it has {path.stat().st_size} bytes, not {size}"
        return None if file_digest(path) == sha256 else "is damaged: its SHA-256 has changed"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _count_faults(release: Release) -> Iterator[Fault]:
    try:
        counted = _count(release.directory / QUADS)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        yield QUADS, f"cannot be read: {error}"
        return
    manifest = release.manifest
    if counted.total() != manifest.quads:
        yield QUADS, f"has {counted.total()} quads, but the manifest says {manifest.quads}"
    for graph in sorted(counted.keys() | manifest.graphs.keys()):
        if counted[graph] != manifest.graphs.get(graph, 0):
            yield (
                QUADS,
                f"has {counted[graph]} quads in <{graph}>, but the manifest says {manifest.graphs.get(graph, 0)}",
            )


def _graph_faults(release: Release) -> Iterator[Fault]:
    expected = release.manifest.graphs
    try:
        exact = release.exact()
        counted = {name: sum(map(_lines, exact.triples(name))) for name in exact.graphs} if exact else {}
    except (ReleaseError, OSError, EOFError, zlib.error) as error:
        yield GRAPHS, f"cannot be read: {error}"
        return
    # The default graph may be the union of all, of whose triples the manifest says no number.
    for graph in sorted(filter(None, counted.keys() | expected.keys())):
        found, wanted = counted.get(graph, 0), expected.get(graph, 0)
        if found != wanted:
            yield GRAPHS, f"has {found} triples in <{graph}>, but the manifest says {wanted}"


def _lines(block: bytes) -> int:
    return block.count(b"\n")


def _count(path: Path) -> Counter[str]:
    """Return the number of quads in each graph; the default graph has the empty name."""
    counted: Counter[bytes] = Counter()
    with gzip.open(path) as packed:
        while lines := packed.readlines(_BLOCK):
            counted.update(row[3] for row in rows_of(b"".join(lines)))
    return Counter({graph.decode().strip("<>"): count for graph, count in counted.items()})
