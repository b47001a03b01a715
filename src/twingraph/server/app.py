"""The ASGI application: which address leads where, and what every request passes on its way there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.types import ASGIApp

from twingraph.release.archive import Archive
from twingraph.server.health import Health
from twingraph.server.http.access_log import AccessLog
from twingraph.server.http.asgi_route import RouteTable
from twingraph.server.http.cors import Cors
from twingraph.server.http.metrics import Metrics
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
    """Return the release to be served under ``settings.releases``, which follows each later one.

    Raises NoReleaseError when nothing has been built, ReleaseError or StoreError when the release is damaged; not when
    it is ``patient``: then all that needs a release is answered with 503 until there is one.
    """
    on_open = warm_up if settings.limits.warm_up else None
    return CurrentRelease(Archive(settings.releases), settings.limits, on_open, patient=patient)


def create_app(settings: Settings, current: CurrentRelease) -> ASGIApp:
    """Return the application that serves ``current``, which its lifespan starts, unless it is started, and stops."""
    metrics, renderer = Metrics(), Renderer()
    description = ServiceDescription(current, settings.limits)
    sparql = SparqlEndpoint(current, renderer, description, settings.limits.query_bytes)
    routes = [
        sparql.route,
        *SavedQueries(current, renderer).routes(),
        *GraphStore(current).routes(),
        description.route,
        *page_routes(current, renderer),
        *Health(current, metrics).routes(),
    ]
    table = RouteTable(routes, {"/sparql/": sparql.route}, lambda _: following(current))
    return AccessLog(Cors(table, table.find), metrics, settings.server)


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
