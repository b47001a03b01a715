"""The ASGI application: which address leads where."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twingraph import __version__
from twingraph.errors import TwingraphError
from twingraph.release.archive import Archive
from twingraph.server.access_log import AccessLog, note
from twingraph.server.answers import warm
from twingraph.server.description import Descriptions
from twingraph.server.directly import Directly
from twingraph.server.graph_store import GraphStore
from twingraph.server.metrics import CONTENT_TYPE, Metrics, State
from twingraph.server.openapi import describe
from twingraph.server.pages import Pages
from twingraph.server.problems import UNFORESEEN, RequestError, problem
from twingraph.server.releases import CurrentRelease
from twingraph.server.saved_queries import SavedQueries
from twingraph.server.sparql import SparqlEndpoint
from twingraph.settings import Settings

_READ = ["GET", "HEAD"]


class Application(FastAPI):
    """FastAPI with something in front of it, which sees each request first."""

    front: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin and end."""
        await (self.front or super().__call__)(scope, receive, send)

    def openapi(self) -> dict[str, object]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(super().openapi())
        return self.openapi_schema

    async def within(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is not answered in front."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings) -> Application:
    """Return the application that serves the current release under ``settings.releases``, and each later one.

    Raises NoReleaseError when nothing has been built, ReleaseError or StoreError when the release is damaged.
    """
    greet = warm if settings.limits.warm else None
    current, pages = CurrentRelease(Archive(settings.releases), settings.limits, greet), Pages()
    # The generated pages of FastAPI fetch their scripts from another origin; /openapi.json is there for tools.
    app = Application(
        title="twingraph", version=__version__, docs_url=None, redoc_url=None, lifespan=_lifespan(current)
    )
    descriptions, metrics = Descriptions(current, settings.limits), Metrics()
    sparql = SparqlEndpoint(current, pages, descriptions, settings.limits.query_bytes)
    app.router.routes += [Route(path, GraphStore(current)) for path in ("/graph-store", "/graph/{path:path}")]
    _add_pages(app, current, pages)
    _add_descriptions(app, current, descriptions, metrics)
    _add_errors(app)
    # The endpoint is reached before everything that pages and their addresses need.
    direct = Directly(app.within, {"/sparql": sparql})
    app.front = AccessLog(direct, app.router, metrics, addresses=settings.server.log_addresses)
    return app


def _lifespan(current: CurrentRelease) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def follow(_: FastAPI) -> AsyncIterator[None]:
        await current.start()
        follower = asyncio.create_task(current.follow())
        yield
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower
        await current.stop()

    return follow


def _add_pages(app: FastAPI, current: CurrentRelease, pages: Pages) -> None:
    saved = SavedQueries(current, pages)

    @app.api_route("/", methods=_READ, include_in_schema=False)
    async def home(request: Request) -> Response:
        return pages.home(current.serving, request)

    @app.api_route("/style.css", methods=_READ, include_in_schema=False)
    async def style() -> Response:
        return pages.style()

    @app.get("/healthz", summary="Tell whether there are workers that answer, and from which release")
    async def health() -> JSONResponse:
        serving = current.serving
        serving.pool.require()
        return JSONResponse({"status": "ok", "release": serving.release.id, "quads": serving.release.manifest.quads})

    @app.get("/queries", summary="List the saved queries")
    async def queries(request: Request) -> Response:
        return await saved.list(request)

    @app.get("/queries/{name}", summary="Answer a saved query; its parameters are those of the address")
    async def query(request: Request, name: str) -> Response:
        return await saved.run(request, name)


def _add_descriptions(app: FastAPI, current: CurrentRelease, descriptions: Descriptions, metrics: Metrics) -> None:
    @app.api_route("/.well-known/void", methods=_READ, summary="Describe the dataset (VoID) and the endpoint")
    async def void(request: Request) -> Response:
        return await descriptions.respond(request)

    @app.get("/metrics", summary="Tell what was counted, for Prometheus")
    async def counted() -> Response:
        return Response(metrics.text(_state(current)), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/readyz", summary="Tell whether queries are answered")
    async def ready() -> JSONResponse:
        current.serving.pool.require()
        return JSONResponse({"status": "ready", "release": current.serving.release.id})


def _state(current: CurrentRelease) -> State:
    serving, figures = current.serving, current.figures
    return State(
        release=serving.release.id,
        quads=serving.release.manifest.quads,
        workers=serving.pool.workers,
        waiting=serving.pool.queued,
        running=serving.pool.busy,
        killed=figures.killed,
        lost=figures.lost,
        hits=serving.cache.hits,
        misses=serving.cache.misses,
    )


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(TwingraphError)
    async def known(request: Request, error: TwingraphError) -> Response:
        note(request).failed(error)
        return problem(error)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return problem(RequestError(HTTPStatus(error.status_code), str(error.detail), error.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, __: ClientDisconnect) -> Response:
        return Response()  # nobody reads it

    @app.exception_handler(Exception)
    async def unknown(_: Request, __: Exception) -> Response:
        # What it was stands in the log, which the ASGI server writes.
        return problem(UNFORESEEN)
