"""The ASGI application: which address leads where."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route

from twingraph import __version__
from twingraph.errors import TwingraphError
from twingraph.release.archive import Archive
from twingraph.server.pages import Pages
from twingraph.server.problems import RequestError, problem
from twingraph.server.releases import CurrentRelease
from twingraph.server.saved_queries import SavedQueries
from twingraph.server.sparql import SparqlEndpoint
from twingraph.settings import Settings

_READ = ["GET", "HEAD"]


def create_app(settings: Settings) -> FastAPI:
    """Return the application that serves the current release under ``settings.releases``, and each later one.

    Raises NoReleaseError when nothing has been built, ReleaseError or StoreError when the release is damaged.
    """
    current, pages = CurrentRelease(Archive(settings.releases)), Pages()
    # The generated pages of FastAPI fetch their scripts from another origin; /openapi.json is there for tools.
    app = FastAPI(title="twingraph", version=__version__, docs_url=None, redoc_url=None, lifespan=_lifespan(current))
    app.router.routes.append(Route("/sparql", SparqlEndpoint(current, pages, settings.limits.query_bytes)))
    _add_pages(app, current, pages)
    _add_errors(app)
    return app


def _lifespan(current: CurrentRelease) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def follow(_: FastAPI) -> AsyncIterator[None]:
        follower = asyncio.create_task(current.follow())
        yield
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower

    return follow


def _add_pages(app: FastAPI, current: CurrentRelease, pages: Pages) -> None:
    saved = SavedQueries(current, pages)

    @app.api_route("/", methods=_READ, include_in_schema=False)
    async def home(request: Request) -> Response:
        return pages.home(current.serving, request)

    @app.api_route("/style.css", methods=_READ, include_in_schema=False)
    async def style() -> Response:
        return pages.style()

    @app.get("/healthz", summary="Tell whether the store answers, and from which release")
    async def health() -> JSONResponse:
        serving = current.serving
        quads = await asyncio.to_thread(serving.store.health)
        return JSONResponse({"status": "ok", "release": serving.release.id, "quads": quads})

    @app.get("/queries", summary="List the saved queries")
    async def queries(request: Request) -> Response:
        return await saved.list(request)

    @app.get("/queries/{name}", summary="Answer a saved query; its parameters are those of the address")
    async def query(request: Request, name: str) -> Response:
        return await saved.run(request, name)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(TwingraphError)
    async def known(_: Request, error: TwingraphError) -> Response:
        return problem(error)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return problem(RequestError(HTTPStatus(error.status_code), str(error.detail), error.headers or {}))

    @app.exception_handler(Exception)
    async def unknown(_: Request, __: Exception) -> Response:
        # What it was stands in the log, which the ASGI server writes; a visitor learns nothing of our insides.
        return problem(RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; this is not your fault"))
