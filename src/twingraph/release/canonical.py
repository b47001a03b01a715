"""Canonical N-Quads: one line for each quad, sorted by code point, the same bytes for the same quads.

The lines follow RDF Dataset Canonicalization (RDFC-1.0), section 5, save that language tags keep their
recommended case; published data has no blank nodes, so their labels need no canonical form.
"""

import gzip
import io
import re
from collections.abc import Iterable

import pyoxigraph as ox

from twingraph.iris import canonical_language

# A language tag that may have to be cased. Within a literal a line's end is escaped, so what stands
# before the end of a line, or before the graph there, is the end of the object itself.
_TAG = re.compile(rb""""@([a-z]*[A-Z-][A-Za-z0-9-]*)(?= (?:(?:<[^<>"\s]*>|_:\S+) )?\.\n)""")
# Level 9 takes three times as long for files that are hardly smaller.
_LEVEL = 6


def canonical_nquads(quads: Iterable[ox.Quad]) -> bytes:
    """Return the quads as canonical N-Quads in UTF-8, each once."""
    output = io.BytesIO()
    ox.serialize(quads, output, format=ox.RdfFormat.N_QUADS)
    lines = set(_TAG.sub(_canonical, output.getvalue()).split(b"\n")) - {b""}
    # The order of bytes in UTF-8 is that of code points; the last line ends as the others do.
    return b"\n".join([*sorted(lines), b""])


def compress(content: bytes) -> bytes:
    """Return the content as gzip with no name and no time in it, so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=_LEVEL, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def _canonical(tag: re.Match[bytes]) -> bytes:
    return b'"@' + canonical_language(tag[1].decode()).encode()
