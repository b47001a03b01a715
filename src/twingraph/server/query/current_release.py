"""The release that is served, following ``releases/current``.

A new release is opened by a pool of its own and replaces the old one when all workers are ready; queries that run over
the old one are completed. If it cannot be opened, that is logged, the old one stays, and opening is retried with
exponential back-off. A release that turns out to be damaged on disk is taken out of service and retried likewise. No
older release replaces it, since clients could not know that their answers are out of date.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from twingraph.errors import DamagedStoreError, NoReleaseError, NotReadyError, TwingraphError
from twingraph.publication.saved_queries import SavedQuery, parse_saved_query
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.archive import Archive, Release, verify
from twingraph.server.http.negotiation import Preference
from twingraph.server.query.cache import SizedCache
from twingraph.server.query.inspection import Inspector
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.single_flight import SingleFlight
from twingraph.settings import Limits
from twingraph.store.datasets import reads_store
from twingraph.store.exact import GraphEntry
from twingraph.workers.backoff import Backoff, Penalties
from twingraph.workers.ipc import OpenRequest
from twingraph.workers.pool import Pool, PoolStats

logger = logging.getLogger(__name__)
# How long (seconds) a restarted server waits for a release before it accepts requests and answers them with 503.
_STARTUP_SECONDS = 10.0
_RETRY_AFTER = 5
_T = TypeVar("_T")


@dataclass(frozen=True)
class ServedRelease:
    """An open release, with all that is needed to answer from it; ``announcement`` is the field Twingraph-Limits.

    ``graphs`` says where the graphs are as they were written, the default graph as ``""``; it is None for a release of
    an earlier form.
    """

    release: Release
    graphs: Mapping[str, GraphEntry] | None
    queries: Mapping[str, SavedQuery]
    pool: Pool
    limits: Limits
    cache: SizedCache
    flights: SingleFlight
    lookups: Counter[str]
    announcement: bytes

    def ready_queries(self) -> Iterator[ProtocolRequest]:
        """Yield the saved queries whose parameters all have defaults."""
        for saved in self.queries.values():
            if all(parameter.default is not None for parameter in saved.parameters):
                yield ProtocolRequest(saved.bind({}, self.release.manifest.iris), Preference())


@dataclass(frozen=True, slots=True)
class PendingRelease:
    """A current release that cannot be opened; ``reason`` is not for clients, since it may contain local paths.

    It is retried at ``due`` (seconds of the event loop's clock); ``had_files`` is whether its files existed.
    """

    id: str
    reason: str
    due: float
    had_files: bool


class CurrentRelease:
    """The release that is served, ``served``, which is None while there is none, and how it is replaced.

    ``pending`` is the current release while it cannot be opened. Without ``patient``, NoReleaseError or ReleaseError is
    raised, and by `start` StoreError, when the first release cannot be opened; with it, opening is retried. ``on_open``
    is awaited in a task with each release once it is served.
    """

    def __init__(
        self,
        archive: Archive,
        limits: Limits,
        on_open: Callable[[ServedRelease], Awaitable[None]] | None = None,
        *,
        patient: bool = False,
    ) -> None:
        self._archive, self._limits, self._on_open = archive, limits, on_open
        self._cache, self.stats, self._penalties = SizedCache(limits.cache_bytes), PoolStats(), Penalties()
        self.lookups: Counter[str] = Counter()
        # Separate from the default threads, so that a hanging disk holds up nothing else.
        self._threads = ThreadPoolExecutor(2, "release")
        self._backoff = Backoff()
        self._tasks: set[asyncio.Future[None]] = set()
        self._refreshing: asyncio.Future[bool] | None = None
        self.served: ServedRelease | None = None
        self._damage = ""
        self._is_started, self._had_files = False, True
        self.pending: PendingRelease | None = None
        if not patient:
            self.served = self._prepare(archive.current())

    def required(self) -> ServedRelease:
        """Return the release that is served; raises NotReadyError, or DamagedStoreError when it is out of service."""
        if self.served:
            return self.served
        if self._damage:
            # A new exception each time: one keeps the frames of every place that raises it.
            raise DamagedStoreError(self._damage)
        raise NotReadyError("the current release cannot be opened at present", _RETRY_AFTER)

    async def start(self) -> None:
        """Start the workers, at the first call only; raises StoreError when they cannot open the release."""
        if self._is_started:
            return
        self._is_started = True
        if self.served:
            try:
                await self.served.pool.start()
            except BaseException:  # cancellation too: no worker may be left behind
                await self.stop()
                raise
            self._warm_up(self.served)
            return
        self._refreshing = asyncio.ensure_future(self.refresh())
        await asyncio.wait((self._refreshing,), timeout=_STARTUP_SECONDS)

    async def stop(self) -> None:
        """Cancel all tasks and end all workers."""
        if self._refreshing:
            self._refreshing.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *filter(None, (self._refreshing,)), return_exceptions=True)
        if self.served:
            await self.served.pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def refresh(self) -> bool:
        """Open the current release if it has changed; return whether it is now served."""
        identifier, has_files = await self._in_thread(self._current_id)
        old = self.served
        if identifier is None or (old and identifier == old.release.id):
            self._clear_pending(has_files)
            return False
        if not self._is_due(identifier, has_files):
            return False
        try:
            new = await self._in_thread(self._read_current)
            await self._open(new)
        except (TwingraphError, OSError, ValueError) as error:
            self._postpone(identifier, str(error), has_files)
            return False
        self.served, self._damage = new, ""
        self._clear_pending(has_files=True)
        if old:
            self._spawn(old.pool.drain())
        self._warm_up(new)
        logger.info("now serving release %s", new.release.id)
        return True

    async def follow(self, seconds: float = 0.5) -> None:
        """Check for a new release every few ``seconds``, until cancelled."""
        if self._refreshing:
            await asyncio.wait((self._refreshing,))
        while True:
            await asyncio.sleep(seconds)
            await self.refresh()

    def _current_id(self) -> tuple[str | None, bool]:
        """Return the id of the current release, and whether its files exist."""
        identifier = self._archive.current_id()
        return identifier, identifier is not None and self._archive.holds(identifier)

    def _clear_pending(self, has_files: bool) -> None:
        """Record that no release is pending; when the files have reappeared, start missing workers at once."""
        self.pending = None
        self._backoff.succeeded()
        if has_files and not self._had_files and self.served:
            self.served.pool.retry_now()
        self._had_files = has_files

    def _is_due(self, identifier: str, has_files: bool) -> bool:
        pending = self.pending
        if pending is None or pending.id != identifier:
            self._backoff.succeeded()
            return True
        return asyncio.get_running_loop().time() >= pending.due or (has_files and not pending.had_files)

    def _postpone(self, identifier: str, reason: str, has_files: bool) -> None:
        """Schedule the next attempt to open a release, and log the reason for the failure unless it is the same."""
        before = self.pending
        due = asyncio.get_running_loop().time() + self._backoff.failed()
        self.pending = PendingRelease(identifier, reason, due, has_files)
        if before is None or (before.id, before.reason) != (identifier, reason):
            instead = f"still serving {self.served.release.id}" if self.served else "serving no release"
            logger.error("release %s is not served: %s; %s, will retry", identifier, reason, instead)

    def _read_current(self) -> ServedRelease:
        release = self._archive.current()
        if self.served and release.id == self.served.release.id:
            raise NoReleaseError(str(release.directory))
        return self._prepare(release)

    async def _open(self, new: ServedRelease) -> None:
        try:
            # Without an old release no query can be answered, so the new one is served from its first worker on.
            await new.pool.start(complete=self.served is not None)
        except BaseException:  # cancellation too: no worker may be left behind
            await new.pool.close()
            raise

    def _prepare(self, release: Release) -> ServedRelease:
        limits, manifest = self._limits, release.manifest
        as_union = manifest.default_graph == DefaultGraph.UNION
        from_disk = reads_store(manifest.quads, limits.memory_quads, as_union=as_union)
        verify(release, store=from_disk, dumps=False)
        queries = (parse_saved_query(path.name, path.read_text(encoding="utf-8")) for path in release.query_files)
        announcement = (
            f"seconds={limits.query_seconds:g}, memory={limits.memory_bytes}, rows={limits.rows or 'any'}, "
            f"bytes={limits.answer_bytes}"
        )
        inspector = Inspector(release, self._threads, self._take_out_of_service) if from_disk else None
        exact = release.exact()
        return ServedRelease(
            release,
            exact.graphs if exact else None,
            {query.name: query for query in queries},
            Pool(
                _open_request(release, limits),
                limits,
                self.stats,
                self._penalties,
                inspector.inspect if inspector else None,
            ),
            limits,
            self._cache,
            SingleFlight(),
            self.lookups,
            announcement.encode(),
        )

    def _take_out_of_service(self, release: Release, damage: DamagedStoreError, reason: str) -> None:
        """Take a damaged release out of service, until its files are restored or there is another release."""
        served = self.served
        if served is None or served.release.id != release.id:
            return
        self.served, self._damage = None, str(damage)
        self._spawn(served.pool.close(damage))
        self._postpone(release.id, reason, has_files=True)

    def _warm_up(self, served: ServedRelease) -> None:
        if self._on_open:
            self._spawn(self._on_open(served))

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _open_request(release: Release, limits: Limits) -> OpenRequest:
    manifest = release.manifest
    return OpenRequest(
        directory=str(release.directory.resolve()),
        quads=manifest.quads,
        base=manifest.base_iri,
        prefixes=manifest.prefixes,
        default_graph=manifest.default_graph,
        memory_quads=limits.memory_quads,
        memory_bytes=limits.memory_bytes,
        descriptions={
            **manifest.descriptions.model_dump(),
            "created": manifest.created,
            "licence": manifest.licence or "",
        },
        language_tags=manifest.language_tags,
    )
