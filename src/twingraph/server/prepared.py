"""A question made ready to be asked, once or many times."""

from collections.abc import Mapping
from dataclasses import dataclass

from twingraph.workers.wire import Question


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a worker is asked, the key and entity tag of its answer, the headers with it, and what the log calls it.

    The tag is None when the answer is another one each time.
    """

    question: Question
    key: tuple[object, ...]
    tag: str | None
    headers: Mapping[str, str]
    query_hash: str
