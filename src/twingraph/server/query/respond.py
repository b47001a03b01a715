"""Answering a query: from a worker or from what is kept, with the headers that go with it.

An answer leaves when it is complete or has ``limits.buffer_bytes``: until then, whatever goes wrong is said by a
problem document. A larger one is passed on as it comes, and if it then goes wrong the connection is broken off, so that
what came before is not mistaken for an answer.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph import __version__
from twingraph.errors import AnswerTooLargeError, NotAcceptableError, TwingraphError
from twingraph.rdf.formats import GRAPHS, HTML, JSON, N_TRIPLES, RESULTS
from twingraph.server.http.access_log import ROWS_CUT, hash_of
from twingraph.server.http.headers import accepts_gzip, precondition
from twingraph.server.http.negotiation import AnswerFormats, Preference
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.cache import Answer
from twingraph.server.query.current_release import ServedRelease
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.single_flight import Result, disconnected
from twingraph.sparql.query import QueryForm, may_be_volatile
from twingraph.store.solutions import Solutions, read_solutions, read_triples
from twingraph.workers import ipc
from twingraph.workers.ipc import Job, ResultHead
from twingraph.workers.result_stream import ResultStream

logger = logging.getLogger(__name__)

_HEADERS = ((b"vary", b"Accept, Accept-Encoding"), (b"cache-control", b"no-cache"))
# A page shows some rows only; more bytes than this it does not want to read.
_PAGE_BYTES = 4 << 20


class PreparedQuery(NamedTuple):
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
        """How many bytes it takes, with the request that is its key: an address may take three for a character."""
        return 4 * len(self.job) + len(self.preference.accept) + len(self.preference.format)


class Table(NamedTuple):
    """An answer as rows to be laid out; a graph's are its triples."""

    rows: Solutions
    is_graph: bool


def prepare(served: ServedRelease, operation: ProtocolRequest, formats: AnswerFormats) -> PreparedQuery:
    """Make a query ready to be asked, once or many times."""
    limits = served.limits
    return _prepared(served, operation, formats, limits.rows, limits.answer_bytes, limits.buffer_bytes)


async def respond(served: ServedRelease, prepared: PreparedQuery, request: HttpRequest) -> ASGIApp:
    """Return the answer as data, or 304 when the client has it already.

    Raises QueryError, NotAcceptableError, StoreError or a LimitError; ClientDisconnect when the client has gone.
    """
    log = request.log
    log.query = prepared.query_hash
    condition = request.field(b"if-none-match")
    # Whoever has the tag of an answer was given that answer: the query need not be asked to know that it has one.
    if condition and (status := precondition(request.method, condition, prepared.etag, exists=False)):
        return _without_body(served, prepared, status)
    result: Result | None = served.cache.get(prepared.key, Answer)
    served.lookups["miss" if result is None else "hit"] += 1
    if result is None:
        result = await _ask(served, prepared, request)
    if condition and (status := precondition(request.method, condition, prepared.etag, exists=True)):
        if isinstance(result, ResultStream):
            served.pool.abandon(result)
        return _without_body(served, prepared, status)
    if isinstance(result, ResultStream):
        return _streaming(served, prepared, result, request)
    log.limit = result.limit
    if not result.is_worth_compressing or not accepts_gzip(request.field(b"accept-encoding").decode("latin-1")):
        return result.identity
    compressed = await result.compressed()
    if served.cache.get(prepared.key, Answer) is result:
        # It takes more now.
        served.cache.put(prepared.key, result)
    return compressed


async def respond_or_page(
    served: ServedRelease,
    operation: ProtocolRequest,
    formats: AnswerFormats,
    request: HttpRequest,
    page: Callable[[], Awaitable[Response]],
) -> ASGIApp:
    """Return the answer as data, or a page where that is preferred for the form of its query; raises as `respond`."""
    if formats.data is None:
        return await page()
    try:
        return await respond(served, prepare(served, operation, formats.data), request)
    except NotAcceptableError:
        if not formats.has_page:
            raise
        return await page()


async def table(served: ServedRelease, operation: ProtocolRequest, rows: int, request: HttpRequest) -> Table:
    """Return the answer as a table of so many rows at most; raises what `respond` raises."""
    size = min(served.limits.answer_bytes, _PAGE_BYTES)
    prepared = _prepared(served, operation, AnswerFormats(JSON, N_TRIPLES), rows, size, size)
    request.log.query = prepared.query_hash
    result = await _ask(served, prepared, request)
    if isinstance(result, ResultStream):
        served.pool.abandon(result)
        raise AnswerTooLargeError(size)
    is_graph = result.format == N_TRIPLES.name
    read = read_triples if is_graph else read_solutions
    content = await asyncio.to_thread(read, result.identity.body, served.release.manifest.iris)
    return Table(content, is_graph)


