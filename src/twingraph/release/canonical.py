"""Canonical N-Quads: one line for each quad, sorted by code point, the same bytes for the same quads.

The lines follow RDF Dataset Canonicalization (RDFC-1.0), section 5, save that language tags keep their
recommended case; published data has no blank nodes, so their labels need no canonical form.
"""

import gzip
import io
from collections.abc import Iterable

import pyoxigraph as ox

from twingraph.terms import nquad


def canonical_nquads(quads: Iterable[ox.Quad]) -> bytes:
    """Return the quads as canonical N-Quads in UTF-8, each once."""
    return "".join(f"{line}\n" for line in sorted({nquad(quad) for quad in quads})).encode()


def compress(content: bytes) -> bytes:
    """Return the content as gzip with no name and no time in it, so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()
