"""What a sitemap lists: the publication's own things, in files of so many as a sitemap may have.

A line has an IRI and, after a tab, the day of its last change if the data say one; IRIs that differ in their fragment
are one, which ends with ``#``. Where its page is, is the server's affair.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from twingraph.rdf.iris import GENID, resolve
from twingraph.rdf.nquads import NQuads, Row, rows_of
from twingraph.release.dumps import Order

FOLDER = "sitemap"
# The protocol's own limit (https://www.sitemaps.org/protocol.html).
URLS = 50_000
_MODIFIED = b"<http://purl.org/dc/terms/modified>"
_DAY = re.compile(rb'"(\d{4}-\d\d-\d\d)')
# An IRI that a URL in a sitemap may have (the protocol allows 2,048 characters).
_MAX_BYTES = 1500


def write_sitemap(order: Order) -> dict[str, str]:
    """Write the files and return their names in the release with their digests; raises OSError."""
    digests: dict[str, str] = {}
    lines = _lines(NQuads.in_file(order.lines), order.base)
    folder = order.directory.parent / FOLDER
    folder.mkdir()
    for number in range(1, 1 << 30):
        content = b"".join(islice(lines, URLS))
        if not content and number > 1:
            return digests
        packed = gzip.compress(content, mtime=0)
        name = f"{number}.txt.gz"
        (folder / name).write_bytes(packed)
        digests[f"{FOLDER}/{name}"] = hashlib.sha256(packed).hexdigest()
    return digests


def _lines(quads: NQuads, base: str) -> Iterator[bytes]:
    """Yield the line of each own subject once; fragments of one IRI stand together, since the quads are sorted."""
    start, blank = b"<" + base.encode(), f"<{resolve(base, GENID)}".encode()
    document = f"<{base.removesuffix('#')}>".encode()
    last, end, day = b"", b"", b""
    for subject, modified in _subjects(quads):
        page, hash_, _ = subject[1:-1].partition(b"#")
        is_own = subject.startswith(start) or subject == document
        if not is_own or subject.startswith(blank) or len(page) > _MAX_BYTES:
            continue
        if page != last:
            if last:
                yield _line(last + end, day)
            last, end, day = page, b"", b""
        end, day = end or hash_, max(day, modified)
    if last:
        yield _line(last + end, day)


def _line(page: bytes, day: bytes) -> bytes:
    return b"%b\t%b\n" % (page, day) if day else page + b"\n"


def _subjects(quads: NQuads) -> Iterator[tuple[bytes, bytes]]:
    """Yield subjects, perhaps repeatedly, with the day of their last change."""
    for block in quads.blocks():
        rows = rows_of(block)
        days = dict(_days(rows))
        for subject in dict.fromkeys(row[0] for row in rows):
            yield subject, days.get(subject, b"")


def _days(rows: Iterable[Row]) -> Iterator[tuple[bytes, bytes]]:
    found: dict[bytes, bytes] = {}
    for subject, predicate, value, _ in rows:
        if predicate == _MODIFIED and (match := _DAY.match(value)):
            found[subject] = max(found.get(subject, b""), match[1])
    yield from found.items()
