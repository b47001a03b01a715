"""The release that is served, following ``releases/current``.

A new release is opened beside the old one and then takes its place; who is being answered from the old one keeps it
to the end. One that cannot be opened is logged, and the old one stays.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from twingraph.errors import TwingraphError
from twingraph.release.archive import Archive, Release
from twingraph.saved import SavedQuery, parse_saved_query
from twingraph.store.embedded import EmbeddedStore
from twingraph.store.protocol import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """A release, opened: everything that an answer comes from."""

    release: Release
    store: Store
    queries: Mapping[str, SavedQuery]


def open_release(release: Release) -> Serving:
    """Open a release; raises ReleaseError, StoreError or QueryError when it is damaged."""
    release.verify()
    manifest = release.manifest
    store = EmbeddedStore(manifest.base_iri, manifest.prefixes, manifest.default_graph)
    store.load(release.directory, manifest.quads)
    found = (parse_saved_query(path.name, path.read_text(encoding="utf-8")) for path in release.query_files)
    return Serving(release, store, {query.name: query for query in found})


class CurrentRelease:
    """Holds what is served now; raises NoReleaseError when there is nothing to begin with."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.serving = open_release(archive.current())
        self._refused: str | None = None

    def refresh(self) -> bool:
        """Open the current release if it is another one now; tell whether it has taken the old one's place."""
        identifier = self._archive.current_id()
        if identifier in (None, self.serving.release.id, self._refused):
            return False
        try:
            self.serving = open_release(self._archive.current())
        except (TwingraphError, OSError) as error:
            self._refused = identifier
            logger.error("release %s is not served: %s; %s stays", identifier, error, self.serving.release.id)  # noqa: TRY400 - the message says it all
            return False
        logger.info("now serving release %s", identifier)
        return True

    async def follow(self, seconds: float = 0.5) -> None:
        """Look for a new release again and again, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.refresh)
