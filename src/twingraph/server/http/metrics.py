"""What the server counts, in the text format of Prometheus: one registry for each application, nothing global."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a cached answer to the limit of a query, in seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class State:
    """What others count, at the moment when the metrics are read; ``killed`` counts workers by reason.

    ``release`` is None when none is served, ``pending`` the current one when it cannot be opened.
    """

    release: str | None
    pending: str | None
    quads: int
    workers: int
    are_failing: bool
    waiting: int
    running: int
    killed: Mapping[str, int]
    lost: int
    hits: int
    misses: int


class Metrics:
    """Counts requests and queries; safe to be told from any thread."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        labels = ("route", "format", "status")
        self._requests = Counter("twingraph_requests", "Requests answered", labels, registry=registry)
        self._bytes = Counter("twingraph_response_bytes", "Bytes of bodies sent", ("route",), registry=registry)
        self._seconds = Histogram(
            "twingraph_query_seconds", "From a query's arrival to its answer's end", buckets=_BUCKETS, registry=registry
        )
        self._limits = Counter("twingraph_limits_hit", "Queries that met a limit", ("limit",), registry=registry)
        # Looking a counter up by its labels takes longer than counting.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Counter]] = {}

    def answered(self, route: str, format_: str, status: int, size: int) -> None:
        """Count a request, by the pattern of its route, never by what a visitor wrote in an address."""
        counters = self._counted.get((route, format_, status))
        if counters is None:
            counters = self._requests.labels(route, format_, str(status)), self._bytes.labels(route)
            self._counted[route, format_, status] = counters
        requests, octets = counters
        requests.inc()
        octets.inc(size)

    def queried(self, seconds: float) -> None:
        """Count a query that was answered, well or badly."""
        self._seconds.observe(seconds)

    def limited(self, limit: str) -> None:
        """Count a query that met a limit."""
        self._limits.labels(limit).inc()

    def text(self, state: State) -> bytes:
        """Return all of it in the text format, with what others count."""
        others = CollectorRegistry()
        others.register(_Snapshot(state))
        return generate_latest(self._registry) + generate_latest(others)


class _Snapshot(Collector):
    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        state = self._state
        release = GaugeMetricFamily("twingraph_release", "The release served now", labels=("id",))
        if state.release:
            release.add_metric((state.release,), 1)
        yield release
        pending = GaugeMetricFamily(
            "twingraph_release_pending", "The current release, when it cannot be opened", labels=("id",)
        )
        if state.pending:
            pending.add_metric((state.pending,), 1)
        yield pending
        yield GaugeMetricFamily("twingraph_release_quads", "Quads of the release served now", state.quads)
        yield GaugeMetricFamily("twingraph_workers", "Workers that are there, spares among them", state.workers)
        yield GaugeMetricFamily(
            "twingraph_workers_failing", "Whether workers that are missing cannot be started", int(state.are_failing)
        )
        yield GaugeMetricFamily("twingraph_queue_length", "Queries that wait for a worker", state.waiting)
        yield GaugeMetricFamily("twingraph_queries_running", "Queries that workers answer now", state.running)
        killed = CounterMetricFamily("twingraph_workers_killed", "Workers ended by force", labels=("reason",))
        for reason, count in state.killed.items():
            killed.add_metric((reason,), count)
        yield killed
        yield CounterMetricFamily("twingraph_workers_lost", "Workers that ended by themselves", state.lost)
        cache = CounterMetricFamily("twingraph_cache_lookups", "Answers looked up", labels=("outcome",))
        cache.add_metric(("hit",), state.hits)
        cache.add_metric(("miss",), state.misses)
        yield cache
