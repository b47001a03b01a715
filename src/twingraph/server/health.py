"""Endpoints for operators: liveness, readiness and metrics."""

from starlette.responses import JSONResponse, Response

from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.metrics import CONTENT_TYPE, Metrics, State
from twingraph.server.http.openapi import ANYTHING, TEXT, json_content, operation
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.current_release import CurrentRelease

_FACTS = {"status": TEXT, "release": TEXT}


class Health:
    """Responds at ``/healthz``, ``/readyz`` and ``/metrics``."""

    def __init__(self, current: CurrentRelease, metrics: Metrics) -> None:
        self._current, self._metrics = current, metrics

    def routes(self) -> tuple[AsgiRoute, ...]:
        """Return the three routes."""
        liveness = operation("Report that the server is alive, and the release it serves", json_content(_FACTS))
        readiness = operation("Report whether queries are answered; 503 while they are not", json_content(_FACTS))
        metrics = operation("Report metrics in the text format of Prometheus", {"text/plain": ANYTHING})
        return (
            AsgiRoute("/healthz", self._liveness, liveness),
            AsgiRoute("/readyz", self._readiness, readiness),
            AsgiRoute("/metrics", self._metrics_text, metrics),
        )

    async def _liveness(self, _: HttpRequest) -> Response:
        # A server without a release is alive all the same: a restart would not help.
        served = self._current.served
        manifest = served.release.manifest if served else None
        facts = {"release": manifest and manifest.id, "quads": manifest and manifest.quads}
        return JSONResponse({"status": "ok", **facts})

    async def _readiness(self, _: HttpRequest) -> Response:
        served = self._current.required()
        served.pool.ensure_available()
        return JSONResponse({"status": "ready", "release": served.release.id})

    async def _metrics_text(self, _: HttpRequest) -> Response:
        served, pending, stats = self._current.served, self._current.pending, self._current.stats
        state = State(
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
        return Response(self._metrics.text(state), headers={"Content-Type": CONTENT_TYPE})
