"""Responses to queries, from the cache or from a worker, with their header fields.

An answer is sent when it is complete or has reached ``limits.buffer_bytes``; a failure before that gives a problem
document. A larger answer is streamed, and when it then fails, the connection is closed before the last chunk, so that
the part already sent is not mistaken for a complete answer.
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
from twingraph.rdf.formats import GRAPHS, HTML, JSON, N_TRIPLES, RESULTS, Format
from twingraph.server.http.access_log import ROWS_CUT, hash_of
from twingraph.server.http.headers import accepts_gzip, precondition
from twingraph.server.http.negotiation import AnswerFormats, Preference
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.cache import Answer
from twingraph.server.query.current_release import ServedRelease
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.single_flight import Result, disconnected
from twingraph.sparql.query import QueryForm, may_be_volatile
from twingraph.store.exact import GraphEntry
from twingraph.store.solutions import Solutions, read_solutions, read_triples
from twingraph.workers import ipc
from twingraph.workers.ipc import GraphJob, Job, ResultHead
from twingraph.workers.result_stream import ResultStream

logger = logging.getLogger(__name__)

_HEADERS = ((b"vary", b"Accept, Accept-Encoding"), (b"cache-control", b"no-cache"))
# Maximum size (bytes) of an answer that is shown on a page, which has few rows anyway.
_PAGE_BYTES = 4 << 20


class PreparedQuery(NamedTuple):
    """The frame of a job for a worker, the cache key and entity tag of the answer, and the negotiated formats.

    ``query_hash`` identifies the query in the log. It ``may_be_volatile`` when its text contains the name of a function
    such as NOW or RAND. ``fields`` are more header fields of the answer; ``render`` makes its body from what the worker
    sends, which then is complete.
    """

    job: bytes
    key: bytes
    etag: str
    formats: AnswerFormats
    preference: Preference
    query_hash: str
    may_be_volatile: bool
    fields: tuple[tuple[bytes, bytes], ...] = ()
    render: Callable[[bytes], Awaitable[bytes]] | None = None

    @property
    def size(self) -> int:
        """Its size in bytes, with that of the request that is its key, which may be percent-encoded three to one."""
        return 4 * len(self.job) + len(self.preference.accept) + len(self.preference.format)


class Table(NamedTuple):
    """An answer as rows for a page; the rows of a graph are its triples."""

    rows: Solutions
    is_graph: bool


def prepare(served: ServedRelease, operation: ProtocolRequest, formats: AnswerFormats) -> PreparedQuery:
    """Return the query with everything that is computed once for all requests for it."""
    limits = served.limits
    return _prepared(served, operation, formats, limits.rows, limits.answer_bytes, limits.buffer_bytes)


def prepare_job(
    served: ServedRelease,
    job: bytes,
    formats: AnswerFormats,
    name: str,
    *,
    fields: tuple[tuple[bytes, bytes], ...] = (),
    render: Callable[[bytes], Awaitable[bytes]] | None = None,
    variant: str = "",
) -> PreparedQuery:
    """Return a job that is no query, with a ``name`` for the log; ``variant`` is what else its answer depends on."""
    key, etag = _identity(served, job, formats, variant)
    return PreparedQuery(job, key, etag, formats, Preference(), hash_of(name), False, fields, render)


async def complete_answer(served: ServedRelease, prepared: PreparedQuery, request: HttpRequest) -> bytes:
    """Return the body of a small answer, from the cache if it is there; raises what `respond` raises."""
    result: Result | None = served.cache.get(prepared.key, Answer)
    if result is None:
        result = await _ask(served, prepared, request)
    if isinstance(result, ResultStream):
        served.pool.abandon(result)
        raise AnswerTooLargeError(served.limits.buffer_bytes)
    return result.identity.body


def prepare_graph(served: ServedRelease, name: str, entry: GraphEntry, format_: Format) -> PreparedQuery:
    """Return the request for a graph of the release, by its name, with everything that is computed from it."""
    limits = served.limits
    job = ipc.pack_graph_job(GraphJob(entry.extent, format_.name, limits.answer_bytes, limits.buffer_bytes))
    key, etag = _identity(served, job, AnswerFormats(None, format_))
    return PreparedQuery(job, key, etag, AnswerFormats(None, format_), Preference(), hash_of(name), False)


def graph_headers(served: ServedRelease, prepared: PreparedQuery) -> list[tuple[bytes, bytes]]:
    """Return the header fields of a response with a graph of the release."""
    format_ = prepared.formats.graph
    return _headers(served, prepared, ResultHead(QueryForm.CONSTRUCT.value, format_.name if format_ else ""))


async def respond(served: ServedRelease, prepared: PreparedQuery, request: HttpRequest) -> ASGIApp:
    """Return the response with the answer, or 304 or 412 as If-None-Match requires.

    Raises QueryError, NotAcceptableError, StoreError or a LimitError; ClientDisconnect when the client disconnects.
    """
    log = request.log
    log.query = prepared.query_hash
    condition = request.field(b"if-none-match")
    # A client that has this entity tag got it with this answer, so it holds without running the query.
    if condition and (status := precondition(request.method, condition, prepared.etag, exists=False)):
        return without_body(served, prepared, status)
    result: Result | None = served.cache.get(prepared.key, Answer)
    served.lookups["miss" if result is None else "hit"] += 1
    if result is None:
        result = await _ask(served, prepared, request)
    if condition and (status := precondition(request.method, condition, prepared.etag, exists=True)):
        if isinstance(result, ResultStream):
            served.pool.abandon(result)
        return without_body(served, prepared, status)
    if isinstance(result, ResultStream):
        return _streaming(served, prepared, result, request)
    log.limit = result.limit
    if not result.is_worth_compressing or not accepts_gzip(request.field(b"accept-encoding").decode("latin-1")):
        return result.identity
    compressed = await result.compressed()
    if served.cache.get(prepared.key, Answer) is result:
        # Put again, as its size has changed.
        served.cache.put(prepared.key, result)
    return compressed


async def respond_or_page(
    served: ServedRelease,
    operation: ProtocolRequest,
    formats: AnswerFormats,
    request: HttpRequest,
    page: Callable[[], Awaitable[Response]],
) -> ASGIApp:
    """Return the answer as data, or the page if that is preferred for the form of the query; raises as `respond`."""
    if formats.data is None:
        return await page()
    try:
        return await respond(served, prepare(served, operation, formats.data), request)
    except NotAcceptableError:
        if not formats.has_page:
            raise
        return await page()


async def table(served: ServedRelease, operation: ProtocolRequest, rows: int, request: HttpRequest) -> Table:
    """Return the answer as a table of at most ``rows`` rows; raises what `respond` raises."""
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
    """Run each saved query that needs no parameters once, so that its answer is in the cache.

    It begins when all workers have started, so as not to delay clients. Large answers are not cached.
    """
    await served.pool.filled()
    for operation in served.ready_queries():
        prepared = prepare(served, operation, AnswerFormats(RESULTS[0], GRAPHS[0]))
        if served.cache.get(prepared.key, Answer) is not None:
            continue
        try:
            result = await _ask(served, prepared, None)
        except TwingraphError as error:
            logger.warning("warm-up: a saved query failed: %s", error)
            continue
        if isinstance(result, ResultStream):
            served.pool.abandon(result)


class StreamingResult(Response):
    """A large answer, sent while the worker produces it; when that fails, the connection is closed."""

    def __init__(self, result: ResultStream, served: ServedRelease, headers: Sequence[tuple[bytes, bytes]]) -> None:
        super().__init__()
        self.raw_headers = list(headers)
        self._result, self._served = result, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; the query is ended when the client disconnects."""
        watch = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                async for piece in self._result.pieces():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TwingraphError as error:
            logger.warning("an answer was aborted: %s", error)
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
    key, etag = _identity(served, job, formats)
    return PreparedQuery(job, key, etag, formats, operation.preference, hash_of(text), may_be_volatile(text))


