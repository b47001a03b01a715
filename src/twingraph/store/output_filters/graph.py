"""Graphs that are not in a store, written as a store writes its own: ordered prefixes, canonical language tags."""

import io
from collections.abc import Mapping, Sequence
from typing import cast

import pyoxigraph as ox

from twingraph.rdf.formats import Format
from twingraph.store.output_filters.language_tags import canonical_tags
from twingraph.store.output_filters.prefix_order import ordered_prefixes


def write_graph(content: bytes, format_: Format, prefixes: Mapping[str, str], tags: Sequence[str]) -> bytes:
    """Return N-Triples as another format for graphs; ``tags`` are the language tags that are not lower-case."""
    triples = sorted((quad.triple for quad in ox.parse(content, format=ox.RdfFormat.N_TRIPLES)), key=str)
    output = io.BytesIO()
    with canonical_tags(output, format_, tags) as tagged, ordered_prefixes(tagged, format_) as target:
        ox.serialize(triples, target, format=cast(ox.RdfFormat, format_.engine), prefixes=dict(prefixes))
    return output.getvalue()
