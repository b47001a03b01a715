"""Integrity of a release on disk: files against their digests, no file too many, quads against their counts.

The digests of the store's files are in ``store.json`` beside the store. They are not in the manifest, which is the same
for two builds of the same input: the engine's files never are.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from twingraph.errors import ReleaseError
from twingraph.rdf.nquads import rows_of
from twingraph.release.archive import QUADS, STORE, Release
from twingraph.release.manifest import FILE
from twingraph.release.store_writer import DIGESTS, file_digest, store_files

_BLOCK = 1 << 20

Fault = tuple[str, str]
"""A file's name within the release, and what is wrong with it."""


def verify(release: Release, *, store: bool = True) -> None:
    """Raise ReleaseError when a file of the manifest, or with ``store`` one of the store, is missing or damaged."""
    for name, expected in release.manifest.files.items():
        path = release.directory / name
        fault = file_fault(path, expected)
        if fault:
            raise ReleaseError(str(path), fault)
    for name, fault in store_faults(release) if store else ():
        raise ReleaseError(str(release.directory / name), fault)


def faults(release: Release) -> Iterator[Fault]:
    """Yield the faults of a release, in no order; the store of a release of form 1 is not looked at."""
    manifest, directory = release.manifest, release.directory
    for name, sha256 in manifest.files.items():
        fault = file_fault(directory / name, sha256)
        if fault:
            yield name, fault
        elif name == QUADS:
            yield from _count_faults(release)
    yield from store_faults(release)
    known = {*manifest.files, FILE, DIGESTS}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if not path.is_dir() and name not in known and not name.startswith(f"{STORE}/"):
            yield name, "does not belong here"


def store_faults(release: Release) -> Iterator[Fault]:
    """Yield the faults of the store's files, all of which are read; none for form 1, which has no digests of them."""
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
    """Return what is wrong with a file, None when it is as it was written."""
    try:
        if size is not None and path.stat().st_size != size:
            return f"is damaged: it has {path.stat().st_size} bytes, not {size}"
        return None if file_digest(path) == sha256 else "is damaged: its SHA-256 is another"
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
        yield QUADS, f"has {counted.total()} quads, and the manifest says {manifest.quads}"
    for graph in sorted(counted.keys() | manifest.graphs.keys()):
        if counted[graph] != manifest.graphs.get(graph, 0):
            yield (
                QUADS,
                f"has {counted[graph]} quads in <{graph}>, and the manifest says {manifest.graphs.get(graph, 0)}",
            )


def _count(path: Path) -> Counter[str]:
    """Return how many quads there are in each graph; the default graph has the empty name."""
    counted: Counter[bytes] = Counter()
    with gzip.open(path) as packed:
        while lines := packed.readlines(_BLOCK):
            counted.update(row[3] for row in rows_of(b"".join(lines)))
    return Counter({graph.decode().strip("<>"): count for graph, count in counted.items()})
