"""The statements of a publication with IRIs in place of blank nodes, where its policy is to skolemise them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from twingraph.publication.files import ParsedFile, Reading
from twingraph.rdf.iris import GENID
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.skolem import skolemised


def without_blank_nodes(reading: Reading, writer: NQuadsWriter, prefix: str) -> Reading:
    """Return what was read with IRIs that begin with ``prefix`` in place of blank nodes, written by ``writer``."""
    lines = skolemised([file.quads for file in reading.files], prefix)
    pairs = zip(reading.files, lines, strict=True)
    files = tuple(replace(file, quads=writer.add_blocks(blocks)) for file, blocks in pairs)
    locations = replace(reading.locations, homes=_Homes(files, reading.locations.homes))
    return replace(reading, files=files, lines=writer.lines, locations=locations)


def derived_without_blank_nodes(derived: NQuads, writer: NQuadsWriter, prefix: str) -> NQuads:
    """Return derived statements with IRIs that begin with ``prefix`` in place of blank nodes."""
    [blocks] = skolemised([derived], prefix)
    return writer.add_blocks(blocks)


@dataclass(frozen=True)
class _Homes:
    """The files that may have statements about a subject; those about IRIs in place of blank nodes are searched."""

    files: tuple[ParsedFile, ...]
    others: Callable[[str], tuple[str, ...]] | None

    def __call__(self, subject: str) -> tuple[str, ...]:
        if GENID not in subject:
            return self.others(subject) if self.others else ()
        start = f"<{subject}> ".encode()
        return tuple(file.path for file in self.files if any(start in block for block in file.quads.blocks()))
