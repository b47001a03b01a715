"""What the server counts, in the text format of Prometheus: one registry for each application, nothing global."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

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
    """Counts requests and queries, in plain numbers: the client library's counters cost as much as a cached answer."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._bytes: Counter[str] = Counter()
        self._limits: Counter[str] = Counter()
        self._buckets, self._seconds = [0] * (len(_BUCKETS) + 1), 0.0

    def answered(self, route: str, format_: str, status: int, size: int) -> None:
        """Count a request, by the pattern of its route, never by what a visitor wrote in an address."""
        self._requests[route, format_, status] += 1
        self._bytes[route] += size

    def queried(self, seconds: float) -> None:
        """Count a query that was answered, well or badly."""
        self._buckets[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def limited(self, limit: str) -> None:
        """Count a query that met a limit."""
        self._limits[limit] += 1

    def text(self, state: State) -> bytes:
        """Return all of it in the text format, with what others count."""
        registry = CollectorRegistry()
        registry.register(_Collector(self._counted()))
        registry.register(_Collector(_state(state)))
        return generate_latest(registry)

    def _counted(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("twingraph_requests", "Requests answered", labels=("route", "format", "status"))
        for (route, format_, status), count in self._requests.items():
            requests.add_metric((route, format_, str(status)), count)
        yield requests
        yield _labelled("twingraph_response_bytes", "Bytes of bodies sent", "route", self._bytes)
        bounds = [*map(floatToGoString, _BUCKETS), "+Inf"]
        yield HistogramMetricFamily(
            "twingraph_query_seconds",
            "From a query's arrival to its answer's end",
            buckets=list(zip(bounds, accumulate(self._buckets), strict=True)),
            sum_value=self._seconds,
        )
        yield _labelled("twingraph_limits_hit", "Queries that met a limit", "limit", self._limits)


class _Collector(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _labelled(name: str, about: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, about, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family


def _state(state: State) -> Iterator[Metric]:
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
    yield _labelled("twingraph_workers_killed", "Workers ended by force", "reason", state.killed)
    yield CounterMetricFamily("twingraph_workers_lost", "Workers that ended by themselves", state.lost)
    lookups = {"hit": state.hits, "miss": state.misses}
    yield _labelled("twingraph_cache_lookups", "Answers looked up", "outcome", lookups)
