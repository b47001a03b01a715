"""The server's metrics, in the text format of Prometheus; each application has its own, and none is global."""

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
# Upper bounds in seconds, from the time of a cached answer to the time limit of a query.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class State:
    """What other objects count, at the time when the metrics are read; ``killed`` counts workers by reason.

    ``release`` is None when none is served; ``pending`` is the current release while it cannot be opened.
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
    """Counts requests and queries as plain numbers, since the library's counters cost as much as a cached answer."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._bytes: Counter[str] = Counter()
        self._limits: Counter[str] = Counter()
        self._buckets, self._seconds = [0] * (len(_BUCKETS) + 1), 0.0

    def answered(self, route: str, format_: str, status: int, size: int) -> None:
        """Count a request by the pattern of its route; its path would allow any number of labels."""
        self._requests[route, format_, status] += 1
        self._bytes[route] += size

    def queried(self, seconds: float) -> None:
        """Count a query, successful or not."""
        self._buckets[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def limited(self, limit: str) -> None:
        """Count a query that hit a limit."""
        self._limits[limit] += 1

    def text(self, state: State) -> bytes:
        """Return all metrics, those of ``state`` included, in the text format."""
        registry = CollectorRegistry()
        registry.register(_Collector(self._counters()))
        registry.register(_Collector(_state(state)))
        return generate_latest(registry)

    def _counters(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("twingraph_requests", "Requests answered", labels=("route", "format", "status"))
        for (route, format_, status), count in self._requests.items():
            requests.add_metric((route, format_, str(status)), count)
        yield requests
        yield _labelled("twingraph_response_bytes", "Bytes of bodies sent", "route", self._bytes)
        bounds = [*map(floatToGoString, _BUCKETS), "+Inf"]
        yield HistogramMetricFamily(
            "twingraph_query_seconds",
            "Time from receiving a query to the end of its answer",
            buckets=list(zip(bounds, accumulate(self._buckets), strict=True)),
            sum_value=self._seconds,
        )
        yield _labelled("twingraph_limits_hit", "Queries that hit a limit", "limit", self._limits)


class _Collector(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _labelled(name: str, description: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, description, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family


def _state(state: State) -> Iterator[Metric]:
    release = GaugeMetricFamily("twingraph_release", "The release being served", labels=("id",))
    if state.release:
        release.add_metric((state.release,), 1)
    yield release
    pending = GaugeMetricFamily(
        "twingraph_release_pending", "The current release, while it cannot be opened", labels=("id",)
    )
    if state.pending:
        pending.add_metric((state.pending,), 1)
    yield pending
    yield GaugeMetricFamily("twingraph_release_quads", "Quads of the release being served", state.quads)
    yield GaugeMetricFamily("twingraph_workers", "Workers that have started, reserve workers included", state.workers)
    yield GaugeMetricFamily(
        "twingraph_workers_failing", "Whether missing workers fail to start", int(state.are_failing)
    )
    yield GaugeMetricFamily("twingraph_queue_length", "Queries waiting for a worker", state.waiting)
    yield GaugeMetricFamily("twingraph_queries_running", "Queries running in workers", state.running)
    yield _labelled("twingraph_workers_killed", "Workers killed by the server", "reason", state.killed)
    yield CounterMetricFamily("twingraph_workers_lost", "Workers that ended unexpectedly", state.lost)
    lookups = {"hit": state.hits, "miss": state.misses}
    yield _labelled("twingraph_cache_lookups", "Look-ups of answers in the cache", "outcome", lookups)
