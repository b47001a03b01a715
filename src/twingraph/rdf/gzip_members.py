"""Whole lines in gzip members, so that a part of a file can be read without the rest (RFC 1952, section 2.2).

The members of a file, and any run of them, are a gzip file. A line is never divided between two members.
"""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

# So much of a file is decompressed to read one line. In smaller members the files are larger: 3 % at half of this.
MEMBER_BYTES = 1 << 17
# Level 9 takes three times as long for files that are hardly smaller.
_COMPRESSION_LEVEL = 6
# zlib's code for the gzip format, with a header that has neither name nor time.
_GZIP = 16 + zlib.MAX_WBITS
_READ_BYTES = 1 << 16


class Member(NamedTuple):
    """A gzip member: its bytes, and the number of lines, the number of bytes and the first line of its content."""

    packed: bytes
    lines: int
    size: int
    first: bytes


class Extent(NamedTuple):
    """The bytes from ``start`` to ``end`` of a file."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """Their number."""
        return self.end - self.start


def members(blocks: Iterable[bytes], size: int = MEMBER_BYTES) -> Iterator[Member]:
    """Compress blocks of whole lines into members of ``size`` bytes each, and what is left of the last line.

    The members depend on the lines only, not on how they are divided into blocks. No lines give one empty member.
    """
    left, is_empty = b"", True
    for block in blocks:
        lines, begin = left + block, 0
        while len(lines) - begin >= size:
            end = lines.index(b"\n", begin + size - 1) + 1
            yield _member(lines[begin:end])
            begin, is_empty = end, False
        left = lines[begin:]
    if left or is_empty:
        yield _member(left)


def read_members(path: Path, extent: Extent) -> Iterator[bytes]:
    """Yield the content of each member in a part of a file.

    Raises OSError when the file cannot be read, EOFError when it is too short, and zlib.error when it is damaged.
    """
    with path.open("rb") as file:
        yield from unpacked(file, extent)


def unpacked(file: IO[bytes], extent: Extent) -> Iterator[bytes]:
    """Yield the content of each member in a part of an open file, as `read_members` does."""
    file.seek(extent.start)
    left, rest, is_within = extent.size, b"", False
    member, content = zlib.decompressobj(_GZIP), bytearray()
    while left or rest:
        packed = rest or file.read(min(_READ_BYTES, left))
        if not packed:
            raise EOFError(f"the file ends {left} bytes before the part that was to be read")
        left -= 0 if rest else len(packed)
        content += member.decompress(packed)
        rest, is_within = member.unused_data, not member.eof
        if member.eof:
            yield bytes(content)
            member, content = zlib.decompressobj(_GZIP), bytearray()
    if is_within:
        raise EOFError("the part that was to be read ends within a member")


def _member(content: bytes) -> Member:
    packing = zlib.compressobj(_COMPRESSION_LEVEL, zlib.DEFLATED, _GZIP)
    packed = packing.compress(content) + packing.flush()
    return Member(packed, content.count(b"\n"), len(content), content[: content.find(b"\n") + 1])
