"""The release that is served, following ``releases/current``.

A new release is opened by workers of its own beside the old one, and takes its place when they are all ready; who is
being answered from the old one is answered to the end. One that cannot be opened is logged, and the old one stays.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from twingraph.errors import NoReleaseError, TwingraphError
from twingraph.release.archive import Archive, Release
from twingraph.saved import SavedQuery, parse_saved_query
from twingraph.server.http.negotiation import Preference
from twingraph.server.query.cache import SizedCache
from twingraph.server.query.protocol import ProtocolRequest
from twingraph.server.query.single_flight import SingleFlight
from twingraph.settings import Limits
from twingraph.workers.ipc import OpenRequest
from twingraph.workers.pool import Pool, PoolStats

logger = logging.getLogger(__name__)


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
    announcement: str

    def ready_queries(self) -> Iterator[ProtocolRequest]:
        """Yield the saved queries that need no values."""
        for saved in self.queries.values():
            if all(parameter.default is not None for parameter in saved.parameters):
                yield ProtocolRequest(saved.bind({}, self.release.manifest.iris), Preference())


class CurrentRelease:
    """Holds what is served now; raises NoReleaseError or ReleaseError when there is nothing whole to begin with.

    ``on_open`` is called, and awaited, with each release when it begins to be served.
    """

    def __init__(
        self, archive: Archive, limits: Limits, on_open: Callable[[ServedRelease], Awaitable[None]] | None = None
    ) -> None:
        self._archive, self._limits, self._on_open = archive, limits, on_open
        self._cache, self.stats = SizedCache(limits.cache_bytes), PoolStats()
        self.lookups: Counter[str] = Counter()
        self.serving = self._prepare(archive.current())
        self._refused: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the workers; raises StoreError when they cannot open the release."""
        await self.serving.pool.start()
        self._warm_up()

    async def stop(self) -> None:
        """End all workers and what else is under way."""
        for task in self._tasks:
            task.cancel()
        await self.serving.pool.close()

    async def refresh(self) -> bool:
        """Open the current release if it is another one now; tell whether it has taken the old one's place."""
        identifier = self._archive.current_id()
        if identifier in (None, self.serving.release.id, self._refused):
            return False
        try:
            new = await asyncio.to_thread(self._read)
            await self._open(new)
        except (TwingraphError, OSError) as error:
            self._refused = identifier
            logger.error("release %s is not served: %s; %s stays", identifier, error, self.serving.release.id)  # noqa: TRY400 - the message says it all
            return False
        old, self.serving = self.serving, new
        self._keep(old.pool.drain())
        self._warm_up()
        logger.info("now serving release %s", identifier)
        return True

    async def follow(self, seconds: float = 0.5) -> None:
        """Look for a new release again and again, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.refresh()

    def _read(self) -> ServedRelease:
        release = self._archive.current()
        if release.id == self.serving.release.id:
            raise NoReleaseError(str(release.directory))
        return self._prepare(release)

    async def _open(self, new: ServedRelease) -> None:
        try:
            await new.pool.start(complete=True)
        except BaseException:
            await new.pool.close()
            raise

    def _prepare(self, release: Release) -> ServedRelease:
        release.verify()
        limits = self._limits
        queries = (parse_saved_query(path.name, path.read_text(encoding="utf-8")) for path in release.query_files)
        announcement = (
            f"seconds={limits.query_seconds:g}, memory={limits.memory_bytes}, rows={limits.rows or 'any'}, "
            f"bytes={limits.answer_bytes}"
        )
        return ServedRelease(
            release,
            {query.name: query for query in queries},
            Pool(_opening(release, limits), limits, self.stats),
            limits,
            self._cache,
            SingleFlight(),
            self.lookups,
            announcement,
        )

    def _warm_up(self) -> None:
        if self._on_open:
            self._keep(self._on_open(self.serving))

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
