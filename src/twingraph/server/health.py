"""What operators ask a server: whether it is alive, whether it is ready, and what it has counted."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.metrics import CONTENT_TYPE, Metrics, State
from twingraph.server.http.openapi import ANYTHING, TEXT, json_content, operation
from twingraph.server.query.current_release import CurrentRelease

_FACTS = {"status": TEXT, "release": TEXT}


class Health:
    """Answers for ``/healthz``, ``/readyz`` and ``/metrics``."""

    def __init__(self, current: CurrentRelease, metrics: Metrics) -> None:
        self._current, self._metrics = current, metrics

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the routes to it."""
        alive, ready = json_content(_FACTS), json_content(_FACTS)
        counted = {"text/plain": ANYTHING}
        return (
            AsgiRoute("/healthz", self._alive, operation("Tell that the server is alive, and what it serves", alive)),
            AsgiRoute(
                "/readyz", self._ready, operation("Tell whether queries are answered; 503 while they are not", ready)
            ),
            AsgiRoute("/metrics", self._counted, operation("Tell what was counted, for Prometheus", counted)),
        )

    async def _alive(self, _: Request) -> Response:
        # Without a release it is alive all the same: a restart would mend nothing.
        served = self._current.served
        manifest = served.release.manifest if served else None
        facts = {"release": manifest and manifest.id, "quads": manifest and manifest.quads}
        return JSONResponse({"status": "ok", **facts})

    async def _ready(self, _: Request) -> Response:
        served = self._current.required()
        served.pool.ensure_available()
        return JSONResponse({"status": "ready", "release": served.release.id})

    async def _counted(self, _: Request) -> Response:
        return Response(self._metrics.text(self._state()), headers={"Content-Type": CONTENT_TYPE})

    def _state(self) -> State:
        served, pending, stats = self._current.served, self._current.pending, self._current.stats
        return State(
            release=served.release.id if served else None,
            pending=pending.id if pending else None,
            quads=served.release.manifest.quads if served else 0,
            workers=served.pool.workers if served else 0,
            are_failing=bool(served and served.pool.failing),
            waiting=served.pool.queued if served else 0,
            running=served.pool.busy if served else 0,
            killed=stats.killed,
            lost=stats.lost,
            hits=self._current.lookups["hit"],
            misses=self._current.lookups["miss"],
        )
