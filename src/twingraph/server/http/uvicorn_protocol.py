"""uvicorn's HTTP/1.1 protocol with the limits that it lacks.

- The head of a request is limited in bytes, fields and time, its Host is checked, and pipelining is limited.
- A request that is rejected here is answered by the application, after the requests before it on the connection.
- A response that is sent before its request is complete reaches the client: see `transport.py`.
- The number of connections is limited, and idle ones are closed for new ones: see `connection_limit.py`.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from twingraph.errors import RequestError
from twingraph.server.http.asgi_route import REFUSAL
from twingraph.server.http.complete_response import COMPLETE
from twingraph.server.http.connection_limit import ConnectionLimiter
from twingraph.server.http.request_head import RequestHead, malformed
from twingraph.server.http.transport import CoalescingTransport
from twingraph.settings import Limits, Settings

# How many bytes are parsed at a time, which bounds the requests that are found before the pipeline is checked again.
_CHUNK_BYTES = 4096
# Maximum number of requests that wait behind the one being answered; what follows them is parsed later.
_MAX_PIPELINED = 16
# Maximum size (bytes) of what is kept to be parsed later; beyond it, the connection is closed.
_MAX_UNPARSED_BYTES = 1 << 20
# Maximum size (bytes) of what is discarded after the response to an incomplete request.
_MAX_DISCARDED_BYTES = 1 << 25
_RETRY = {"Retry-After": "5"}
_TOO_MANY = RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many connections; try again later", _RETRY)
_EXTENSIONS: dict[str, dict[object, object]] = {COMPLETE: {}}
_FRAMING_FIELDS = (b"content-length", b"transfer-encoding")


class RequestCycle(RequestResponseCycle):
    """A request and its response; it sends a `CompleteResponse` in one write, without encoding its fields again."""

    async def send(self, message: Any) -> None:
        """Send a message of ASGI, or of the extension for complete responses."""
        if message["type"] != COMPLETE:
            await super().send(message)
            return
        if self.flow.write_paused or self.disconnected or self.response_started:
            for one in message["plain"]:
                await super().send(one)
            return
        self.response_started = self.response_complete = True
        defaults = [b"%b: %b\r\n" % field for field in self.default_headers]
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        body = b"" if self.scope["method"] == "HEAD" else message["body"]
        self.transport.write(b"".join((b"HTTP/1.1 200 OK\r\n", *defaults, message["encoded"], end, body)))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


class HttpConnection(HttpToolsProtocol):
    """A connection within ``limits``, if ``limiter`` admits it; ``trusted`` proxies may forward for other clients.

    Only requests with X-Forwarded fields pass through uvicorn's middleware for them.
    """

    def __init__(
        self, *arguments: Any, limits: Limits, limiter: ConnectionLimiter, trusted: Sequence[str], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._forwarded_app: Any = ProxyHeadersMiddleware(self.app, list(trusted))
        self._limits, self._limiter, self._head = limits, limiter, RequestHead(limits)
        self._head_timer: asyncio.TimerHandle | None = None
        self._transport: CoalescingTransport
        self._unparsed = bytearray()
        self._discarded = 0
        # Whether a request has begun and not ended, a part was completed in this chunk, and no more is to be parsed.
        self._in_request = self._progressed = self._is_refused = False
        # Whether a request was dispatched, the connection may persist after it, and its framing is parsed once more.
        self._is_dispatched = self._keeps_alive = self._replays = False
        self._last_cycle: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Admit the connection and await its first request, or refuse it."""
        limits = self._limits
        self._transport = CoalescingTransport(
            transport, self.loop, self._has_unread_body, limits.request_seconds, limits.stalled_seconds
        )
        super().connection_made(cast(asyncio.Transport, self._transport))
        if self._limiter.enter(self, self.client[0] if self.client else ""):
            self._start_head_timer()
        elif self._limiter.turn_away(self):
            self._refuse(_TOO_MANY)
        else:
            self._transport.end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release what the closed connection held."""
        self._stop_head_timer()
        self._limiter.leave(self)
        self._transport.lost()
        self._unparsed.clear()
        if self._last_cycle and self._is_answering:
            self._abandon(self._last_cycle)
        self.pipeline.clear()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Close, to make room for another connection."""
        self._transport.end()

    def shutdown(self) -> None:
        """Close once the pending requests have been answered."""
        self._keeps_alive = False
        if self._is_answering:
            super().shutdown()
        else:
            self._transport.end()

    def data_received(self, data: bytes) -> None:
        """Parse what was received, or discard it when the connection is about to be closed."""
        if self._is_refused or self._transport.is_closing():
            self._discarded += len(data)
            if self._discarded > _MAX_DISCARDED_BYTES:
                self._transport.end()
        elif self._unparsed:
            self._defer(data)
        else:
            self._parse(data)

    def _defer(self, data: bytes) -> None:
        self._unparsed += data
        self.flow.pause_reading()
        if len(self._unparsed) > _MAX_UNPARSED_BYTES:
            self._transport.end()

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _CHUNK_BYTES):
            if len(self.pipeline) >= _MAX_PIPELINED:
                self._defer(data[start:])
                return
            try:
                self._parse_chunk(data[start : start + _CHUNK_BYTES])
            except RequestError as error:
                self._refuse(error)
                return
        # Most heads arrive whole and need no timer. Empty lines before a request must not keep a connection open.
        if self._head_timer is None and (self._is_idle or (self._in_request and not self._is_dispatched)):
            self._start_head_timer()

    def _parse_chunk(self, chunk: bytes) -> None:
        """Parse a chunk; raises RequestError."""
        self._progressed = False
        try:
            while chunk:
                try:
                    self.parser.feed_data(chunk)
                    break
                except httptools.HttpParserUpgrade as upgrade:
                    chunk = chunk[upgrade.args[0] :]
                    self._ignore_upgrade()
        except httptools.HttpParserError as error:
            cause = error.__context__
            raise cause if isinstance(cause, RequestError) else malformed() from None
        if self._progressed:
            self._head.forget_unfinished()
            if self._in_request and not self._is_dispatched:
                self._head.count(self.headers)
        elif self._in_request:
            self._head.count_unfinished(len(chunk))

    def _ignore_upgrade(self) -> None:
        """Continue in HTTP/1.1, as a server may (RFC 9110, section 7.8).

        The parser treats what follows such a head as another protocol, so a new parser is started for the body.
        """
        if framing := self._framing():
            self._replays = True
            self.parser = httptools.HttpRequestParser(self)
            head = b"".join(b"%b: %b\r\n" % field for field in framing)
            self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % head)

    def _framing(self) -> list[tuple[bytes, bytes]]:
        """Return the header fields that determine the length of the body (RFC 9112, section 6)."""
        return [field for field in self.headers if field[0] in _FRAMING_FIELDS]

    def on_message_begin(self) -> None:
        """Start counting a new request."""
        if self._replays:
            return
        super().on_message_begin()
        self._head.begin()
        self._in_request, self._progressed, self._is_dispatched = True, True, False

    def on_url(self, url: bytes) -> None:
        """Append a part of the request target."""
        if self._replays:
            return
        self._progressed = True
        self._head.count_target(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header field; trailer fields are counted and dropped."""
        if self._replays:
            return
        self._progressed = True
        if self._head.is_complete:
            self._head.count_trailer(name, value)
        else:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Build the scope of a request whose head is complete, and start or queue it."""
        if self._replays:
            self._replays = False
            return
        self._stop_head_timer()
        self._head.complete(self.headers, self.parser.get_http_version())
        self.expect_100_continue = self._head.expects_continue
        target, version, scope = httptools.parse_url(self.url), self.parser.get_http_version(), self.scope
        path = target.path.decode("ascii")
        scope["method"], scope["http_version"] = self.parser.get_method().decode("ascii"), version
        scope["path"], scope["raw_path"] = unquote(path) if "%" in path else path, target.path
        scope["query_string"], scope["extensions"] = target.query or b"", _EXTENSIONS
        self._is_dispatched = True
        self._limiter.work(self)
        self._keeps_alive = version != "1.0" and self.parser.should_keep_alive()
        previous, self.cycle = self.cycle, self._cycle()
        app = self._forwarded_app if self._head.is_forwarded else self.app
        if previous is None or previous.response_complete:
            self._start_asgi_task(self.cycle, app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))

    def on_body(self, body: bytes) -> None:
        """Append a part of the body."""
        self._progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Allow the connection to persist if the request ended before its response began."""
        if self.parser.should_upgrade() and self._framing():
            return  # the body is still to come, see `_ignore_upgrade`
        self._in_request, self._progressed = False, True
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps_alive
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Parse what was received meanwhile, and notify the limiter when the connection is idle."""
        super().on_response_complete()
        if self._unparsed and not self._transport.is_closing():
            unparsed = bytes(self._unparsed)
            self._unparsed.clear()
            self._parse(unparsed)
        if self._is_idle or self._transport.is_closing():
            self._limiter.rest(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._last_cycle = cycle
        super()._start_asgi_task(cycle, app)

    def _refuse(self, error: RequestError) -> None:
        """Have the application respond with the error, after the requests before it, and then close."""
        self._is_refused = True
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        if self._in_request and self._is_dispatched:
            # The application has this request already, but will not get the rest of its body.
            if self.cycle.response_started:
                self._transport.end()
                return
            self._abandon(self.cycle)
        super().on_message_begin()
        placeholder: Any = {"method": "GET", "path": "/", "raw_path": b"/", "query_string": b""}
        self.scope |= placeholder | {REFUSAL: error}
        self.cycle = self._cycle()
        self.cycle.more_body = False
        if self._is_answering:
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)

    def _cycle(self) -> RequestCycle:
        # `keep_alive` is set when the request is complete: a response that begins before then closes the connection.
        return RequestCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=False,
            on_response=self.on_response_complete,
        )

    def _abandon(self, cycle: RequestResponseCycle) -> None:
        """Notify the application that the client has disconnected."""
        cycle.disconnected = True
        cycle.message_event.set()
        self.pipeline = deque(one for one in self.pipeline if one[0] is not cycle)

    @property
    def _is_answering(self) -> bool:
        cycle = self._last_cycle
        return cycle is not None and not (cycle.response_complete or cycle.disconnected)

    @property
    def _is_idle(self) -> bool:
        return not (self._in_request or self._is_answering or self._transport.is_closing())

    def _has_unread_body(self) -> bool:
        return self._in_request or self._is_refused

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.request_seconds, self._head_timed_out)

    def _stop_head_timer(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_timed_out(self) -> None:
        if self.flow.read_paused:
            self._start_head_timer()  # reading is paused, so the client is not to blame
        else:
            timeout = f"the request was not complete after {self._limits.request_seconds:g} seconds"
            self._refuse(RequestError(HTTPStatus.REQUEST_TIMEOUT, timeout))


def configuration(app: Any, settings: Settings, connections: int) -> Config:
    """Return the configuration of uvicorn for an application, with at most ``connections`` connections."""
    limits, trusted = settings.limits, list(settings.server.trusted_proxies)
    share = limits.connections_per_client or max(1, connections // 4)
    connection: Any = partial(
        HttpConnection, limits=limits, limiter=ConnectionLimiter(connections, share, trusted), trusted=trusted
    )
    return Config(
        app,
        http=connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.keep_alive_seconds,
        proxy_headers=False,  # see `HttpConnection`
    )
