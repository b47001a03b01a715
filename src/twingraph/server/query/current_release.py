"""The release that is served, following ``releases/current``.

A new release is opened by workers of its own beside the old one, and takes its place when they are all ready; who is
being answered from the old one is answered to the end. One that cannot be opened is logged and tried again, later each
time, and the old one stays. A release that turns out to be damaged on the disk is taken out of service: it is then one
that cannot be opened. No older release takes its place, for nobody would know that the answers have become older.
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
from twingraph.workers.backoff import Backoff, Penalties
from twingraph.workers.ipc import OpenRequest
from twingraph.workers.pool import Pool, PoolStats

logger = logging.getLogger(__name__)
# So long (seconds) a server that is started again has those wait who connect, before it tells them to come again.
_PATIENCE = 10.0
_RETRY_AFTER = 5
_T = TypeVar("_T")


@dataclass(frozen=True)
class ServedRelease:
    """A release, opened: everything that an answer comes from."""

    release: Release
    queries: Mapping[str, SavedQuery]
    pool: Pool
    limits: Limits
    cache: SizedCache
    flights: SingleFlight
    lookups: Counter[str]
    announcement: bytes

    def ready_queries(self) -> Iterator[ProtocolRequest]:
        """Yield the saved queries that need no values."""
        for saved in self.queries.values():
            if all(parameter.default is not None for parameter in saved.parameters):
                yield ProtocolRequest(saved.bind({}, self.release.manifest.iris), Preference())


@dataclass(frozen=True, slots=True)
class PendingRelease:
    """A release that is the current one and cannot be opened; ``reason`` may name paths of this machine.

    It is tried again at ``due``, in seconds of the event loop's clock; ``was_there`` tells whether there were files.
    """

    id: str
    reason: str
    due: float
    was_there: bool


class CurrentRelease:
    """Holds what is served now.

    Without ``patient`` it raises NoReleaseError or ReleaseError, and `start` StoreError, when there is nothing whole to
    begin with; with it, that is tried again until it works. ``on_open`` is called, and awaited, with each release when
    it begins to be served. ``served`` is None while there is none; ``pending`` is the current release while it cannot
    be opened.
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
        # Not those of everybody else: a disk that does not answer is to hold up nothing but this.
        self._threads = ThreadPoolExecutor(2, "release")
        self._backoff = Backoff()
        self._tasks: set[asyncio.Future[None]] = set()
        self._refreshing: asyncio.Future[bool] | None = None
        self.served: ServedRelease | None = None
        self._damage: DamagedStoreError | None = None
        self._is_started, self._was_there = False, True
        self.pending: PendingRelease | None = None
        if not patient:
            self.served = self._prepare(archive.current())

    def required(self) -> ServedRelease:
        """Return the release that is served; raises NotReadyError, or DamagedStoreError when it was taken out."""
        if self.served:
            return self.served
        raise self._damage or NotReadyError("the current release cannot be opened at the moment", _RETRY_AFTER)

    async def start(self) -> None:
        """Start the workers, once; raises StoreError when they cannot open the release, unless it is ``patient``."""
        if self._is_started:
            return
        self._is_started = True
        if self.served:
            try:
                await self.served.pool.start()
            except BaseException:
                await self.stop()
                raise
            self._warm_up(self.served)
            return
        self._refreshing = asyncio.ensure_future(self.refresh())
        await asyncio.wait((self._refreshing,), timeout=_PATIENCE)

    async def stop(self) -> None:
        """End all workers and what else is under way."""
        if self._refreshing:
            self._refreshing.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *filter(None, (self._refreshing,)), return_exceptions=True)
        if self.served:
            await self.served.pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def refresh(self) -> bool:
        """Open the current release if it is another one now; tell whether it has taken the old one's place."""
        identifier, is_there = await self._in_thread(self._look)
        old = self.served
        if identifier is None or (old and identifier == old.release.id):
            self._settle(is_there)
            return False
        if not self._is_due(identifier, is_there):
            return False
        try:
            new = await self._in_thread(self._read)
            await self._open(new)
        except (TwingraphError, OSError, ValueError) as error:
            self._postpone(identifier, str(error), is_there)
            return False
        self.served, self._damage = new, None
        self._settle(is_there=True)
        if old:
            self._keep(old.pool.drain())
        self._warm_up(new)
        logger.info("now serving release %s", new.release.id)
        return True

    async def follow(self, seconds: float = 0.5) -> None:
        """Look for a new release again and again, until cancelled."""
        if self._refreshing:
            await asyncio.wait((self._refreshing,))
        while True:
            await asyncio.sleep(seconds)
            await self.refresh()

    def _look(self) -> tuple[str | None, bool]:
        """Return which release is the current one, and whether there are files of it."""
        identifier = self._archive.current_id()
        return identifier, identifier is not None and self._archive.holds(identifier)

    def _settle(self, is_there: bool) -> None:
        """Take it that nothing is pending; workers that could not start try it at once when the files are back."""
        self.pending = None
        self._backoff.succeeded()
        if is_there and not self._was_there and self.served:
            self.served.pool.retry_now()
        self._was_there = is_there

    def _is_due(self, identifier: str, is_there: bool) -> bool:
        pending = self.pending
        if pending is None or pending.id != identifier:
            self._backoff.succeeded()
            return True
        return asyncio.get_running_loop().time() >= pending.due or (is_there and not pending.was_there)

    def _postpone(self, identifier: str, reason: str, is_there: bool) -> None:
        """Try a release again later; log why it was not opened, once for each reason."""
        before = self.pending
        due = asyncio.get_running_loop().time() + self._backoff.failed()
        self.pending = PendingRelease(identifier, reason, due, is_there)
        if before is None or (before.id, before.reason) != (identifier, reason):
            stays = f"{self.served.release.id} stays" if self.served else "no other one is served"
            logger.error("release %s is not served: %s; %s, and it is tried again", identifier, reason, stays)

    def _read(self) -> ServedRelease:
        release = self._archive.current()
        if self.served and release.id == self.served.release.id:
            raise NoReleaseError(str(release.directory))
        return self._prepare(release)

    async def _open(self, new: ServedRelease) -> None:
        try:
            # Nobody is answered meanwhile when there is no other release, so the first worker is enough.
            await new.pool.start(complete=self.served is not None)
        except BaseException:
            await new.pool.close()
            raise

    def _prepare(self, release: Release) -> ServedRelease:
        limits, manifest = self._limits, release.manifest
        as_union = manifest.default_graph == DefaultGraph.UNION
        from_disk = reads_store(manifest.quads, limits.memory_quads, as_union=as_union)
        verify(release, store=from_disk)
        queries = (parse_saved_query(path.name, path.read_text(encoding="utf-8")) for path in release.query_files)
        announcement = (
            f"seconds={limits.query_seconds:g}, memory={limits.memory_bytes}, rows={limits.rows or 'any'}, "
            f"bytes={limits.answer_bytes}"
        )
        inspector = Inspector(release, self._threads, self._take_out) if from_disk else None
        return ServedRelease(
            release,
            {query.name: query for query in queries},
            Pool(
                _opening(release, limits), limits, self.stats, self._penalties, inspector.inspect if inspector else None
            ),
            limits,
            self._cache,
            SingleFlight(),
            self.lookups,
            announcement.encode(),
        )

    def _take_out(self, release: Release, damage: DamagedStoreError, reason: str) -> None:
        """Take a damaged release out of service, until its files are whole again or there is another one."""
        served = self.served
        if served is None or served.release.id != release.id:
            return
        self.served, self._damage = None, damage
        self._keep(served.pool.close(damage))
        self._postpone(release.id, reason, is_there=True)

    def _warm_up(self, served: ServedRelease) -> None:
        if self._on_open:
            self._keep(self._on_open(served))

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _opening(release: Release, limits: Limits) -> OpenRequest:
    manifest = release.manifest
    return OpenRequest(
        directory=str(release.directory.resolve()),
        quads=manifest.quads,
        base=manifest.base_iri,
        prefixes=manifest.prefixes,
        default_graph=manifest.default_graph,
        memory_quads=limits.memory_quads,
        memory_bytes=limits.memory_bytes,
        language_tags=manifest.language_tags,
    )
