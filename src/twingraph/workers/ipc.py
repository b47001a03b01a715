"""The messages between the server and a worker, over a socket.

Both sides send frames: a byte for the kind, four bytes for the length, and the content. The server sends one OPEN frame
and then JOB, GRAPH and DESCRIBE frames, one at a time. The worker replies to OPEN with READY or ERROR, to a job with
ERROR; with ANSWER, which is a complete small answer; or with HEAD, any number of BODY frames, and then DONE or ERROR.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from twingraph import errors
from twingraph.errors import TwingraphError
from twingraph.rdf.gzip_members import Extent

_FRAME = struct.Struct("!BI")
_LIMITS = struct.Struct("!QQQhhH")
_HEAD = struct.Struct("!BBQHH")
_DONE = struct.Struct("!q")
# The format of a DescribeJob that gives no document, but where it is.
LOCATION = "location"
_GRAPH = struct.Struct("!QQQQ")
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")


class Kind(IntEnum):
    """The kind of a frame."""

    OPEN = 1
    JOB = 2
    HEAD = 3
    BODY = 4
    DONE = 5
    ERROR = 6
    READY = 7
    ANSWER = 8
    GRAPH = 9
    DESCRIBE = 10


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """The release that a worker is to open, and how many bytes of memory each of its queries may use besides.

    ``descriptions`` are the settings of descriptions with the release's date and licence; without them there are none.
    """

    directory: str
    quads: int
    base: str
    prefixes: Mapping[str, str]
    default_graph: str
    memory_quads: int
    memory_bytes: int
    descriptions: Mapping[str, Any] = field(default_factory=dict)
    language_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The number of quads that a worker has opened, and notes on what its sandbox lacks."""

    quads: int
    notes: tuple[str, ...] = ()


class Job(NamedTuple):
    """A query, with its dataset, the formats of its answer, and limits.

    ``results_format`` and ``graph_format`` are empty where none is acceptable. Graphs that are not None override the
    dataset of the query. ``rows`` 0 means no limit. The first ``buffer_bytes`` are held back, so that a failure within
    them can still be reported instead of an answer.
    """

    text: str
    results_format: str
    graph_format: str
    default_graphs: tuple[str, ...] | None
    named_graphs: tuple[str, ...] | None
    rows: int
    bytes: int
    buffer_bytes: int


class DescribeJob(NamedTuple):
    """The description of the first of ``iris`` about which anything is stated, as a document.

    ``format`` is a syntax of RDF; JSON of the description for a page (`html`); or where the document is (`location`).
    ``document`` is the address of the document, relative to the base. ``bytes`` and ``buffer_bytes`` are as in `Job`.
    """

    iris: tuple[str, ...]
    format: str
    document: str
    page: int
    bytes: int
    buffer_bytes: int

    @property
    def rows(self) -> int:
        """The limit of rows: none."""
        return 0


class GraphJob(NamedTuple):
    """A graph to be written in a format: where its triples are in the file of graphs, and limits as those of a `Job`.

    There is no limit of rows, so that a graph is never cut.
    """

    extent: Extent
    format: str
    bytes: int
    buffer_bytes: int

    @property
    def rows(self) -> int:
        """The limit of rows: none."""
        return 0


