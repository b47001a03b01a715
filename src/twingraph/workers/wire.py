"""What goes over the socket between the server and a worker.

Either way go frames: a byte that says what kind, four bytes of length, and so many bytes. The server sends one OPENING
and then QUESTIONs, one at a time. A worker answers each by any number of BODY frames, the answer as the engine writes
it, and then one DONE or ERROR; an OPENING by one OPENED or ERROR.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from twingraph.errors import (
    AnswerTooLargeError,
    DamagedStoreError,
    MemoryLimitError,
    QueryError,
    StoreError,
    TwingraphError,
)

_HEAD = struct.Struct("!BI")
_DONE = struct.Struct("!QQq")


class Kind(IntEnum):
    """What a frame holds."""

    OPENING = 1
    QUESTION = 2
    BODY = 3
    DONE = 4
    ERROR = 5
    OPENED = 6


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Opening:
    """The release that a worker opens, and how much memory (bytes) each of its queries may use on top of it."""

    directory: str
    quads: int
    base: str
    prefixes: Mapping[str, str]
    default_graph: str
    memory_quads: int
    memory_bytes: int
    language_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A query; the datasets are None when it names none; ``rows`` 0 for any number; ``next`` is where the rest is."""

    text: str
    form: str
    default_graphs: tuple[str, ...] | None
    named_graphs: tuple[str, ...] | None
    format: str
    rows: int
    bytes: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """How many quads a worker has opened, and what there is to be noted about its sandbox."""

    quads: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """How a worker ended what it was asked; ``grown`` is by how many bytes it is larger than when it began to answer.

    ``cut`` is the number of rows after which the answer was cut, 0 when it is whole.
    """

    bytes: int = 0
    cut: int = 0
    grown: int = 0


_DATASETS = [Question.__slots__.index(name) for name in ("default_graphs", "named_graphs")]


def frame(kind: Kind, content: bytes | bytearray) -> bytes:
    """Return a frame as bytes."""
    return _HEAD.pack(kind, len(content)) + content


def pack(kind: Kind, message: Opening | Opened | Question) -> bytes:
    """Return a frame that holds a message: its fields in their order."""
    return frame(kind, json.dumps([getattr(message, name) for name in message.__slots__]).encode())


def pack_done(message: Done) -> bytes:
    """Return a DONE."""
    return _HEAD.pack(Kind.DONE, _DONE.size) + _DONE.pack(message.bytes, message.cut, message.grown)


def opening(content: bytes) -> Opening:
    """Return the message of an OPENING."""
    fields = json.loads(content)
    fields[-1] = tuple(fields[-1])
    return Opening(*fields)


def opened(content: bytes) -> Opened:
    """Return the message of an OPENED."""
    quads, notes = json.loads(content)
    return Opened(quads, tuple(notes))


def question(content: bytes) -> Question:
    """Return the message of a QUESTION."""
    fields = json.loads(content)
    for place in _DATASETS:
        fields[place] = None if fields[place] is None else tuple(fields[place])
    return Question(*fields)


def done(content: bytes) -> Done:
    """Return the message of a DONE."""
    return Done(*_DONE.unpack(content))


def pack_error(error: TwingraphError) -> bytes:
    """Return an ERROR that holds an exception of ours."""
    match error:
        case QueryError():
            facts: list[Any] = ["query", error.message, error.line, error.column]
        case MemoryLimitError() | AnswerTooLargeError():
            facts = ["memory" if isinstance(error, MemoryLimitError) else "answer", error.limit]
        case _:
            facts = ["damage" if isinstance(error, DamagedStoreError) else "store", str(error)]
    return frame(Kind.ERROR, json.dumps(facts).encode())


def error(content: bytes) -> TwingraphError:
    """Return the exception that an ERROR holds."""
    kind, *facts = json.loads(content)
    classes = {"query": QueryError, "memory": MemoryLimitError, "answer": AnswerTooLargeError, "store": StoreError}
    classes["damage"] = DamagedStoreError
    found: TwingraphError = classes[kind](*facts)
    return found


class Frames:
    """Frames out of bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Yield each frame that is whole now."""
        self._rest += data
        start = 0
        while len(self._rest) >= start + _HEAD.size:
            kind, length = _HEAD.unpack_from(self._rest, start)
            end = start + _HEAD.size + length
            if len(self._rest) < end:
                break
            yield _KINDS[kind], bytes(self._rest[start + _HEAD.size : end])
            start = end
        del self._rest[:start]
