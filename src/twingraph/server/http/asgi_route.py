"""A route as a plain ASGI application: one request in, one response out, and every failure a problem document."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.errors import RequestError, TwingraphError
from twingraph.server.http.access_log import ROUTE
from twingraph.server.http.problems import UNFORESEEN, problem
from twingraph.server.http.request import HttpRequest

# Where a scope holds the RequestError for which a request was refused before it could be read.
REFUSAL = "twingraph.refusal"
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
_NOT_FOUND = RequestError(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
logger = logging.getLogger(__name__)


class AsgiRoute:
    """Answers requests for ``path`` by ``respond``.

    ``get`` and ``post`` describe its operations for the OpenAPI document; other methods are answered with 405 and
    ``refusal``. HEAD is answered as GET: the server leaves the body out.
    """

    def __init__(
        self,
        path: str,
        respond: Callable[[HttpRequest], Awaitable[ASGIApp]],
        get: Mapping[str, object],
        post: Mapping[str, object] | None = None,
        refusal: str = "",
    ) -> None:
        self.path, self._respond = path, respond
        self.operations = {"get": get, "post": post} if post else {"get": get}
        self._methods = ("GET", "HEAD", "POST") if post else ("GET", "HEAD")
        self.allow = ", ".join((*self._methods, "OPTIONS"))
        self._refusal = refusal or f"ask with one of {self.allow}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that has gone gets nothing."""
        scope[ROUTE] = self.path
        request = HttpRequest(scope, receive)
        try:
            response: ASGIApp = (
                await self._respond(request) if scope["method"] in self._methods else self._not_allowed()
            )
        except TwingraphError as error:
            request.log.failed(error)
            response = problem(error)
        except ClientDisconnect:
            return
        except Exception:  # whatever it is, the client gets a problem document and the log the traceback
            logger.exception("a request was not answered")
            response = problem(UNFORESEEN)
        await response(scope, receive, send)

    def _not_allowed(self) -> Response:
        return problem(RequestError(HTTPStatus.METHOD_NOT_ALLOWED, self._refusal, {"Allow": self.allow}))


class RouteTable:
    """Passes requests on to their routes: fixed paths first, ``aliases`` among them, then those with parameters.

    OPTIONS is answered for every route, as preflights of browsers ask it (CORS). What has no route is redirected to the
    path without `/` at its end, or answered with 404; a request that the connection has refused, with that refusal.
    ``lifespan`` is entered when the server starts.
    """

    def __init__(
        self,
        routes: Sequence[AsgiRoute],
        aliases: Mapping[str, AsgiRoute],
        lifespan: Callable[[object], AbstractAsyncContextManager[None]],
    ) -> None:
        self._fixed = {one.path: one for one in routes if "{" not in one.path} | dict(aliases)
        self._patterns = [Route(one.path, one) for one in routes if "{" in one.path]
        self._router = Router(self._patterns, redirect_slashes=False, default=self._missing, lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app: ASGIApp = self._router
        if scope["type"] == "http":
            if REFUSAL in scope:
                app = problem(scope[REFUSAL])
            elif scope["method"] == "OPTIONS":
                app = self._options(scope)
            else:
                app = self._fixed.get(scope["path"], app)
        await app(scope, receive, send)

    def find(self, scope: Scope) -> AsgiRoute | None:
        """Return the route for the path of a request, None when there is none."""
        found = next((one for one in self._patterns if one.matches(scope)[0] is not Match.NONE), None)
        return self._fixed.get(scope["path"]) or (found.app if found else None)  # type: ignore[return-value]  # an AsgiRoute

    def _options(self, scope: Scope) -> Response:
        route = self.find(scope)
        if route is None and scope["path"] != "*":
            return problem(_NOT_FOUND)
        if route:
            scope[ROUTE] = route.path
        allow = route.allow if route else "GET, HEAD, OPTIONS"
        headers = {"Allow": allow, "Access-Control-Allow-Methods": allow, **_PREFLIGHT}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)

    async def _missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("latin-1")
        shorter = path.removesuffix("/")
        response = problem(_NOT_FOUND)
        if shorter != path and self.find({**scope, "path": scope["path"].removesuffix("/")}):
            # Relative to this server: a Host header must not choose where it leads.
            location = f"{shorter}?{query}" if query else shorter
            response = Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": location})
        await response(scope, receive, send)
