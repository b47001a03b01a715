"""What goes over the socket between the server and a worker.

Either way go frames: a byte that says what kind, four bytes of length, and so many bytes. The server sends one OPEN and
then JOBs, one at a time. A worker answers an OPEN by READY or ERROR. It answers a job by ERROR, by ANSWER, which is all
of a small answer, or by HEAD, any number of BODY frames, the answer as the engine writes it, and then DONE or ERROR.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from twingraph import errors
from twingraph.errors import TwingraphError

_FRAME = struct.Struct("!BI")
_LIMITS = struct.Struct("!QQQhhH")
_HEAD = struct.Struct("!BBQHH")
_DONE = struct.Struct("!q")
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")


class Kind(IntEnum):
    """What a frame holds."""

    OPEN = 1
    JOB = 2
    HEAD = 3
    BODY = 4
    DONE = 5
    ERROR = 6
    READY = 7
    ANSWER = 8


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class OpenRequest:
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
class Ready:
    """How many quads a worker has opened, and what there is to be noted about its sandbox."""

    quads: int
    notes: tuple[str, ...] = ()


class Job(NamedTuple):
    """A query's text and what bounds its answer.

    The formats are what solutions, and a graph, are written in, empty where none is acceptable; the graphs, when they
    are not None, are a dataset that wins over the query's own; ``rows`` 0 is any number. So many ``buffer_bytes`` are
    held back until it is known whether the answer will be whole.
    """

    text: str
    results_format: str
    graph_format: str
    default_graphs: tuple[str, ...] | None
    named_graphs: tuple[str, ...] | None
    rows: int
    bytes: int
    buffer_bytes: int


class ResultHead(NamedTuple):
    """What is known of an answer before its first byte.

    ``format`` is empty when none was acceptable, and there is no answer then. ``cut`` tells after how many rows it is
    cut, 0 when it is not, ``next`` where the rest is, empty when nobody can say; ``volatile`` that the same query gives
    another answer each time.
    """

    form: str
    format: str
    cut: int = 0
    next: str = ""
    volatile: bool = False


def frame(kind: Kind, content: bytes | bytearray) -> bytes:
    """Return a frame as bytes."""
    return _FRAME.pack(kind, len(content)) + content


def pack_open(request: OpenRequest) -> bytes:
    """Return an OPEN frame."""
    return frame(Kind.OPEN, json.dumps([getattr(request, name) for name in request.__slots__]).encode())


def open_request(content: bytes) -> OpenRequest:
    """Return what an OPEN frame holds."""
    fields = json.loads(content)
    fields[-1] = tuple(fields[-1])
    return OpenRequest(*fields)


def pack_ready(message: Ready) -> bytes:
    """Return a READY frame."""
    return frame(Kind.READY, json.dumps([message.quads, message.notes]).encode())


def ready(content: bytes) -> Ready:
    """Return what a READY frame holds."""
    quads, notes = json.loads(content)
    return Ready(quads, tuple(notes))


def pack_job(job: Job) -> bytes:
    """Return a JOB frame: the bounds, the length of each text, and the texts."""
    default, named = job.default_graphs, job.named_graphs
    texts = (job.text, job.results_format, job.graph_format, *(default or ()), *(named or ()))
    encoded = [text.encode() for text in texts]
    bounds = _LIMITS.pack(job.rows, job.bytes, job.buffer_bytes, _count(default), _count(named), len(encoded))
    lengths = struct.pack(f"!{len(encoded)}I", *map(len, encoded))
    return frame(Kind.JOB, b"".join((bounds, lengths, *encoded)))


def job(content: bytes) -> Job:
    """Return what a JOB frame holds."""
    rows, size, buffer_bytes, default, named, count = _LIMITS.unpack_from(content)
    start = _LIMITS.size + 4 * count
    texts = []
    for length in struct.unpack_from(f"!{count}I", content, _LIMITS.size):
        texts.append(content[start : start + length].decode())
        start += length
    text, results, graph, *graphs = texts
    divide = max(default, 0)
    defaults = tuple(graphs[:divide]) if default >= 0 else None
    return Job(text, results, graph, defaults, tuple(graphs[divide:]) if named >= 0 else None, rows, size, buffer_bytes)


def pack_head(head: ResultHead) -> bytes:
    """Return a HEAD frame."""
    return frame(Kind.HEAD, _packed(head))


def head(content: bytes) -> ResultHead:
    """Return what a HEAD frame holds."""
    return _unpacked(content, 0)[0]


def pack_answer(head: ResultHead, grown: int, body: bytes | bytearray) -> bytes:
    """Return an ANSWER frame: what DONE and HEAD frames hold, and the body between them."""
    return frame(Kind.ANSWER, b"".join((_DONE.pack(grown), _packed(head), body)))


def answer(content: bytes) -> tuple[ResultHead, int, bytes]:
    """Return what an ANSWER frame holds."""
    head, end = _unpacked(content, _DONE.size)
    return head, _DONE.unpack_from(content)[0], content[end:]


def pack_done(grown: int) -> bytes:
    """Return a DONE frame: by how many bytes the worker is larger than when it began to answer."""
    return frame(Kind.DONE, _DONE.pack(grown))


def done(content: bytes) -> int:
    """Return what a DONE frame holds."""
    grown: int = _DONE.unpack(content)[0]
    return grown


# The errors that workers raise, and the attributes from which each is made again.
_ERRORS: Mapping[type[TwingraphError], Sequence[str]] = {
    errors.QueryError: ("message", "line", "column"),
    errors.FederationRefusedError: ("message", "line", "column"),
    errors.UnknownGraphError: ("message", "line", "column"),
    errors.UnsupportedFunctionError: ("message", "line", "column"),
    errors.MemoryLimitError: ("limit",),
    errors.AnswerTooLargeError: ("limit",),
    errors.QueryTooLongError: ("limit", "unit"),
}
_MESSAGES = (errors.DamagedStoreError, errors.StoreError)
_BY_NAME = {kind.__name__: kind for kind in (*_ERRORS, *_MESSAGES)}


def pack_error(error: TwingraphError) -> bytes:
    """Return an ERROR frame that holds an exception of ours; one that is not known here is a StoreError."""
    kind = type(error)
    if kind in _ERRORS:
        facts: list[Any] = [kind.__name__, *(getattr(error, name) for name in _ERRORS[kind])]
    else:
        facts = [(kind if kind in _MESSAGES else errors.StoreError).__name__, str(error)]
    return frame(Kind.ERROR, json.dumps(facts).encode())


def error(content: bytes) -> TwingraphError:
    """Return the exception that an ERROR frame holds."""
    name, *facts = json.loads(content)
    made: TwingraphError = _BY_NAME[name](*facts)
    return made


class FrameReader:
    """Frames out of bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Yield each frame that is whole now."""
        if self._rest:
            self._rest += data
        # Most pieces hold whole frames, which need not be copied to be joined.
        received = self._rest or data
        begin, size = 0, len(received)
        while size >= (start := begin + _FRAME.size):
            kind, length = _FRAME.unpack_from(received, begin)
            if size < start + length:
                break
            begin = start + length
            yield _KINDS[kind], bytes(received[start:begin])
        if received is data:
            self._rest += data[begin:]
        else:
            del self._rest[:begin]


def _packed(head: ResultHead) -> bytes:
    name, link = head.format.encode(), head.next.encode()
    return _HEAD.pack(_FORMS.index(head.form), head.volatile, head.cut, len(name), len(link)) + name + link


def _unpacked(content: bytes, start: int) -> tuple[ResultHead, int]:
    """Return the head that begins at an offset, and the offset behind it."""
    form, volatile, cut, length, link_length = _HEAD.unpack_from(content, start)
    start += _HEAD.size
    link, end = start + length, start + length + link_length
    head = ResultHead(_FORMS[form], content[start:link].decode(), cut, content[link:end].decode(), bool(volatile))
    return head, end


def _count(graphs: Sequence[str] | None) -> int:
    return -1 if graphs is None else len(graphs)
