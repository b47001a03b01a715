"""Which old releases may be removed, and how much room they take."""

from datetime import UTC, datetime
from pathlib import Path

from twingraph.release.archive import Archive

_DATE = "%Y%m%dT%H%M%SZ"


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