def _identity(served: ServedRelease, job: bytes, formats: AnswerFormats, variant: str = "") -> tuple[bytes, str]:
    """Return the cache key and the entity tag of the answer to a job."""
    media_types = (one.media_type if one else "" for one in formats)
    # The version is included because another version may answer differently.
    context = f"{__version__} {served.release.id} {' '.join(media_types)} {variant} "
    key = hashlib.blake2b(context.encode() + job, digest_size=24).digest()
    # A weak tag: the order of unordered rows may differ between workers (RFC 9110, section 8.8.1).
    return key, f'W/"{served.release.id}-{key[:12].hex()}"'


async def _ask(served: ServedRelease, prepared: PreparedQuery, request: HttpRequest | None) -> Result:
    """Return the answer: complete, and cached where possible, or as a stream when it is large."""

    async def work() -> Result:
        result = await served.pool.ask(prepared.job, client)
        head = result.head.result()
        if not head.format:
            raise _not_acceptable(prepared, head)
        if not result.is_complete:
            if prepared.render is None:
                return result
            served.pool.abandon(result)
            raise AnswerTooLargeError(served.limits.buffer_bytes)
        body = result.body() if prepared.render is None else await prepared.render(result.body())
        answer = Answer(body, _headers(served, prepared, head), head.format, ROWS_CUT if head.cut else None)
        if not head.volatile:
            served.cache.put(prepared.key, answer)
        return answer

    client = request.client if request else ""
    # Not shared: warm-up, which has no client and may have other limits, and volatile answers such as a UUID.
    is_shared = request is not None and not prepared.may_be_volatile
    return await served.flights.run(prepared.key if is_shared else object(), request, work)


