"""The ASGI application: which address leads where."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph import __version__
from twingraph.errors import TwingraphError
from twingraph.release.archive import Archive
from twingraph.server.access_log import AccessLog, note
from twingraph.server.current_release import CurrentRelease
from twingraph.server.http.edge import READING, Edge, is_route
from twingraph.server.http.fast_path import Directly
from twingraph.server.http.openapi import describe
from twingraph.server.http.problems import UNFORESEEN, RequestError, problem
from twingraph.server.metrics import CONTENT_TYPE, Metrics, State
from twingraph.server.pages.pages import Pages
from twingraph.server.query.graph_store import GraphStore
from twingraph.server.query.respond import warm_up
from twingraph.server.query.saved_queries import SavedQueries
from twingraph.server.query.service_description import Descriptions
from twingraph.server.query.sparql_route import SparqlEndpoint
from twingraph.settings import Settings

_ASKING = "GET, HEAD, POST, OPTIONS"


class Application(FastAPI):
    """FastAPI with something in front of it, which sees each request first; ``current`` is what it serves."""

    front: ASGIApp | None = None
    current: CurrentRelease
    is_open = False

    async def open(self) -> None:
        """Open the release, unless it is open; raises StoreError. Whoever does not call this has the lifespan do it."""
        if not self.is_open:
            try:
                await self.current.start()
            except BaseException:
                await self.current.stop()
                raise
            self.is_open = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin and end."""
        await (self.front or super().__call__)(scope, receive, send)

    def openapi(self) -> dict[str, object]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(super().openapi())
        return self.openapi_schema

    async def within(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is not answered in front; HEAD as GET, of which the server leaves the body out."""
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET"}
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, *, patient: bool = False) -> Application:
    """Return the application that serves the current release under ``settings.releases``, and each later one.

    Raises NoReleaseError when nothing has been built, ReleaseError or StoreError when the release is damaged; not when
    it is ``patient``: then all that needs a release is answered with 503 until there is one.
    """
    on_open = warm_up if settings.limits.warm else None
    current, pages = CurrentRelease(Archive(settings.releases), settings.limits, on_open, patient=patient), Pages()
    # The generated pages of FastAPI fetch their scripts from another origin; /openapi.json is there for tools.
    # A redirect to another form of an address is ours, as FastAPI's would lead wherever the Host header says.
    app = Application(
        title="twingraph",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_follow,
    )
    app.current = current
    descriptions, metrics = Descriptions(current, settings.limits), Metrics()
    sparql = SparqlEndpoint(current, pages, descriptions, settings.limits.query_bytes)
    app.router.routes += [Route(path, GraphStore(current)) for path in ("/graph-store", "/graph/{path:path}")]
    _add_pages(app, current, pages)
    _add_descriptions(app, current, descriptions, metrics)
    _add_errors(app)
    # The endpoint is reached before everything that pages and their addresses need.
    rest = Edge(app.within, partial(_methods, app.router))
    direct = Directly(rest, {"/sparql": Edge(sparql, lambda _: _ASKING)})
    app.front = AccessLog(direct, app.router, metrics, addresses=settings.server.log_addresses)
    return app


def _methods(router: Router, scope: Scope) -> str | None:
    """Return the methods that there are at the path of a request, None when there is nothing."""
    return READING if scope["path"] == "*" or is_route(router, scope) else None


@asynccontextmanager
async def _follow(app: Application) -> AsyncIterator[None]:
    await app.open()
    follower = asyncio.create_task(app.current.follow())
    yield
    follower.cancel()
    with suppress(asyncio.CancelledError):
        await follower
    await app.current.stop()


def _add_pages(app: FastAPI, current: CurrentRelease, pages: Pages) -> None:
    saved = SavedQueries(current, pages)

    @app.get("/", include_in_schema=False)
    async def home(request: Request) -> Response:
        return pages.home(current.serving, request)

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return pages.style()

    @app.get("/healthz", summary="Tell that the server is alive, and what it serves")
    async def health() -> JSONResponse:
        # Without a release it is alive all the same: starting it anew would mend nothing.
        manifest = current.served.release.manifest if current.served else None
        facts = {"release": manifest and manifest.id, "quads": manifest and manifest.quads}
        return JSONResponse({"status": "ok", **facts})

    @app.get("/queries", summary="List the saved queries")
    async def queries(request: Request) -> Response:
        return await saved.list(request)

    @app.get("/queries/{name}", summary="Answer a saved query; its parameters are those of the address")
    async def query(request: Request, name: str) -> Response:
        return await saved.run(request, name)


def _add_descriptions(app: FastAPI, current: CurrentRelease, descriptions: Descriptions, metrics: Metrics) -> None:
    @app.get("/.well-known/void", summary="Describe the dataset (VoID) and the endpoint")
    async def void(request: Request) -> Response:
        return await descriptions.respond(request)

    @app.get("/metrics", summary="Tell what was counted, for Prometheus")
    async def counted() -> Response:
        return Response(metrics.text(_state(current)), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/readyz", summary="Tell whether queries are answered; 503 while they are not")
    async def ready() -> JSONResponse:
        current.serving.pool.ensure_available()
        return JSONResponse({"status": "ready", "release": current.serving.release.id})


def _state(current: CurrentRelease) -> State:
    served, stats = current.served, current.stats
    return State(
        release=served.release.id if served else None,
        pending=current.pending.id if current.pending else None,
        quads=served.release.manifest.quads if served else 0,
        workers=served.pool.workers if served else 0,
        are_failing=bool(served and served.pool.failing),
        waiting=served.pool.queued if served else 0,
        running=served.pool.busy if served else 0,
        killed=stats.killed,
        lost=stats.lost,
        hits=current.lookups["hit"],
        misses=current.lookups["miss"],
    )


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(TwingraphError)
    async def known(request: Request, error: TwingraphError) -> Response:
        note(request).failed(error)
        return problem(error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = READING
        elif status == HTTPStatus.NOT_FOUND and (there := _without_slash(app.router, request.scope)):
            return Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": there})
        return problem(RequestError(status, str(error.detail), headers))

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, __: ClientDisconnect) -> Response:
        return Response()  # nobody reads it

    @app.exception_handler(Exception)
    async def unknown(_: Request, __: Exception) -> Response:
        # What it was stands in the log, which the ASGI server writes.
        return problem(UNFORESEEN)


def _without_slash(router: Router, scope: Scope) -> str | None:
    """Return where a request leads without the `/` at its end, relative to this server, None if that is nowhere."""
    path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("latin-1")
    shorter = path.removesuffix("/")
    if shorter == path or not is_route(router, {**scope, "path": scope["path"].removesuffix("/")}):
        return None
    return f"{shorter}?{query}" if query else shorter
