"""What the server counts, in the text format of Prometheus: one registry for each application, nothing global."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a cached answer to the limit of a query, in seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counts requests, queries, and what happens to the workers; safe to be told from any thread."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        labels = ("route", "format", "status")
        self._requests = Counter("twingraph_requests", "Requests answered", labels, registry=registry)
        self._bytes = Counter("twingraph_response_bytes", "Bytes of bodies sent", ("route",), registry=registry)
        self._seconds = Histogram(
            "twingraph_query_seconds", "From a query's arrival to its answer's end", buckets=_BUCKETS, registry=registry
        )
        self._limits = Counter("twingraph_limits_hit", "Queries that met a limit", ("limit",), registry=registry)
        self._queue = Gauge("twingraph_queue_length", "Queries that wait for a worker", registry=registry)
        self._running = Gauge("twingraph_queries_running", "Queries that workers answer now", registry=registry)
        self._kills = Counter("twingraph_workers_killed", "Workers ended by force", ("reason",), registry=registry)
        self._cache = Counter("twingraph_cache_lookups", "Answers looked up", ("outcome",), registry=registry)
        self._release = Gauge("twingraph_release", "The release served now", ("id",), registry=registry)
        self._quads = Gauge("twingraph_release_quads", "Quads of the release served now", registry=registry)

    def answered(self, route: str, format_: str, status: int, size: int) -> None:
        """Count a request, by the pattern of its route, never by what a visitor wrote in an address."""
        self._requests.labels(route, format_, str(status)).inc()
        self._bytes.labels(route).inc(size)

    def queried(self, seconds: float) -> None:
        """Count a query that was answered, well or badly."""
        self._seconds.observe(seconds)

    def limited(self, limit: str) -> None:
        """Count a query that met a limit."""
        self._limits.labels(limit).inc()

    def watch(self, waiting: Callable[[], float], running: Callable[[], float]) -> None:
        """Ask these how many queries wait and run, whenever the metrics are read."""
        self._queue.set_function(waiting)
        self._running.set_function(running)

    def killed(self, reason: str) -> None:
        """Count a worker that was ended by force: ``timeout``, ``memory``, ``client gone`` or the like."""
        self._kills.labels(reason).inc()

    def looked_up(self, *, hit: bool) -> None:
        """Count a look into the cache of answers."""
        self._cache.labels("hit" if hit else "miss").inc()

    def text(self, release: str, quads: int) -> bytes:
        """Return all of it in the text format, with the release that is served now."""
        self._release.clear()
        self._release.labels(release).set(1)
        self._quads.set(quads)
        return generate_latest(self._registry)
