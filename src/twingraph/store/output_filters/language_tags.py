"""Language tags in canonical case, put back into what the engine writes.

The engine lower-cases every tag, and a release says ``zh-Hans``. What it writes is passed through here, and only
where a tag may stand it is put back. That rests on how the engine writes, which a test holds: within literals, quotes
are escaped in every format, as are ``<`` in XML and ends of lines in the formats of lines.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Protocol, cast

from twingraph.rdf.formats import Format

# A tag ends where no further letter, digit or subtag follows; `--` would begin a direction (RDF 1.2).
_END = rb"(?![A-Za-z0-9]|-[A-Za-z0-9])"


class _Restorer(Protocol):
    def feed(self, data: bytes) -> bytes: ...

    def rest(self) -> bytes: ...


@contextmanager
def canonical_tags(output: IO[bytes], format_: Format, tags: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yield what to let the engine write an answer into, that ``output`` may have its tags as in ``tags``.

    Without tags, or in a format that has none, that is ``output`` itself.
    """
    restorer = _restorer(format_, tags)
    if restorer is None:
        yield output
        return
    yield cast(IO[bytes], _Writer(output, restorer))
    output.write(restorer.rest())


class _Writer:
    """A binary file to write into, as far as the engine needs it."""

    def __init__(self, output: IO[bytes], restorer: _Restorer) -> None:
        self._output, self._restorer = output, restorer

    def write(self, data: bytes) -> int:
        """Write data, whole."""
        if ready := self._restorer.feed(data):
            self._output.write(ready)
        return len(data)

    def flush(self) -> None:
        """Flush what is below."""
        self._output.flush()


def _restorer(format_: Format, tags: Sequence[str]) -> _Restorer | None:
    canonical = {tag.lower().encode(): tag.encode() for tag in tags if tag != tag.lower()}
    if not canonical or format_.tag is None:
        return None
    before, after = format_.tag
    return _Framed(before, after, canonical) if after else _Lines(canonical)


class _Framed:
    """Replaces tags between two fixed pieces of text; a piece that may go on in the next chunk is held back."""

    def __init__(self, before: bytes, after: bytes, canonical: dict[bytes, bytes]) -> None:
        self._pieces = {before + tag + after: before + own + after for tag, own in canonical.items()}
        self._longest = max(map(len, self._pieces))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what is ready."""
        data = self._held + data
        for piece, own in self._pieces.items():
            data = data.replace(piece, own)
        cut = max(0, len(data) - self._longest + 1)
        self._held = data[cut:]
        return data[:cut]

    def rest(self) -> bytes:
        """Return what was held back."""
        return self._held


class _Lines:
    """Replaces the tags after strings, one line after the other: no string goes over the end of a line."""

    def __init__(self, canonical: dict[bytes, bytes]) -> None:
        self._canonical = canonical
        tags = b"|".join(re.escape(tag) for tag in canonical)
        self._marks = tuple(b'"@' + tag for tag in canonical)
        self._string = re.compile(rb'("(?:[^"\\]|\\.)*+")(?:@(' + tags + rb")" + _END + rb")?")
        self._held: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        """Return the lines that are complete."""
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._held.append(data)
            return b""
        lines = b"".join((*self._held, data[:cut]))
        self._held = [data[cut:]]
        return self._restore(lines)

    def rest(self) -> bytes:
        """Return the last line, which may have no end."""
        return self._restore(b"".join(self._held))

    def _restore(self, lines: bytes) -> bytes:
        if not any(mark in lines for mark in self._marks):
            return lines
        return self._string.sub(self._own, lines)

    def _own(self, match: re.Match[bytes]) -> bytes:
        return match[1] + b"@" + self._canonical[match[2]] if match[2] else match[0]
