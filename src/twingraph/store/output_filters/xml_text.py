"""Text in XML as its readers read it, and what XML cannot carry, noticed in what the engine writes.

The engine writes a carriage return as it is, and every reader of XML makes a line feed of it (XML 1.0, section 2.11); a
character reference keeps it. What XML cannot carry the engine writes all the same, and nobody can read that. XML 1.0
has no control characters, however they are written (section 2.2). RDF/XML writes a property as the name of an element,
so its IRI must end in one (RDF 1.1 XML Syntax, section 2.2); a namespace with no name after it is none.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from twingraph.errors import QueryError
from twingraph.rdf.formats import Format, FormatKind

_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r"))
_NO_CHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
# In texts and in values `<` is escaped, so this is an element's name.
_NO_NAME = re.compile(rb"<[^\s<>:\"/]{1,80}+:[\s/>]")
_LONGEST = 90


@contextmanager
def readable_xml(output: IO[bytes], format_: Format) -> Iterator[IO[bytes]]:
    """Yield what to let the engine write an answer into; writing raises QueryError for what XML cannot carry."""
    if format_.is_xml:
        yield cast(IO[bytes], _Writer(output, format_))
    else:
        yield output


class _Writer:
    """A binary file to write into, as far as the engine needs it."""

    def __init__(self, output: IO[bytes], format_: Format) -> None:
        self._output, self._format, self._last = output, format_, b""

    def write(self, data: bytes) -> int:
        """Write data, whole."""
        seen = self._last + data
        if len(seen.translate(None, _CONTROLS)) < len(seen) or _NO_CHARACTER.search(seen):
            raise QueryError(
                f"the answer cannot be given as {self._format.name}: XML has no sign for a character in it"
            )
        if self._format.kind == FormatKind.GRAPH and _NO_NAME.search(seen):
            raise QueryError(
                f"the answer cannot be given as {self._format.name}: the IRI of a property does not end in a name"
            )
        # What is looked for may be divided over two pieces.
        self._last = seen[-_LONGEST:]
        self._output.write(data.replace(b"\r", b"&#xD;"))
        return len(data)

    def flush(self) -> None:
        """Flush what is below."""
        self._output.flush()

    def _refusal(self, reason: str) -> QueryError:
        return QueryError(f"the answer cannot be given as {self._format.name}: {reason}")
