"""Answering a query: choosing the representation, asking a worker or the cache, and the headers that go with it.

An answer is held back until it is whole or has ``limits.held_bytes``: until then, whatever goes wrong is said by a
problem document. A larger one is passed on as it comes, and if it then goes wrong the connection is broken off, so that
what came before is not mistaken for an answer.
"""

import asyncio
import hashlib
import logging
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twingraph.errors import AnswerTooLargeError, NotAcceptableError, TwingraphError, UnknownNameError
from twingraph.formats import GRAPHS, HTML, JSON, N_TRIPLES, RESULTS, Format, by_name, negotiate
from twingraph.query_text import Query, QueryForm
from twingraph.server.cache import Cached
from twingraph.server.flights import Outcome, gone
from twingraph.server.releases import Serving
from twingraph.store.solutions import Solutions, read_solutions, read_triples
from twingraph.workers.process import Answer
from twingraph.workers.wire import Done, Question

logger = logging.getLogger(__name__)

_HEADERS = {"Vary": "Accept, Accept-Encoding", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
# What these give is another thing each time, and so is never given again.
_VOLATILE = re.compile(r"\b(?:NOW|RAND|UUID|STRUUID)\s*\(", re.IGNORECASE)
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_LIMITED = re.compile(r"\bLIMIT\b|#", re.IGNORECASE)
_OFFSET = re.compile(r"\bOFFSET\s+(\d+)", re.IGNORECASE)
_LONGEST_LINK = 8000
# A page shows some rows only; more bytes than this it does not want to read.
_PAGE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Wish:
    """Which representation a request wants: its Accept header, and ``?format=``, which wins over it."""

    accept: str | None
    format: str | None = None

    def choose(self, offered: tuple[Format, ...]) -> Format:
        """Return the format to answer in; raises NotAcceptableError, also when no format is called so."""
        if not self.format:
            return negotiate(self.accept, offered)
        try:
            return by_name(self.format, offered)
        except UnknownNameError as error:
            raise NotAcceptableError(self.format, error.known) from error

    @property
    def is_page(self) -> bool:
        """Tell whether a page for people is wanted rather than data."""
        try:
            return self.choose((*RESULTS, *GRAPHS, HTML)).name == HTML.name
        except NotAcceptableError:
            return False


def wish(request: Request) -> Wish:
    """Return what the request's headers and address wish for."""
    accept = ",".join(request.headers.getlist("accept")) or None
    return Wish(accept, request.query_params.get("format") or None)


def offered(query: Query) -> tuple[Format, ...]:
    """Return the formats in which a query can be answered."""
    return (*(GRAPHS if query.form.gives_graph else RESULTS), HTML)


async def respond(serving: Serving, query: Query, format_: Format, request: Request) -> Response:
    """Return the answer as data, or 304 when the client has it already.

    Raises QueryError, StoreError or a LimitError; ClientDisconnect when the client has gone.
    """
    question = _question(serving, query, format_)
    key = _key(serving, question, format_)
    volatile = bool(_VOLATILE.search(query.text))
    tag = f'"{serving.release.id}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"'
    common = {**_HEADERS, "Twingraph-Limits": serving.announcement} | ({} if volatile else {"ETag": tag})
    if not volatile and _has(request, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=common)
    cached = None if volatile else serving.cache.get(key)
    if cached is None:
        headers = {**common, "Content-Type": format_.content_type}
        outcome = await _ask(serving, question, object() if volatile else key, headers, request)
        if isinstance(outcome, Answer):
            if request.scope.get("http_version") == "1.0":
                # That has no chunks: an answer that was broken off would look whole.
                serving.pool.abandon(outcome)
                raise AnswerTooLargeError(serving.limits.held_bytes)
            return Stream(outcome, serving, headers)
        cached = outcome
    return await _whole(serving, key, cached, request)


async def solutions(serving: Serving, query: Query, most: int, request: Request) -> Solutions:
    """Return the answer as rows to be laid out, ``most`` at most; a graph's are its triples."""
    format_ = N_TRIPLES if query.form.gives_graph else JSON
    size = min(serving.limits.answer_bytes, _PAGE_BYTES)
    question = replace(_question(serving, query, format_), rows=most, bytes=size, next=None)
    outcome = await _ask(serving, question, (serving.release.id, question), {}, request)
    iris = serving.release.manifest.iris
    pieces = [piece async for piece in outcome.rest()] if isinstance(outcome, Answer) else [outcome.body]
    read = read_triples if query.form.gives_graph else read_solutions
    return await asyncio.to_thread(read, b"".join(pieces), iris)


async def warm(serving: Serving) -> None:
    """Ask each saved query that needs no values once, so that its answer is there when it is asked for."""
    for query in serving.ready_queries():
        format_ = (GRAPHS if query.form.gives_graph else RESULTS)[0]
        question = _question(serving, query, format_)
        key = _key(serving, question, format_)
        common = {**_HEADERS, "Twingraph-Limits": serving.announcement}
        try:
            await _ask(serving, question, key, {**common, "Content-Type": format_.content_type}, None)
        except TwingraphError as error:
            logger.warning("a saved query could not be warmed: %s", error)


class Stream(Response):
    """A large answer, passed on as it comes; one that fails on the way is broken off."""

    def __init__(self, answer: Answer, serving: Serving, headers: dict[str, str]) -> None:
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


def _question(serving: Serving, query: Query, format_: Format) -> Question:
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


def _key(serving: Serving, question: Question, format_: Format) -> tuple[object, ...]:
    return (
        serving.release.id,
        question.text,
        question.default_graphs,
        question.named_graphs,
        format_.media_type,
        question.rows,
    )


async def _ask(
    serving: Serving, question: Question, key: object, headers: dict[str, str], request: Request | None
) -> Outcome:
    """Return the answer, whole and cached, or as it comes when it is large."""

    async def work() -> Outcome:
        answer = await serving.pool.ask(question, client)
        if answer.done is None:
            return answer
        whole = Cached(answer.body(), {**headers, **_cut(answer.done, question)})
        serving.cache.put(key, whole)
        return whole

    client = request.client.host if request and request.client else ""
    return await serving.flights.board(key, request, work)


async def _whole(serving: Serving, key: object, cached: Cached, request: Request) -> Response:
    if "gzip" in request.headers.get("accept-encoding", "") and (small := await serving.cache.compress(key, cached)):
        tag = {"ETag": _zipped(cached.headers["ETag"])} if "ETag" in cached.headers else {}
        return Response(small, headers={**cached.headers, **tag, "Content-Encoding": "gzip"})
    return Response(cached.body, headers=cached.headers)


def _cut(done: Done, question: Question) -> dict[str, str]:
    """Return the headers that say that an answer was cut, none when it is whole."""
    if not done.cut:
        return {}
    link = {"Link": f'<{question.next}>; rel="next"'} if question.next else {}
    return {"Answer-Cut": f"rows={done.cut}", **link}


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
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return bool(known & {tag, _zipped(tag), "*"})


def _zipped(tag: str) -> str:
    return f'{tag[:-1]}-gzip"'
