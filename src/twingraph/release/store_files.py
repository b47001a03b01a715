"""The digests of a store's files, in ``store.json`` beside the store: how a damaged one is told from a whole one.

They are not in the manifest, which is the same for two builds of the same input: the engine's files never are. No
third-party import: the process that writes the store writes them too.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

DIGESTS = "store.json"
# The engine's lock and its diary, which it does not read.
_UNREAD = ("LOCK", "LOG")

Fault = tuple[str, str]
"""A file's name within the release, and what is wrong with it."""


def write_digests(store: Path) -> None:
    """Write the size and SHA-256 of each file of a store that is closed."""
    files = {path.name: {"bytes": path.stat().st_size, "sha256": file_digest(path)} for path in _files(store)}
    (store.parent / DIGESTS).write_text(json.dumps(files, indent=2, sort_keys=True) + "\n", encoding="ascii")


def store_faults(release: Path, store: str = "store") -> Iterator[Fault]:
    """Yield what is wrong with the store of a release that has digests; reads all of it."""
    try:
        expected = json.loads((release / DIGESTS).read_bytes())
        found = {path.name: path for path in _files(release / store)}
        facts = {name: (int(fact["bytes"]), str(fact["sha256"])) for name, fact in expected.items()}
    except OSError as error:
        yield DIGESTS, f"cannot be read: {error.strerror}"
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        yield DIGESTS, "is damaged"
        return
    for name, (size, sha256) in facts.items():
        fault = file_fault(release / store / name, sha256, size)
        if fault:
            yield f"{store}/{name}", fault
    for name in sorted(found.keys() - facts.keys()):
        yield f"{store}/{name}", "does not belong here"


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


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(store: Path) -> list[Path]:
    return sorted(path for path in store.iterdir() if path.name.partition(".")[0] not in _UNREAD)
