"""What is put right in the bytes that the engine writes, one module for each of its habits."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, cast

import pyoxigraph as ox

from twingraph.rdf.formats import Format
from twingraph.store.output_filters.language_tags import canonical_tags
from twingraph.store.output_filters.prefix_order import ordered_prefixes
from twingraph.store.output_filters.xml_text import readable_xml

__all__ = ["finished_output", "write_graph"]


@contextmanager
def finished_output(output: IO[bytes], format_: Format, tags: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yield a file for the engine to write into: prefixes are sorted, language tags get their case, XML can be read.

    ``tags`` are the language tags that are not lower-case. Writing raises QueryError for what XML cannot carry.
    """
    with (
        readable_xml(output, format_) as readable,
        canonical_tags(readable, format_, tags) as tagged,
        ordered_prefixes(tagged, format_) as target,
    ):
        yield target


def write_graph(content: bytes, format_: Format, prefixes: Mapping[str, str], tags: Sequence[str]) -> bytes:
    """Return N-Triples in another format for graphs, finished as an answer of the engine is."""
    triples = sorted((quad.triple for quad in ox.parse(content, format=ox.RdfFormat.N_TRIPLES)), key=str)
    output = io.BytesIO()
    with finished_output(output, format_, tags) as target:
        ox.serialize(triples, target, format=cast(ox.RdfFormat, format_.engine), prefixes=dict(prefixes))
    return output.getvalue()
