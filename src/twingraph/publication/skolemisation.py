"""The statements of a publication with IRIs in place of blank nodes, where its policy is to skolemise them."""

from dataclasses import replace

from twingraph.publication.reading import Reading, with_quads
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.skolem import skolemised


def without_blank_nodes(reading: Reading, writer: NQuadsWriter, prefix: str) -> Reading:
    """Return what was read with IRIs that begin with ``prefix`` in place of blank nodes, written by ``writer``."""
    lines = skolemised([file.quads for file in reading.files], prefix)
    pairs = zip(reading.files, lines, strict=True)
    files = tuple(replace(file, quads=writer.add_blocks(blocks)) for file, blocks in pairs)
    return with_quads(reading, files, writer.lines)


def derived_without_blank_nodes(derived: NQuads, writer: NQuadsWriter, prefix: str) -> NQuads:
    """Return derived statements with IRIs that begin with ``prefix`` in place of blank nodes."""
    [blocks] = skolemised([derived], prefix)
    return writer.add_blocks(blocks)
