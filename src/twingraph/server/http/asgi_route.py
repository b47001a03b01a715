"""Routes as plain ASGI applications: every request gets a response, every failure a problem document."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.errors import RequestError, TwingraphError
from twingraph.server.http.access_log import ROUTE
from twingraph.server.http.openapi import document, json_content, operation
from twingraph.server.http.problems import UNFORESEEN, problem
from twingraph.server.http.request import HttpRequest

# Key of a scope: the RequestError for which the connection rejected a request before it was parsed.
REFUSAL = "twingraph.refusal"
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Accept, Accept-Profile, Content-Type, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "86400",
}
logger = logging.getLogger(__name__)


class AsgiRoute:
    """Responds to requests for ``path`` with ``respond``.

    ``get`` and ``post`` are its operations in the OpenAPI document. HEAD is handled as GET: the server omits the body.
    Other methods get 405 with ``refusal`` as the detail.
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
        self._refusal = refusal or f"the methods allowed here are {self.allow}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless the client has disconnected."""
        try:
            response = await self.answer(HttpRequest(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def answer(self, request: HttpRequest) -> ASGIApp:
        """Return the response to a request, a problem document on failure; raises ClientDisconnect."""
        request.scope[ROUTE] = self.path
        if request.method not in self._methods:
            return problem(RequestError(HTTPStatus.METHOD_NOT_ALLOWED, self._refusal, {"Allow": self.allow}))
        try:
            return await self._respond(request)
        except TwingraphError as error:
            request.log.failed(error)
            return problem(error)
        except ClientDisconnect:
            raise
        except Exception:  # a bug: the client gets a problem document, the log the traceback
            logger.exception("unhandled error while answering a request")
            return problem(UNFORESEEN)


class RouteTable:
    """Dispatches requests: fixed paths, ``aliases`` included, by one look-up, and paths with parameters by FastAPI.

    It answers OPTIONS for every route, also as a CORS preflight. A path with a trailing slash that matches no route is
    redirected to the path without it if that does; every other path is the ``fallback``'s. A request that the
    connection rejected gets that error. ``lifespan`` is entered when the server starts. FastAPI generates the OpenAPI
    document at ``/openapi.json`` from the operations that the routes give.
    """

    def __init__(
        self,
        routes: Sequence[AsgiRoute],
        aliases: Mapping[str, AsgiRoute],
        lifespan: Callable[[object], AbstractAsyncContextManager[None]],
        fallback: AsgiRoute,
    ) -> None:
        self._fallback = fallback
        self._every = (
            *routes,
            AsgiRoute("/openapi.json", self._document, operation("The OpenAPI document", json_content({}))),
        )
        self._fixed = {one.path: one for one in self._every if "{" not in one.path} | dict(aliases)
        self._patterns = [Route(one.path, one) for one in self._every if "{" in one.path]
        self._api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
        self._api.add_exception_handler(HTTPStatus.NOT_FOUND, self._missing)
        self._api.router.routes += self._patterns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app: ASGIApp = self._api
        if scope["type"] == "http":
            if REFUSAL in scope:
                app = problem(scope[REFUSAL])
            elif scope["method"] == "OPTIONS":
                app = self._options(scope)
            else:
                app = self._fixed.get(scope["path"], app)
        await app(scope, receive, send)

    def find(self, scope: Scope) -> AsgiRoute | None:
        """Return the route that matches the path of a request, None when there is none."""
        found = next((one for one in self._patterns if one.matches(scope)[0] is not Match.NONE), None)
        return self._fixed.get(scope["path"]) or (found.app if found else None)  # type: ignore[return-value]  # an AsgiRoute

    def _options(self, scope: Scope) -> Response:
        route = self.find(scope)
        if route is None and scope["path"] != "*":
            route = self._fallback
        if route:
            scope[ROUTE] = route.path
        allow = route.allow if route else "GET, HEAD, OPTIONS"
        headers = {"Allow": allow, "Access-Control-Allow-Methods": allow, **_PREFLIGHT}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)

    async def _document(self, _: HttpRequest) -> Response:
        return JSONResponse(document({one.path: one.operations for one in (*self._every, self._fallback)}))

    async def _missing(self, request: Request, _: Exception) -> Response:
        scope = request.scope
        path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("latin-1")
        without_slash = path.removesuffix("/")
        if without_slash != path and self.find({**scope, "path": scope["path"].removesuffix("/")}):
            # A relative reference, so that a forged Host field cannot redirect elsewhere.
            location = f"{without_slash}?{query}" if query else without_slash
            return Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": location})
        # Starlette calls what is returned here as an application, which any response of a route is.
        return cast("Response", await self._fallback.answer(HttpRequest(scope, request.receive)))
