"""Answering a query: choosing the representation, asking a worker or the cache, and the headers that go with it.

An answer is held back until it is whole or has ``limits.held_bytes``: until then, whatever goes wrong is said by a
problem document. A larger one is passed on as it comes, and if it then goes wrong the connection is broken off, so that
what came before is not mistaken for an answer.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twingraph.errors import AnswerTooLargeError, TwingraphError
from twingraph.formats import GRAPHS, JSON, N_TRIPLES, RESULTS, Format
from twingraph.server.access_log import ROWS_CUT, hash_of, note
from twingraph.server.cache import Cached, zipped
from twingraph.server.current_release import ServedRelease
from twingraph.server.flights import Outcome, gone
from twingraph.server.prepared import Prepared
from twingraph.server.wishes import header
from twingraph.sparql.query import Query, QueryForm
from twingraph.store.solutions import Solutions, read_solutions, read_triples
from twingraph.workers.wire import Question
from twingraph.workers.worker_handle import ResultStream

logger = logging.getLogger(__name__)

# For pages of other origins: that they may read answers, and these of their headers.
FOR_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Answer-Cut, ETag, Link, Retry-After, Twingraph-Limits",
}
_HEADERS = {"Vary": "Accept, Accept-Encoding", "Cache-Control": "no-cache", **FOR_ALL}
# What these give is another thing each time, and so is never given again.
_VOLATILE = re.compile(r"\b(?:NOW|RAND|UUID|STRUUID)\s*\(", re.IGNORECASE)
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_LIMITED = re.compile(r"\bLIMIT\b|#", re.IGNORECASE)
_OFFSET = re.compile(r"\bOFFSET\s+(\d+)", re.IGNORECASE)
_LONGEST_LINK = 8000
# A page shows some rows only; more bytes than this it does not want to read.
_PAGE_BYTES = 16 << 20


def prepare(serving: ServedRelease, query: Query, format_: Format) -> Prepared:
    """Make a question ready to be asked, once or many times."""
    question = _question(serving, query, format_)
    key = _key(serving, question, format_)
    tag = f'"{serving.release.id}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"'
    headers = {**_HEADERS, "Twingraph-Limits": serving.announcement, "Content-Type": format_.content_type}
    noted = hash_of(query.text)
    if _VOLATILE.search(query.text):
        return Prepared(question, key, None, headers, noted)
    return Prepared(question, key, tag, {**headers, "ETag": tag}, noted)


async def respond(serving: ServedRelease, prepared: Prepared, request: Request) -> Response:
    """Return the answer as data, or 304 when the client has it already.

    Raises QueryError, StoreError or a LimitError; ClientDisconnect when the client has gone.
    """
    note(request).query = prepared.query_hash
    tag, key = prepared.tag, prepared.key
    if tag and _has(request, tag):
        headers = {name: value for name, value in prepared.headers.items() if name != "Content-Type"}
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    cached = serving.cache.get(key) if tag else None
    if cached is None:
        outcome = await _ask(serving, prepared, request)
        if isinstance(outcome, ResultStream):
            if request.scope.get("http_version") == "1.0":
                # That has no chunks: an answer that was broken off would look whole.
                serving.pool.abandon(outcome)
                raise AnswerTooLargeError(serving.limits.held_bytes)
            return Stream(outcome, serving, prepared.headers)
        cached = outcome
    note(request).limit = cached.limit
    if cached.is_worth_compressing and b"gzip" in header(request, b"accept-encoding"):
        return await serving.cache.compress(key, cached)
    return cached.plain


async def solutions(serving: ServedRelease, query: Query, most: int, request: Request) -> Solutions:
    """Return the answer as rows to be laid out, ``most`` at most; a graph's are its triples."""
    prepared = prepare(serving, query, N_TRIPLES if query.form.gives_graph else JSON)
    size = min(serving.limits.answer_bytes, _PAGE_BYTES)
    question = replace(prepared.question, rows=most, bytes=size, next=None)
    note(request).query = prepared.query_hash
    outcome = await _ask(serving, replace(prepared, question=question, key=(*prepared.key, most), headers={}), request)
    iris = serving.release.manifest.iris
    pieces = [piece async for piece in outcome.rest()] if isinstance(outcome, ResultStream) else [outcome.plain.body]
    read = read_triples if query.form.gives_graph else read_solutions
    return await asyncio.to_thread(read, b"".join(pieces), iris)


