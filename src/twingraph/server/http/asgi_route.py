"""A route as a plain ASGI application: one request in, one response out, and every failure a problem document."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.errors import RequestError, TwingraphError
from twingraph.server.http.access_log import ROUTE, log_of
from twingraph.server.http.openapi import document, json_content, operation
from twingraph.server.http.problems import UNFORESEEN, problem

# Where a scope holds the RequestError for which a request was refused before it could be read.
REFUSAL = "twingraph.refusal"
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
        respond: Callable[[Request], Awaitable[Response]],
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
        try:
            response = await self.answer(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Return the response to a request, a problem document when it fails; raises ClientDisconnect."""
        request.scope[ROUTE] = self.path
        try:
            return await self._respond(request) if request.method in self._methods else self._not_allowed()
        except TwingraphError as error:
            log_of(request).failed(error)
            return problem(error)
        except ClientDisconnect:
            raise
        except Exception:  # whatever it is, the client gets a problem document and the log the traceback
            logger.exception("a request was not answered")
            return problem(UNFORESEEN)

    def _not_allowed(self) -> Response:
        return problem(RequestError(HTTPStatus.METHOD_NOT_ALLOWED, self._refusal, {"Allow": self.allow}))


class RouteTable:
    """Passes requests on to their routes: fixed paths at once, ``aliases`` among them, all others by FastAPI.

    What has no route is redirected to the path without `/` at its end, or answered with 404; a request that the
    connection has refused, with that refusal. ``lifespan`` is entered when the server starts. FastAPI writes the
    OpenAPI document, of which each route describes its own operations, and serves it at ``/openapi.json``.
    """

    def __init__(
        self,
        routes: Sequence[AsgiRoute],
        aliases: Mapping[str, AsgiRoute],
        lifespan: Callable[[object], AbstractAsyncContextManager[None]],
    ) -> None:
        self._api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
        self._api.add_exception_handler(HTTPStatus.NOT_FOUND, self._missing)
        every = (*routes, AsgiRoute("/openapi.json", self._document, operation("This document", json_content({}))))
        for one in every:
            for method, described in one.operations.items():
                extra = dict(described)
                self._api.add_api_route(
                    one.path, one.answer, methods=[method], response_class=Response, openapi_extra=extra
                )
            # HEAD, and the methods that are refused.
            self._api.router.routes.append(Route(one.path, one))
        self._fixed = {one.path: one for one in every if "{" not in one.path} | dict(aliases)
        self._patterns = [Route(one.path, one) for one in every if "{" in one.path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app: ASGIApp | None = None
        if scope["type"] == "http":
            app = problem(scope[REFUSAL]) if REFUSAL in scope else self._fixed.get(scope["path"])
        await (app or self._api)(scope, receive, send)

    def find(self, scope: Scope) -> AsgiRoute | None:
        """Return the route for the path of a request, None when there is none."""
        found = next((one for one in self._patterns if one.matches(scope)[0] is not Match.NONE), None)
        return self._fixed.get(scope["path"]) or (found.app if found else None)  # type: ignore[return-value]  # an AsgiRoute

    async def _document(self, _: Request) -> Response:
        return JSONResponse(document(self._api.routes))

    async def _missing(self, request: Request, _: Exception) -> Response:
        scope = request.scope
        path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("latin-1")
        shorter = path.removesuffix("/")
        if shorter != path and self.find({**scope, "path": scope["path"].removesuffix("/")}):
            # Relative to this server: a Host header must not choose where it leads.
            location = f"{shorter}?{query}" if query else shorter
            return Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": location})
        return problem(_NOT_FOUND)
