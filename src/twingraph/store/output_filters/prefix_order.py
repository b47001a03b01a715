"""The prefixes at the head of a graph in one order: the engine writes them in another one in each process.

Equal questions then have equal answers, byte for byte, whoever answers them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, cast

from twingraph.rdf.formats import Format, Prefixes

_PREFIXES = re.compile(rb"(?:@prefix [^\n]*+\n)*+(?=[^@\n]|\n)")
_ROOT = re.compile(rb"(.*?<rdf:RDF)((?: xmlns:[^=]*+=\"[^\"]*+\")*+)(?=>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb" xmlns:[^=]*+=\"[^\"]*+\"")
# A head that goes on for longer than this is none of ours.
_LONGEST = 1 << 17


@contextmanager
def ordered_prefixes(output: IO[bytes], format_: Format) -> Iterator[IO[bytes]]:
    """Yield what to let the engine write a graph into, that its prefixes may stand in order in ``output``."""
    if format_.prefixes not in _HEADS:
        yield output
        return
    writer = _Writer(output, *_HEADS[format_.prefixes])
    yield cast(IO[bytes], writer)
    writer.finish()


class _Writer:
    """A binary file to write into, as far as the engine needs it: it holds back the head until that is complete."""

    def __init__(self, output: IO[bytes], head: re.Pattern[bytes], order: Callable[[re.Match[bytes]], bytes]) -> None:
        self._output, self._head, self._order = output, head, order
        self._held: bytes | None = b""

    def write(self, data: bytes) -> int:
        """Write data, whole."""
        if self._held is None:
            self._output.write(data)
            return len(data)
        self._held += data
        if match := self._head.match(self._held):
            self._output.write(self._order(match) + self._held[match.end() :])
            self._held = None
        elif len(self._held) > _LONGEST:
            self.finish()
        return len(data)

    def flush(self) -> None:
        """Flush what is below."""
        self._output.flush()

    def finish(self) -> None:
        """Write what was held back, as it is."""
        if self._held:
            self._output.write(self._held)
        self._held = None


def _lines(match: re.Match[bytes]) -> bytes:
    return b"".join(sorted(match[0].splitlines(keepends=True)))


def _attributes(match: re.Match[bytes]) -> bytes:
    return match[1] + b"".join(sorted(_ATTRIBUTE.findall(match[2])))


_HEADS: Mapping[Prefixes | None, tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]]] = {
    Prefixes.DIRECTIVES: (_PREFIXES, _lines),
    Prefixes.ATTRIBUTES: (_ROOT, _attributes),
}