class ResultHead(NamedTuple):
    """What is known of an answer before its first byte.

    ``format`` is empty when none was acceptable, and then there is no body. ``cut`` is the number of rows after which
    the answer is cut, 0 when it is whole. ``next`` is the link to the remaining rows, empty when there is none.
    ``volatile`` means that the same query may give another answer each time.
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
    """Return the content of an OPEN frame."""
    fields = json.loads(content)
    fields[-1] = tuple(fields[-1])
    return OpenRequest(*fields)


def pack_ready(message: Ready) -> bytes:
    """Return a READY frame."""
    return frame(Kind.READY, json.dumps([message.quads, message.notes]).encode())


def ready(content: bytes) -> Ready:
    """Return the content of a READY frame."""
    quads, notes = json.loads(content)
    return Ready(quads, tuple(notes))


def pack_job(job: Job) -> bytes:
    """Return a JOB frame: the limits, the length of each text, and the texts."""
    default, named = job.default_graphs, job.named_graphs
    texts = (job.text, job.results_format, job.graph_format, *(default or ()), *(named or ()))
    encoded = [text.encode() for text in texts]
    limits = _LIMITS.pack(job.rows, job.bytes, job.buffer_bytes, _count(default), _count(named), len(encoded))
    lengths = struct.pack(f"!{len(encoded)}I", *map(len, encoded))
    return frame(Kind.JOB, b"".join((limits, lengths, *encoded)))


def job(content: bytes) -> Job:
    """Return the content of a JOB frame."""
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


def pack_describe(job: DescribeJob) -> bytes:
    """Return a DESCRIBE frame."""
    return frame(Kind.DESCRIBE, json.dumps(job).encode())


def describe_job(content: bytes) -> DescribeJob:
    """Return the content of a DESCRIBE frame."""
    iris, *others = json.loads(content)
    return DescribeJob(tuple(iris), *others)


def pack_graph_job(job: GraphJob) -> bytes:
    """Return a GRAPH frame: the part of the file, the limits and the name of the format."""
    return frame(Kind.GRAPH, _GRAPH.pack(*job.extent, job.bytes, job.buffer_bytes) + job.format.encode())


def graph_job(content: bytes) -> GraphJob:
    """Return the content of a GRAPH frame."""
    start, end, size, buffer_bytes = _GRAPH.unpack_from(content)
    return GraphJob(Extent(start, end), content[_GRAPH.size :].decode(), size, buffer_bytes)


def pack_head(head: ResultHead) -> bytes:
    """Return a HEAD frame."""
    return frame(Kind.HEAD, _packed(head))


def head(content: bytes) -> ResultHead:
    """Return the content of a HEAD frame."""
    return _unpacked(content, 0)[0]


def pack_answer(head: ResultHead, grown: int, body: bytes | bytearray) -> bytes:
    """Return an ANSWER frame: the contents of the DONE and HEAD frames, and the body."""
    return frame(Kind.ANSWER, b"".join((_DONE.pack(grown), _packed(head), body)))


def answer(content: bytes) -> tuple[ResultHead, int, bytes]:
    """Return the content of an ANSWER frame."""
    head, end = _unpacked(content, _DONE.size)
    return head, _DONE.unpack_from(content)[0], content[end:]


def pack_done(grown: int) -> bytes:
    """Return a DONE frame: by how many bytes the worker has grown since it opened the release."""
    return frame(Kind.DONE, _DONE.pack(grown))


def done(content: bytes) -> int:
    """Return the content of a DONE frame."""
    grown: int = _DONE.unpack(content)[0]
    return grown


# The errors that workers raise, and the attributes from which they are reconstructed.
_ERRORS: Mapping[type[TwingraphError], Sequence[str]] = {
    errors.QueryError: ("message", "line", "column"),
    errors.FederationRefusedError: ("message", "line", "column"),
    errors.UnknownGraphError: ("message", "line", "column"),
    errors.UnsupportedFunctionError: ("message", "line", "column"),
    errors.MemoryLimitError: ("limit",),
    errors.AnswerTooLargeError: ("limit",),
    errors.QueryTooLongError: ("limit", "unit"),
    errors.UnknownNameError: ("kind", "name", "known"),
    errors.WithdrawnError: ("iri", "successor"),
}
_MESSAGES = (errors.DamagedStoreError, errors.StoreError)
_BY_NAME = {kind.__name__: kind for kind in (*_ERRORS, *_MESSAGES)}


def pack_error(error: TwingraphError) -> bytes:
    """Return an ERROR frame for an exception; one that is not listed here becomes a StoreError."""
    kind = type(error)
    if kind in _ERRORS:
        facts: list[Any] = [kind.__name__, *(getattr(error, name) for name in _ERRORS[kind])]
    else:
        facts = [(kind if kind in _MESSAGES else errors.StoreError).__name__, str(error)]
    return frame(Kind.ERROR, json.dumps(facts).encode())


def error(content: bytes) -> TwingraphError:
    """Return the exception in an ERROR frame."""
    name, *facts = json.loads(content)
    exception: TwingraphError = _BY_NAME[name](*facts)
    return exception


class FrameReader:
    """Parses frames from bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Add received bytes and yield each frame that is complete."""
        if self._rest:
            self._rest += data
        # Most pieces consist of complete frames and need not be appended to anything.
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
    """Return the head at an offset, and the offset of what follows it."""
    form, volatile, cut, length, link_length = _HEAD.unpack_from(content, start)
    start += _HEAD.size
    link, end = start + length, start + length + link_length
    head = ResultHead(_FORMS[form], content[start:link].decode(), cut, content[link:end].decode(), bool(volatile))
    return head, end


def _count(graphs: Sequence[str] | None) -> int:
    return -1 if graphs is None else len(graphs)
