"""The release that is served, following ``releases/current``.

A new release is opened by workers of its own beside the old one, and takes its place when they are all ready; who is
being answered from the old one is answered to the end. One that cannot be opened is logged, and the old one stays.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from twingraph.errors import NoReleaseError, TwingraphError
from twingraph.release.archive import Archive, Release
from twingraph.saved import SavedQuery, parse_saved_query
from twingraph.server.cache import Memo, ResponseCache
from twingraph.server.flights import Flights
from twingraph.server.operation import Asked
from twingraph.server.prepared import Prepared
from twingraph.settings import Limits
from twingraph.sparql.query import Query, read_query
from twingraph.workers.pool import Pool, PoolStats
from twingraph.workers.wire import Opening

logger = logging.getLogger(__name__)
# How many requests that came before need not be read again.
_REMEMBERED = 4096


@dataclass(frozen=True)
class ServedRelease:
    """A release, opened: everything that an answer comes from."""

    release: Release
    queries: Mapping[str, SavedQuery]
    pool: Pool
    limits: Limits
    cache: ResponseCache
    flights: Flights
    prepared: Memo[Asked, Prepared]
    announcement: str

    def ready_queries(self) -> Iterator[Query]:
        """Yield the saved queries that need no values."""
        manifest = self.release.manifest
        for saved in self.queries.values():
            if all(parameter.default is not None for parameter in saved.parameters):
                yield read_query(saved.bind({}, manifest.iris), manifest.prefixes, manifest.base_iri)


class CurrentRelease:
    """Holds what is served now; raises NoReleaseError or ReleaseError when there is nothing whole to begin with.

    ``on_open`` is called, and awaited, with each release when it begins to be served.
    """

    def __init__(
        self, archive: Archive, limits: Limits, on_open: Callable[[ServedRelease], Awaitable[None]] | None = None
    ) -> None:
        self._archive, self._limits, self._on_open = archive, limits, on_open
        self._cache, self.stats = ResponseCache(limits.cache_bytes), PoolStats()
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
            Flights(),
            Memo(_REMEMBERED),
            announcement,
        )

    def _warm_up(self) -> None:
        if self._on_open:
            self._keep(self._on_open(self.serving))

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _opening(release: Release, limits: Limits) -> Opening:
    manifest = release.manifest
    return Opening(
        directory=str(release.directory.resolve()),
        quads=manifest.quads,
        base=manifest.base_iri,
        prefixes=manifest.prefixes,
        default_graph=manifest.default_graph,
        memory_quads=limits.memory_quads,
        memory_bytes=limits.memory_bytes,
        language_tags=manifest.language_tags,
    )
