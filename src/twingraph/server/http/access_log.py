"""The access log: one JSON object a line for each request, and the counts that go with it.

It says which query was asked by its hash, never by its text, and who asked only when the settings say so.
"""

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twingraph.errors import LimitError
from twingraph.rdf.formats import FORMATS
from twingraph.server.http.metrics import Metrics
from twingraph.settings import Server

LOGGER = "twingraph.access"
# What the log says of an answer that was cut.
ROWS_CUT = "Rows"
# Where a scope holds the pattern of the route that answers it.
ROUTE = "twingraph.route"
_LOG = "twingraph.log"
_DIGITS = 16
# For so long (seconds) lines are gathered.
_TOGETHER = 0.1
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_NAMES = {name: one.name for one in reversed(FORMATS) for name in (one.media_type, *one.also)}
logger = logging.getLogger(LOGGER)


@dataclass(slots=True)
class RequestLog:
    """What only the one who answers knows of a request: the hash of its query, and which limit it met."""

    query: str | None = None
    limit: str | None = None

    def failed(self, error: Exception) -> None:
        """RequestLog which limit an error tells of, if it does."""
        if isinstance(error, LimitError):
            self.limit = type(error).__name__.removesuffix("Error")


def hash_of(text: str) -> str:
    """Return what a query is called in the log."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def log_of(request: Request) -> RequestLog:
    """Return the log of a request; one that nobody reads when requests are not logged."""
    found = request.scope.get(_LOG)
    return found if isinstance(found, RequestLog) else RequestLog()


class AccessLog:
    """Passes requests on to ``app`` and logs and counts how each was answered, as the ``server``'s settings say."""

    def __init__(self, app: ASGIApp, metrics: Metrics, server: Server) -> None:
        self._app, self._metrics, self._addresses = app, metrics, server.log_addresses
        self._lines, self._clock = _Lines(), _Clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                self._lines.flush()
            return
        answer = _Response(send)
        scope[_LOG] = log = RequestLog()
        begin = time.perf_counter()
        try:
            await self._app(scope, receive, answer)
        except Exception:
            # It may be that the answer had begun well.
            answer.status = 500
            raise
        finally:
            self._write(scope, answer, log, time.perf_counter() - begin)

    def _write(self, scope: Scope, answer: "_Response", log: RequestLog, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = scope.get(ROUTE, "none")
        self._metrics.answered(route, answer.format, answer.status, answer.size)
        if log.query:
            self._metrics.queried(seconds)
        if log.limit:
            self._metrics.limited(log.limit)
        if not logger.isEnabledFor(logging.INFO):
            return
        # None of this needs escaping; written by hand it costs a third of what a JSON library takes.
        query, limit = (f'"{one}"' if one else "null" for one in (log.query, log.limit))
        line = (
            f'{{"time": "{self._clock.now()}", "method": "{method}", "route": "{route}", "status": {answer.status}, '
            f'"bytes": {answer.size}, "ms": {seconds * 1000:.1f}, "query": {query}, "limit": {limit}'
        )
        if self._addresses:
            address = scope["client"][0] if scope.get("client") else None
            line += f', "address": {json.dumps(address)}'
        self._lines.write(f"{line}}}")


class _Clock:
    """The time of day to a second, written out once a second."""

    def __init__(self) -> None:
        self._second, self._text = 0, ""

    def now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._text


class _Lines:
    """Lines for the log, written ten times a second together: each by itself costs as much as a cached answer."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(_TOGETHER, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            logger.info("%s", "\n".join(lines))


class _Response:
    """Passes an answer on and remembers its status, its format and how long it is; 499 when nothing was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status, self.size, self.format = 499, 0, "none"

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kind = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
            self.format = _NAMES.get(kind, kind or "none")
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)
