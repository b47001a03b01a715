"""The ASGI application: its routes, and the middleware that every request passes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.types import ASGIApp

from twingraph.release.archive import Archive
from twingraph.server.catalogue.catalogue_routes import CatalogueRoutes
from twingraph.server.catalogue.release_files import ReleaseFiles
from twingraph.server.catalogue.well_known import WellKnown
from twingraph.server.health import Health
from twingraph.server.http.access_log import AccessLog
from twingraph.server.http.asgi_route import RouteTable
from twingraph.server.http.metrics import Metrics
from twingraph.server.linked_data.documents import LinkedData
from twingraph.server.pages.pages import page_routes
from twingraph.server.pages.rendering import Renderer
from twingraph.server.query.current_release import CurrentRelease
from twingraph.server.query.graph_store import GraphStore
from twingraph.server.query.respond import warm_up
from twingraph.server.query.service_description import ServiceDescription
from twingraph.server.saved_queries import SavedQueries
from twingraph.server.sparql_endpoint import SparqlEndpoint
from twingraph.settings import Settings


def current_release(settings: Settings, *, patient: bool = False) -> CurrentRelease:
    """Return the current release under ``settings.releases``; it follows each later one once it is started.

    Raises NoReleaseError when nothing has been built, and ReleaseError or StoreError when the release is damaged. When
    ``patient``, it raises none of these: requests that need a release are answered with 503 until there is one.
    """
    on_open = warm_up if settings.limits.warm_up else None
    return CurrentRelease(Archive(settings.releases), settings.limits, on_open, patient=patient)


def create_app(settings: Settings, current: CurrentRelease) -> ASGIApp:
    """Return the application that serves ``current``; its lifespan starts ``current`` if need be, and stops it."""
    metrics, renderer = Metrics(), Renderer(settings.server.url)
    description = ServiceDescription(current, settings.limits)
    sparql = SparqlEndpoint(current, renderer, description, settings.limits.query_bytes)
    things = LinkedData(current, renderer)
    routes = [
        sparql.route,
        *SavedQueries(current, renderer).routes(),
        *GraphStore(current).routes(),
        description.route,
        *CatalogueRoutes(current, settings.server).routes(),
        *ReleaseFiles(current, Archive(settings.releases)).routes(),
        *WellKnown(current, settings).routes(),
        *page_routes(current, renderer),
        *Health(current, metrics).routes(),
        things.context(),
    ]
    table = RouteTable(routes, {"/sparql/": sparql.route}, lambda _: following(current), things.fallback())
    return AccessLog(table, metrics, settings.server)


@asynccontextmanager
async def following(current: CurrentRelease) -> AsyncIterator[None]:
    """Serve ``current`` and each later release within this context; raises StoreError."""
    await current.start()
    follower = asyncio.create_task(current.follow())
    yield
    follower.cancel()
    with suppress(asyncio.CancelledError):
        await follower
    await current.stop()
