"""Verifying a release on the disk: every file against its digest, no file too many, the quads against their counts."""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from twingraph.rdf.nquads import rows_of
from twingraph.release.archive import QUADS, STORE, Release
from twingraph.release.manifest import FILE
from twingraph.release.store_files import DIGESTS, Fault, file_fault

_BLOCK = 1 << 20


def faults(release: Release) -> Iterator[Fault]:
    """Yield what is wrong with a release, in no order; nothing when it is as it was built.

    The store of a release of form 1 has no digests, so nothing is said of it.
    """
    manifest, directory = release.manifest, release.directory
    for name, sha256 in manifest.files.items():
        fault = file_fault(directory / name, sha256)
        if fault:
            yield name, fault
        elif name == QUADS:
            yield from _count_faults(release)
    yield from release.store_faults()
    known = {*manifest.files, FILE, DIGESTS}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if not path.is_dir() and name not in known and not name.startswith(f"{STORE}/"):
            yield name, "does not belong here"


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
