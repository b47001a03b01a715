"""Corrections of the engine's output, made in the stream of bytes: XML text, language tags and the order of prefixes.

- The engine lower-cases every language tag, and a release has ``zh-Hans``. Tags are only replaced where one can occur,
  which relies on how the engine escapes literals: it escapes quotes in every format, ``<`` in XML, and ends of lines in
  the line-based formats. A test holds that.
- It writes the prefixes of a graph in another order in each process; here they are sorted, so that equal queries have
  equal responses, byte for byte, from every process.
- It writes a carriage return in XML as it is, and XML parsers make a line feed of that (XML 1.0, section 2.11); a
  character reference preserves it. It also writes what XML cannot represent: control characters (section 2.2), and
  properties whose IRI does not end in an XML name (RDF 1.1 XML Syntax, section 2.2).
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Protocol, cast

import pyoxigraph as ox

from twingraph.errors import QueryError
from twingraph.rdf.formats import Format, Prefixes

# A language tag is complete if no letter, digit or subtag follows; `--` would begin a base direction (RDF 1.2).
_TAG_END = rb"(?![A-Za-z0-9]|-[A-Za-z0-9])"
_DIRECTIVES = re.compile(rb"(?:@prefix [^\n]*+\n)*+(?=[^@\n]|\n)")
_ROOT = re.compile(rb"(.*?<rdf:RDF)((?: xmlns:[^=]*+=\"[^\"]*+\")*+)(?=>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb" xmlns:[^=]*+=\"[^\"]*+\"")
# The engine declares no prefixes that take more bytes than this.
_MAX_HEAD = 1 << 17
_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r"))
_NONCHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
# `<` is escaped in text and attributes, so this is an element's name that ends with its namespace.
_NAMELESS = re.compile(rb"<[^\s<>:\"/]{1,80}+:[\s/>]")
_MAX_MATCH = 90
# The engine makes the first type of a node the name of its element (RDF 1.1 XML Syntax, section 2.13), also where the
# type's IRI does not end in an XML name. Elements of nodes are indented by one tab, those of properties by two.
_NODE = re.compile(
    rb'\n\t<(?P<prefix>[^\s<>:"/]++):(?: xmlns:\1="(?P<type>[^"]*+)")? (?P<subject>rdf:\w++="[^"]*+")>'
    rb'|\n\t</[^\s<>:"/]++:>'
)
_ROOT = re.compile(rb"<rdf:RDF [^>]*+>")  # the engine declares rdf: always
_DECLARATION = re.compile(rb'\sxmlns:([^=\s]++)="([^"]*+)"')


@contextmanager
def finished_output(output: IO[bytes], format_: Format, tags: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yield a file for the engine to write into, from which corrected output goes to ``output``.

    ``tags`` are the language tags in the release that are not lower-case. Writing raises QueryError for what XML cannot
    represent.
    """
    with (
        readable_xml(output, format_) as readable,
        canonical_tags(readable, format_, tags) as tagged,
        ordered_prefixes(tagged, format_) as target,
    ):
        yield target


def write_graph(content: bytes, format_: Format, prefixes: Mapping[str, str], tags: Sequence[str]) -> bytes:
    """Return N-Triples in another format for graphs, with the same corrections."""
    triples = sorted((quad.triple for quad in ox.parse(content, format=ox.RdfFormat.N_TRIPLES)), key=str)
    output = io.BytesIO()
    with finished_output(output, format_, tags) as target:
        ox.serialize(triples, target, format=cast(ox.RdfFormat, format_.engine), prefixes=dict(prefixes))
    return output.getvalue()


@contextmanager
def readable_xml(output: IO[bytes], format_: Format) -> Iterator[IO[bytes]]:
    """Yield a file from which XML goes to ``output`` with carriage returns escaped.

    Writing raises QueryError for what XML cannot represent.
    """
    if not format_.is_xml:
        yield output
        return
    checked = _through(_XmlText(format_), output)
    if not isinstance(format_.engine, ox.RdfFormat):
        yield checked
        return
    filter_ = _NodeElements()
    yield _through(filter_, checked)
    checked.write(filter_.rest())


