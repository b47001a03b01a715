"""A query made ready to be asked, once or many times."""

from dataclasses import dataclass

from twingraph.formats import Format


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """The JOB frame for a worker, the key and entity tag of the answer, and the formats it may have.

    ``query_hash`` is what the log calls it; it ``may_be_volatile`` when its text names a function that gives another
    value each time.
    """

    job: bytes
    key: bytes
    etag: str
    results: Format | None
    graph: Format | None
    query_hash: str
    may_be_volatile: bool

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.job)
