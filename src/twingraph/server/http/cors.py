"""Headers that every response has, and OPTIONS at every address.

Browsers may read every response from pages of other origins (CORS, https://fetch.spec.whatwg.org/): all of it is
public, there are no cookies and nothing can be changed. So failures, redirects and preflights are the same everywhere.
"""

from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twingraph.errors import RequestError
from twingraph.server.http.access_log import ROUTE
from twingraph.server.http.asgi_route import REFUSAL, AsgiRoute
from twingraph.server.http.problems import problem

_ALLOW = "GET, HEAD, OPTIONS"
_NOT_FOUND = RequestError(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
_COMMON = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Allow, Answer-Cut, ETag, Link, Location, Retry-After, Twingraph-Limits"),
    (b"x-content-type-options", b"nosniff"),
]
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class Cors:
    """Adds the common headers to each response of ``app``; answers OPTIONS by the route that ``find`` returns."""

    def __init__(self, app: ASGIApp, find: Callable[[Scope], AsgiRoute | None]) -> None:
        self._app, self._find = app, find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Those of a cached response are shared, so they are copied.
                message = {**message, "headers": [*message["headers"], *_COMMON]}
            await send(message)

        app = self._options(scope) if scope["method"] == "OPTIONS" and REFUSAL not in scope else self._app
        await app(scope, receive, send_with_headers)

    def _options(self, scope: Scope) -> Response:
        route = self._find(scope)
        if route is None and scope["path"] != "*":
            return problem(_NOT_FOUND)
        if route:
            scope[ROUTE] = route.path
        allow = route.allow if route else _ALLOW
        headers = {"Allow": allow, "Access-Control-Allow-Methods": allow, **_PREFLIGHT}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