async def warm_up(served: ServedRelease) -> None:
    """Ask each saved query that needs no values once, so that its answer is there when it is asked for.

    That begins when there are enough workers for those who ask meanwhile; a large answer is not kept.
    """
    await served.pool.filled()
    for operation in served.ready_queries():
        prepared = prepare(served, operation, AnswerFormats(RESULTS[0], GRAPHS[0]))
        if served.cache.get(prepared.key, Answer) is not None:
            continue
        try:
            result = await _ask(served, prepared, None)
        except TwingraphError as error:
            logger.warning("a saved query could not be asked in advance: %s", error)
            continue
        if isinstance(result, ResultStream):
            served.pool.abandon(result)


class StreamingResult(Response):
    """A large answer, passed on as it comes; one that fails on the way is broken off."""

    def __init__(self, result: ResultStream, served: ServedRelease, headers: Sequence[tuple[bytes, bytes]]) -> None:
        super().__init__()
        self.raw_headers = list(headers)
        self._result, self._served = result, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the query ends when the client goes."""
        watch = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                async for piece in self._result.pieces():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TwingraphError as error:
            logger.warning("an answer was broken off: %s", error)
        finally:
            watch.cancel()
            self._served.pool.abandon(self._result)

    async def _watch(self, receive: Receive) -> None:
        await disconnected(receive)
        self._served.pool.abandon(self._result)


def _prepared(
    served: ServedRelease, operation: ProtocolRequest, formats: AnswerFormats, rows: int, size: int, buffered: int
) -> PreparedQuery:
    text, (results, graph) = operation.text or "", formats
    default, named = operation.default_graphs or None, operation.named_graphs or None
    names = (results.name if results else "", graph.name if graph else "")
    job = ipc.pack_job(Job(text, *names, default, named, rows, size, buffered))
    media_types = (one.media_type if one else "" for one in formats)
    # The version too: a mended program may answer otherwise.
    beside = f"{__version__} {served.release.id} {' '.join(media_types)} "
    key = hashlib.blake2b(beside.encode() + job, digest_size=24).digest()
    # A weak tag: rows that are not ordered may come in another order from another worker (RFC 9110, section 8.8.1).
    etag = f'W/"{served.release.id}-{key[:12].hex()}"'
    return PreparedQuery(job, key, etag, formats, operation.preference, hash_of(text), may_be_volatile(text))


async def _ask(served: ServedRelease, prepared: PreparedQuery, request: HttpRequest | None) -> Result:
    """Return the answer, complete and kept, or as it comes when it is large."""

    async def work() -> Result:
        result = await served.pool.ask(prepared.job, client)
        head = result.head.result()
        if not head.format:
            raise _not_acceptable(prepared, head)
        if not result.is_complete:
            return result
        answer = Answer(result.body(), _headers(served, prepared, head), head.format, ROWS_CUT if head.cut else None)
        if not head.volatile:
            served.cache.put(prepared.key, answer)
        return answer

    client = request.client if request else ""
    # What is asked in nobody's name may have other limits, and nobody is to be given another's UUID.
    is_shared = request is not None and not prepared.may_be_volatile
    return await served.flights.run(prepared.key if is_shared else object(), request, work)


def _not_acceptable(prepared: PreparedQuery, head: ResultHead) -> NotAcceptableError:
    """Return the error for a form of query for which no data is acceptable, though a page may be."""
    offered = (*(GRAPHS if QueryForm(head.form).gives_graph else RESULTS), HTML)
    try:
        prepared.preference.choose(offered)
    except NotAcceptableError as error:
        return error
    return NotAcceptableError(prepared.preference.accept, (one.media_type for one in offered))


def _streaming(served: ServedRelease, prepared: PreparedQuery, result: ResultStream, request: HttpRequest) -> Response:
    if request.scope.get("http_version") == "1.0":
        # That has no chunks: an answer that was broken off would look whole.
        served.pool.abandon(result)
        raise AnswerTooLargeError(served.limits.buffer_bytes)
    head = result.head.result()
    if head.cut:
        request.log.limit = ROWS_CUT
    return StreamingResult(result, served, _headers(served, prepared, head))


def _headers(served: ServedRelease, prepared: PreparedQuery, head: ResultHead) -> list[tuple[bytes, bytes]]:
    formats = prepared.formats
    format_ = next((one for one in formats if one and one.name == head.format), None)
    headers = [*_HEADERS, (b"twingraph-limits", served.announcement)]
    if format_:
        headers.append((b"content-type", format_.content_type.encode()))
    if not head.volatile:
        headers.append((b"etag", prepared.etag.encode()))
    if head.cut:
        headers.append((b"answer-cut", b"rows=%d" % head.cut))
    if head.next:
        headers.append((b"link", f'<{head.next}>; rel="next"'.encode()))
    return headers


def _without_body(served: ServedRelease, prepared: PreparedQuery, status: HTTPStatus) -> Response:
    response = Response(status_code=status)
    response.raw_headers = [*_HEADERS, (b"twingraph-limits", served.announcement), (b"etag", prepared.etag.encode())]
    if status != HTTPStatus.NOT_MODIFIED:
        response.raw_headers.append((b"content-length", b"0"))
    return response