async def warm(serving: ServedRelease) -> None:
    """Ask each saved query that needs no values once, so that its answer is there when it is asked for.

    That begins when there are enough workers for those who ask meanwhile; a large answer is not kept.
    """
    await serving.pool.filled()
    for query in serving.ready_queries():
        prepared = prepare(serving, query, (GRAPHS if query.form.gives_graph else RESULTS)[0])
        question = replace(prepared.question, bytes=min(prepared.question.bytes, serving.limits.held_bytes - 1))
        try:
            await _ask(serving, replace(prepared, question=question), None)
        except AnswerTooLargeError:
            continue
        except TwingraphError as error:
            logger.warning("a saved query could not be warmed: %s", error)


class Stream(Response):
    """A large answer, passed on as it comes; one that fails on the way is broken off."""

    def __init__(self, answer: ResultStream, serving: ServedRelease, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._answer, self._serving = answer, serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the query ends when the client goes."""
        watch = asyncio.create_task(self._watch(Request(scope, receive)))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                async for piece in self._answer.rest():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                if self._answer.done and self._answer.done.cut:
                    # The head has gone out without a word of it, so the end must say it as loudly as it can.
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TwingraphError as error:
            logger.warning("an answer was broken off: %s", error)
        finally:
            watch.cancel()
            self._serving.pool.abandon(self._answer)

    async def _watch(self, request: Request) -> None:
        await gone(request)
        self._serving.pool.abandon(self._answer)


def _question(serving: ServedRelease, query: Query, format_: Format) -> Question:
    limits = serving.limits
    rows = limits.rows if query.form == QueryForm.SELECT else 0
    following = _next(query, format_, rows) if rows else None
    return Question(
        query.text,
        query.form,
        query.default_graphs,
        query.named_graphs,
        format_.name,
        rows,
        limits.answer_bytes,
        following,
    )


def _key(serving: ServedRelease, question: Question, format_: Format) -> tuple[object, ...]:
    return (
        serving.release.id,
        question.text,
        question.default_graphs,
        question.named_graphs,
        format_.media_type,
        question.rows,
    )


async def _ask(serving: ServedRelease, prepared: Prepared, request: Request | None) -> Outcome:
    """Return the answer, whole and cached, or as it comes when it is large."""

    async def work() -> Outcome:
        answer = await serving.pool.ask(prepared.question, client)
        if answer.done is None:
            return answer
        cut = answer.done.cut
        whole = Cached(answer.body(), {**prepared.headers, **_cut(cut, prepared.question)}, ROWS_CUT if cut else None)
        if prepared.tag:
            serving.cache.put(prepared.key, whole)
        return whole

    client = request.client.host if request and request.client else ""
    # What is asked in nobody's name may have other limits: nobody is to wait for its outcome.
    key = prepared.key if prepared.tag and request else object()
    return await serving.flights.board(key, request, work)


def _cut(rows: int, question: Question) -> dict[str, str]:
    """Return the headers that say that an answer was cut after so many rows, none when it is whole."""
    if not rows:
        return {}
    link = {"Link": f'<{question.next}>; rel="next"'} if question.next else {}
    return {"Answer-Cut": f"rows={rows}", **link}


def _next(query: Query, format_: Format, rows: int) -> str | None:
    """Return where the rows after so many are, when the query orders its rows and does not limit them itself."""
    tail = query.text[query.text.rfind("}") + 1 :]
    if not _ORDERED.search(tail) or _LIMITED.search(tail):
        return None
    offset = _OFFSET.search(tail)
    if offset:
        start = len(query.text) - len(tail)
        text = query.text[: start + offset.start(1)] + str(int(offset[1]) + rows) + query.text[start + offset.end(1) :]
    else:
        text = f"{query.text.rstrip()}\nOFFSET {rows}"
    graphs = [("default-graph-uri", iri) for iri in query.default_graphs or ()]
    graphs += [("named-graph-uri", iri) for iri in query.named_graphs or ()]
    link = "/sparql?" + urlencode([("query", text), *graphs, ("format", format_.name)])
    return link if len(link) <= _LONGEST_LINK else None


def _has(request: Request, tag: str) -> bool:
    """Tell whether the client has the answer, compressed or not (RFC 9110, section 13.1.2)."""
    given = header(request, b"if-none-match").decode("latin-1")
    return bool(given) and not {tag, zipped(tag), "*"}.isdisjoint(
        one.strip().removeprefix("W/") for one in given.split(",")
    )
