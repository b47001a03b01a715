"""The access log, a line of JSON for each request, and the metrics that are counted with it.

A query is logged as its hash, never as its text; client addresses are logged only when the settings say so. The wrapper
around ``send`` also adds the header fields that all responses have, because one wrapper costs less than two.
"""

import asyncio
import hashlib
import json
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twingraph.errors import LimitError
from twingraph.rdf.formats import FORMATS
from twingraph.server.http.complete_response import COMPLETE
from twingraph.server.http.headers import COMMON_HEADERS
from twingraph.server.http.metrics import Metrics
from twingraph.settings import Server

LOGGER = "twingraph.access"
# The `limit` that is logged when an answer was cut.
ROWS_CUT = "Rows"
# Keys of a scope: the pattern of the route that matched, and the RequestLog.
ROUTE, _LOG = "twingraph.route", "twingraph.log"
_HASH_BYTES = 8
# How long (seconds) lines are collected before they are written: writing a single one costs as much as a cached answer.
_FLUSH_SECONDS = 0.1
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_NAMES = {name: one.name for one in reversed(FORMATS) for name in (one.media_type, *one.also)}
logger = logging.getLogger(LOGGER)


class RequestLog:
    """What is logged about a request: status, format and size of its response, hash of its query, and limit it hit.

    The status is 499 until a response has begun.
    """

    __slots__ = ("_send", "format", "limit", "query", "size", "status")

    def __init__(self, send: Send | None = None) -> None:
        self._send = send
        self.query: str | None = None
        self.limit: str | None = None
        self.status, self.size, self.format = 499, 0, "none"

    def failed(self, error: Exception) -> None:
        """Record the limit that was hit, if the error is a LimitError."""
        if isinstance(error, LimitError):
            self.limit = type(error).__name__.removesuffix("Error")

    async def send(self, message: Message) -> None:
        """Record a message of the response and send it, with the header fields that all responses have."""
        assert self._send is not None
        if message["type"] == COMPLETE:
            self.status, self.format, self.size = 200, message["format"], len(message["body"])
        elif message["type"] == "http.response.start":
            self.status, self.format = message["status"], _format_of(message)
            if message["headers"][-1:] != COMMON_HEADERS[-1:]:
                message = {**message, "headers": [*message["headers"], *COMMON_HEADERS]}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)


def hash_of(text: str) -> str:
    """Return the hash by which a query is logged."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()


def log_of(scope: Scope) -> RequestLog:
    """Return the log of a request, or a detached one when the scope has none."""
    found = scope.get(_LOG)
    return found if isinstance(found, RequestLog) else RequestLog()


class AccessLog:
    """Middleware that logs and counts the requests answered by ``app``, as the ``server`` settings say."""

    def __init__(self, app: ASGIApp, metrics: Metrics, server: Server) -> None:
        self._app, self._metrics, self._addresses = app, metrics, server.log_addresses
        self._lines: list[str] = []
        # The current time as logged, formatted once a second.
        self._second, self._now = 0, ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                self._flush()
            return
        log = scope[_LOG] = RequestLog(send)
        begin = time.perf_counter()
        try:
            await self._app(scope, receive, log.send)
        except Exception:  # any failure counts as 500 here, even when 200 was already sent; the server logs it
            log.status = 500
            raise
        finally:
            self._write(scope, log, time.perf_counter() - begin)

    def _write(self, scope: Scope, log: RequestLog, seconds: float) -> None:
        route = scope.get(ROUTE, "none")
        self._metrics.answered(route, log.format, log.status, log.size)
        if log.query:
            self._metrics.queried(seconds)
        if log.limit:
            self._metrics.limited(log.limit)
        if not logger.isEnabledFor(logging.INFO):
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        query = f'"{log.query}"' if log.query else "null"
        limit = f'"{log.limit}"' if log.limit else "null"
        # None of these values needs escaping, and formatting takes a third of the time of a JSON encoder.
        line = (
            f'{{"time": "{self._time()}", "method": "{method}", "route": "{route}", "status": {log.status}, '
            f'"bytes": {log.size}, "ms": {seconds * 1000:.1f}, "query": {query}, "limit": {limit}'
        )
        if self._addresses:
            address = scope["client"][0] if scope.get("client") else None
            line += f', "address": {json.dumps(address)}'
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush)
        self._lines.append(f"{line}}}")

    def _time(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._now = second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._now

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            logger.info("%s", "\n".join(lines))


def _format_of(message: Message) -> str:
    """Return the name by which the format of a response is logged."""
    found = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
    media_type = found.decode("latin-1").partition(";")[0]
    return _NAMES.get(media_type, media_type or "none")
