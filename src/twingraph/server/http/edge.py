"""What every answer has and every address understands, whatever answers there.

Browsers may read every answer from pages of other origins (CORS, https://fetch.spec.whatwg.org/): all of it is public,
there are no cookies and nothing can be changed. So failures, redirects and preflights are the same everywhere.
"""

from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import Response
from starlette.routing import Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twingraph.errors import RequestError
from twingraph.server.http.problems import problem

# Where a scope holds the RequestError for which a request was refused before it could be read.
REFUSAL = "twingraph.refusal"
READING = "GET, HEAD, OPTIONS"
_NO_SUCH_PLACE = RequestError(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
_EVERYWHERE = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Allow, Answer-Cut, ETag, Link, Location, Retry-After, Twingraph-Limits"),
    (b"x-content-type-options", b"nosniff"),
]
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class Edge:
    """Gives each answer of ``app`` the headers that all have; answers OPTIONS, and what was refused already.

    ``methods`` tells which methods there are at the path of a request, None where there is nothing.
    """

    def __init__(self, app: ASGIApp, methods: Callable[[Scope], str | None]) -> None:
        self._app, self._methods = app, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Those of a kept answer are everyone's, and stay as they are.
                message = {**message, "headers": [*message["headers"], *_EVERYWHERE]}
            await send(message)

        await self._choose(scope)(scope, receive, send_with_headers)

    def _choose(self, scope: Scope) -> ASGIApp:
        if REFUSAL in scope:
            return problem(scope[REFUSAL])
        if scope["method"] == "OPTIONS":
            return self._options(scope)
        return self._app

    def _options(self, scope: Scope) -> Response:
        methods = self._methods(scope)
        if methods is None:
            return problem(_NO_SUCH_PLACE)
        headers = {"Allow": methods, "Access-Control-Allow-Methods": methods, **_PREFLIGHT}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


def is_route(router: Router, scope: Scope) -> bool:
    """Tell whether there is anything at the path of a request."""
    return any(route.matches(scope)[0] is not Match.NONE for route in router.routes)
