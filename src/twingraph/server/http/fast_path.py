"""Addresses that lead straight to an application, past the routing of all others."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph.server.access_log import ROUTE


class Directly:
    """Passes requests for a path of ``routes``, with `/` at its end or not, to its application; others to ``app``."""

    def __init__(self, app: ASGIApp, routes: Mapping[str, ASGIApp]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"].removesuffix("/") if scope["type"] == "http" else ""
        direct = self._routes.get(path)
        if direct:
            scope[ROUTE] = path
        await (direct or self._app)(scope, receive, send)
