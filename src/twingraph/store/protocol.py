"""The protocol of a store: small, and nothing of any engine's own in it."""

from pathlib import Path
from typing import IO, Protocol

from twingraph.rdf.formats import Format
from twingraph.sparql.query import Query


class Engine(Protocol):
    """Answers queries."""

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the answer to a query, in a format that suits its form.

        Raises QueryError when the query is malformed or refused, StoreError or EndpointError when the engine fails;
        something may then have been written already.
        """


class Store(Engine, Protocol):
    """Holds one release and answers queries about it; safe to be asked from several threads at once."""

    def load(self, release: Path, quads: int) -> None:
        """Take the release in a directory, which has so many quads, in place of what was held.

        Raises StoreError when it cannot be loaded; then what was held is still there.
        """

    def describe(self, iri: str, format_: Format, output: IO[bytes]) -> None:
        """Write the statements of which a thing is the subject, in a format for graphs."""

    def graphs(self) -> tuple[str, ...]:
        """Return the IRIs of the named graphs, sorted."""

    def health(self) -> int:
        """Return the number of quads held, after asking the engine; raises StoreError when it does not answer."""
