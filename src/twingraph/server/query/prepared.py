"""A query made ready to be asked, once or many times."""

from dataclasses import dataclass

from twingraph.server.http.negotiation import AnswerFormats, Preference


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """The JOB frame for a worker, the key and entity tag of the answer, and the formats it may have by preference.

    ``query_hash`` is what the log calls it; it ``may_be_volatile`` when its text names a function that gives another
    value each time.
    """

    job: bytes
    key: bytes
    etag: str
    formats: AnswerFormats
    preference: Preference
    query_hash: str
    may_be_volatile: bool

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.job) + len(self.preference.accept) + len(self.preference.format)