def _not_acceptable(prepared: PreparedQuery, head: ResultHead) -> NotAcceptableError:
    """Return the error for a query form for which no data format is acceptable, though a page may be."""
    offered = (*(GRAPHS if QueryForm(head.form).gives_graph else RESULTS), HTML)
    try:
        prepared.preference.choose(offered)
    except NotAcceptableError as error:
        return error
    return NotAcceptableError(prepared.preference.accept, (one.media_type for one in offered))


def _streaming(served: ServedRelease, prepared: PreparedQuery, result: ResultStream, request: HttpRequest) -> Response:
    if request.scope.get("http_version") == "1.0":
        # HTTP/1.0 has no chunked coding, so an aborted answer would look complete.
        served.pool.abandon(result)
        raise AnswerTooLargeError(served.limits.buffer_bytes)
    head = result.head.result()
    if head.cut:
        request.log.limit = ROWS_CUT
    return StreamingResult(result, served, _headers(served, prepared, head))


def _headers(served: ServedRelease, prepared: PreparedQuery, head: ResultHead) -> list[tuple[bytes, bytes]]:
    formats = prepared.formats
    format_ = next((one for one in formats if one and one.name == head.format), None)
    headers = [*_HEADERS, *prepared.fields, (b"twingraph-limits", served.announcement)]
    if format_:
        headers.append((b"content-type", format_.content_type.encode()))
    if not head.volatile:
        headers.append((b"etag", prepared.etag.encode()))
    if head.cut:
        headers.append((b"answer-cut", b"rows=%d" % head.cut))
    if head.next:
        headers.append((b"link", f'<{head.next}>; rel="next"'.encode()))
    return headers


def without_body(served: ServedRelease, prepared: PreparedQuery, status: HTTPStatus) -> Response:
    """Return the response to a conditional request whose condition is false."""
    response = Response(status_code=status)
    response.raw_headers = [*_HEADERS, (b"twingraph-limits", served.announcement), (b"etag", prepared.etag.encode())]
    if status != HTTPStatus.NOT_MODIFIED:
        response.raw_headers.append((b"content-length", b"0"))
    return response