@contextmanager
def canonical_tags(output: IO[bytes], format_: Format, tags: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yield a file from which language tags go to ``output`` in the case that they have in ``tags``."""
    canonical = {tag.lower().encode(): tag.encode() for tag in tags if tag != tag.lower()}
    if not canonical or format_.tag is None:
        yield output
        return
    before, after = format_.tag
    delimited = {before + tag + after: before + own + after for tag, own in canonical.items()}
    filter_ = _Replacements(delimited) if after else _TagsOfLines(canonical)
    yield _through(filter_, output)
    output.write(filter_.rest())


@contextmanager
def replaced(output: IO[bytes], old: bytes, new: bytes) -> Iterator[IO[bytes]]:
    """Yield a file from which everything goes to ``output`` with ``new`` in place of ``old``."""
    filter_ = _Replacements({old: new})
    yield _through(filter_, output)
    output.write(filter_.rest())


@contextmanager
def ordered_prefixes(output: IO[bytes], format_: Format) -> Iterator[IO[bytes]]:
    """Yield a file from which a graph goes to ``output`` with its prefixes sorted."""
    if format_.prefixes not in _HEADS:
        yield output
        return
    filter_ = _Head(*_HEADS[format_.prefixes])
    yield _through(filter_, output)
    output.write(filter_.rest())


class _Filter(Protocol):
    """Corrects a stream chunk by chunk; what depends on the next chunk is held back."""

    def feed(self, data: bytes) -> bytes:
        """Return what can be written after this chunk."""

    def rest(self) -> bytes:
        """Return what has been held back when the stream ends."""


def _through(filter_: _Filter, output: IO[bytes]) -> IO[bytes]:
    return cast(IO[bytes], _FilteringWriter(filter_, output))


class _FilteringWriter:
    """The methods of a binary file that the engine calls."""

    def __init__(self, filter_: _Filter, output: IO[bytes]) -> None:
        self._filter, self._output = filter_, output

    def write(self, data: bytes) -> int:
        """Filter all of the data, and write what is ready."""
        if ready := self._filter.feed(data):
            self._output.write(ready)
        return len(data)

    def flush(self) -> None:
        """Flush the output below."""
        self._output.flush()


class _NodeElements:
    """Gives nodes whose type cannot be the name of an element the name rdf:Description, and the type as a property."""

    def __init__(self) -> None:
        self._held, self._namespaces = b"", dict[bytes, bytes]()

    def feed(self, data: bytes) -> bytes:
        """Return the data up to the last tag that is not complete; ``<`` and ``>`` are escaped elsewhere."""
        data = self._held + data
        if not self._namespaces:
            root = _ROOT.search(data)
            if not root:
                self._held = data
                return b""
            self._namespaces = dict(_DECLARATION.findall(root[0]))
        cut = data.rfind(b"\n\t<")
        if cut < 0 or b">" in data[cut:]:
            cut = len(data.rstrip(b"\n\t"))
        self._held, data = data[cut:], data[:cut]
        return _NODE.sub(self._description, data)

    def rest(self) -> bytes:
        """Return what has been held back when the stream ends."""
        return self._held

    def _description(self, tag: re.Match[bytes]) -> bytes:
        subject = tag["subject"]
        if subject is None:
            return b"\n\t</rdf:Description>"
        type_ = tag["type"] or self._namespaces[tag["prefix"]]
        return b'\n\t<rdf:Description %b>\n\t\t<rdf:type rdf:resource="%b"/>' % (subject, type_)


class _XmlText:
    """Escapes carriage returns; raises QueryError for what XML cannot represent."""

    def __init__(self, format_: Format) -> None:
        self._name, self._is_graph, self._last = format_.name, isinstance(format_.engine, ox.RdfFormat), b""

    def feed(self, data: bytes) -> bytes:
        """Return the data, escaped."""
        seen = self._last + data
        if len(seen.translate(None, _CONTROLS)) < len(seen) or _NONCHARACTER.search(seen):
            raise QueryError(
                f"the result cannot be written as {self._name}: it has a character that XML does not allow"
            )
        if self._is_graph and _NAMELESS.search(seen):
            reason = "the IRI of a property does not end in an XML name"
            raise QueryError(f"the result cannot be written as {self._name}: {reason}")
        # A match may be divided between two chunks.
        self._last = seen[-_MAX_MATCH:]
        return data.replace(b"\r", b"&#xD;")

    def rest(self) -> bytes:
        """Return nothing: no data are held back."""
        return b""


class _Replacements:
    """Replaces some sequences of bytes, such as language tags between two fixed delimiters, by others."""

    def __init__(self, replacements: Mapping[bytes, bytes]) -> None:
        self._replacements = replacements
        self._longest = max(map(len, replacements))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return the data, but for an end that the next chunk may complete."""
        data = self._held + data
        for old, new in self._replacements.items():
            data = data.replace(old, new)
        cut = max(0, len(data) - self._longest + 1)
        self._held = data[cut:]
        return data[:cut]

    def rest(self) -> bytes:
        """Return the end that was held back."""
        return self._held


class _TagsOfLines:
    """Replaces the language tags that follow strings, line by line: no string goes on after the end of a line."""

    def __init__(self, canonical: Mapping[bytes, bytes]) -> None:
        self._canonical = canonical
        tags = b"|".join(re.escape(tag) for tag in canonical)
        self._marks = tuple(b'"@' + tag for tag in canonical)
        self._string = re.compile(rb'("(?:[^"\\]|\\.)*+")(?:@(' + tags + rb")" + _TAG_END + rb")?")
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
        return self._string.sub(self._canonical_literal, lines)

    def _canonical_literal(self, match: re.Match[bytes]) -> bytes:
        return match[1] + b"@" + self._canonical[match[2]] if match[2] else match[0]


class _Head:
    """Sorts the prefixes in the head of a graph, which is held back until it is complete."""

    def __init__(self, head: re.Pattern[bytes], ordered: Callable[[re.Match[bytes]], bytes]) -> None:
        self._head, self._ordered = head, ordered
        self._held: bytes | None = b""

    def feed(self, data: bytes) -> bytes:
        """Return the head when it is complete, and everything after it."""
        if self._held is None:
            return data
        self._held += data
        if match := self._head.match(self._held):
            ready = self._ordered(match) + self._held[match.end() :]
            self._held = None
            return ready
        return self.rest() if len(self._held) > _MAX_HEAD else b""

    def rest(self) -> bytes:
        """Return what has been held back, unchanged."""
        held, self._held = self._held or b"", None
        return held


def _ordered_directives(match: re.Match[bytes]) -> bytes:
    return b"".join(sorted(match[0].splitlines(keepends=True)))


def _ordered_attributes(match: re.Match[bytes]) -> bytes:
    return match[1] + b"".join(sorted(_ATTRIBUTE.findall(match[2])))


_HEADS: Mapping[Prefixes | None, tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]]] = {
    Prefixes.DIRECTIVES: (_DIRECTIVES, _ordered_directives),
    Prefixes.ATTRIBUTES: (_ROOT, _ordered_attributes),
}
