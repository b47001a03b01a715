"""A file as a source of bytes: its syntax, its content within the limits, and what is wrong when it cannot be read."""

import gzip
import io
import re
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from twingraph.errors import FileRefusedError
from twingraph.findings import Finding, Location
from twingraph.publication.files import suffix_of
from twingraph.rdf.formats import COMPRESSED_SUFFIX, INPUT_SUFFIXES, JSON_LD, RDF_XML, TURTLE, Format
from twingraph.settings import Files

_SCANNED = tuple(suffix for suffix, format_ in INPUT_SUFFIXES.items() if format_ not in (RDF_XML, JSON_LD))
_BLOCK_BYTES = 1 << 20
# What a file may become by decompression, entities or prefixes before its size counts.
_FREE_BYTES = 64 << 20
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"\s*<(?:[?!]|[A-Za-z_][\w.-]*(?::[\w.-]+)?[\s>])")
_LIMITED = "raise files.{} in twingraph.toml if the file is as it should be; none of it was read"
# What the operating system, gzip and zlib raise for files that cannot be read.
READ_ERRORS = (OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Source:
    """The file ``path``, called ``name`` in findings, to be read within ``limits``."""

    path: Path
    name: str
    limits: Files

    @property
    def is_compressed(self) -> bool:
        """Whether it is compressed with gzip."""
        return suffix_of(self.path).endswith(COMPRESSED_SUFFIX)

    @property
    def format(self) -> Format:
        """The format that its suffix says; ontologies in ``.owl`` can also be in Turtle. Raises OSError."""
        suffix = suffix_of(self.path).removesuffix(COMPRESSED_SUFFIX)
        start = self.beginning().removeprefix(BOM_UTF8).strip() if suffix == ".owl" else b""
        is_turtle = start and not _XML.match(start)
        return TURTLE if is_turtle else INPUT_SUFFIXES[suffix]

    @property
    def is_scannable(self) -> bool:
        """Whether statements can be located in it by line."""
        suffix = suffix_of(self.path).removesuffix(COMPRESSED_SUFFIX)
        return suffix in _SCANNED

    def open(self) -> BinaryIO:
        """Return the content as a stream that raises FileRefusedError beyond the limits."""
        limit, packed = self.limits.max_bytes, self.path.stat().st_size
        if not self.is_compressed:
            if packed > limit:
                raise self._too_large()
            return self.path.open("rb")
        limit = min(limit, _FREE_BYTES + self.limits.max_expansion * packed)
        return cast("BinaryIO", io.BufferedReader(_Bounded(self, limit), _BLOCK_BYTES))

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in blocks of a megabyte."""
        with self.open() as file:
            while block := file.read(_BLOCK_BYTES):
                yield block

    def content(self) -> bytes:
        """Return the whole content."""
        with self.open() as file:
            return file.read()

    def text(self) -> str:
        """Return the whole content as text, as far as it can be read; what is not UTF-8 is replaced."""
        try:
            return self.content().decode("utf-8", errors="replace")
        except (*READ_ERRORS, FileRefusedError):
            return ""

    def beginning(self) -> bytes:
        """Return the first thousand bytes."""
        with self.open() as file:
            return file.read(1000)

    def allowance(self, size: int) -> int:
        """Return how many bytes ``size`` bytes of content may become."""
        return _FREE_BYTES + self.limits.max_expansion * size

    def refused(
        self, reason: str, setting: str, line: int | None = None, column: int | None = None
    ) -> FileRefusedError:
        """Return the error that the file exceeds a limit, which ``setting`` can raise."""
        return FileRefusedError(self.name, "file/limit", reason, _LIMITED.format(setting), line, column)

    def _too_large(self) -> FileRefusedError:
        return self.refused(f"it has more than {self.limits.max_bytes:,} bytes", "max_bytes")


class _Bounded(io.RawIOBase):
    """The decompressed content of a source, up to ``limit`` bytes."""

    def __init__(self, source: Source, limit: int) -> None:
        self._source, self._limit = source, limit
        self._left, self._file = limit, gzip.GzipFile(source.path, "rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            setting = "max_bytes" if self._limit == self._source.limits.max_bytes else "max_expansion"
            raise self._source.refused(f"decompressed it has more than {self._limit:,} bytes", setting)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def finding_about(source: Source, error: BaseException) -> Finding:
    """Return the finding for what was raised while a file was read: by the system, the parser or a limit."""
    if isinstance(error, FileRefusedError):
        place = Location(source.name, error.line, error.column)
        return Finding(error.rule, error.reason, error.remedy, location=place)
    if isinstance(error, READ_ERRORS):
        return unreadable(source.name, error)
    try:
        wrong = _wrong_encoding(source)
    except READ_ERRORS as found:
        return unreadable(source.name, found)
    return wrong or _syntax(source, error)


def unreadable(name: str, error: BaseException) -> Finding:
    """Return the finding that the system or the decompressor could not read a file."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    remedy = "restore the file, or exclude it under [files]; it was ignored"
    return Finding("file/unreadable", f"the file cannot be read: {reason}", remedy, location=Location(name))


def not_utf8(name: str, line: int, column: int, byte: int) -> Finding:
    """Return the finding that there is a byte that is not UTF-8."""
    message = f"the byte 0x{byte:02X} here is not UTF-8; the file may be in Latin-1 or Windows-1252"
    remedy = "save it as UTF-8; this file was ignored"
    return Finding("file/encoding", message, remedy, location=Location(name, line, column))


def _wrong_encoding(source: Source) -> Finding | None:
    start = source.beginning()
    first = Location(source.name, 1, 1)
    if start.startswith(BOM_UTF8):
        remedy = "save it as UTF-8 without a byte order mark; this file was ignored"
        return Finding("syntax", "the file begins with a byte order mark", remedy, location=first)
    if start.startswith((BOM_UTF16_BE, BOM_UTF16_LE)) or b"\0" in start[:4]:
        remedy = "save it as UTF-8; this file was ignored"
        return Finding("file/encoding", "the file is in UTF-16 or UTF-32", remedy, location=first)
    if _HTML.match(start):
        message = f"this is a page of HTML, not RDF ({source.format.w3c_name})"
        remedy = "download the data itself, not the page about it; this file was ignored"
        return Finding("file/encoding", message, remedy, location=first)
    place = invalid_utf8(source.blocks())
    return not_utf8(source.name, *place) if place else None


def invalid_utf8(blocks: Iterator[bytes]) -> tuple[int, int, int] | None:
    """Return line, column and value of the first byte that is not UTF-8, None when there is none."""
    decoder, line, column = getincrementaldecoder("utf-8")(), 1, 1
    for block in (*blocks, b""):
        held = decoder.getstate()[0]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            whole = held + block
            line, column = _after(whole[: error.start].decode(errors="replace"), line, column)
            return line, column, whole[error.start]
        line, column = _after(text, line, column)
    return None


def _after(text: str, line: int, column: int) -> tuple[int, int]:
    lines = text.count("\n")
    return (line + lines, len(text) - text.rfind("\n")) if lines else (line, column + len(text))


def _syntax(source: Source, error: BaseException) -> Finding:
    line, column = (error.lineno, error.offset) if isinstance(error, SyntaxError) else (None, None)
    # The parser's messages begin with the place, which the location has.
    message = str(error.msg).partition(": ")[2] if isinstance(error, SyntaxError) and line else ""
    remedy = "fix the syntax here; the rest of this file was not read"
    return Finding("syntax", message or str(error), remedy, location=Location(source.name, line, column))
