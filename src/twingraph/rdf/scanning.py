"""The tokens and statements of a file in Turtle or one of its relatives, with their positions.

The scanner knows the tokens of Turtle (RDF 1.1 Turtle, section 6.5), TriG, N-Triples and N-Quads, and does not check
their order: the parser does that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from twingraph.findings import Location
from twingraph.rdf.iris import resolve

_NAME = r"""[^\s<>"';,\[\](){}#^@.]"""
_TOKEN = re.compile(
    rf"""(?P<comment>\#[^\n]*)|(?P<iri><[^<>"{{}}|^`\s]*>)
    |(?P<string>\"{{3}}(?:[^"\\]++|\\.|"(?!""))*+\"{{3}}|'{{3}}(?:[^'\\]++|\\.|'(?!''))*+'{{3}}
        |"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+')
    |(?P<directive>@(?:prefix|base)\b)|(?P<tag>@[A-Za-z][A-Za-z0-9-]*|\^\^)
    |(?P<name>(?:{_NAME}|\\.|\.(?={_NAME}))+)|(?P<mark>[.;,\[\](){{}}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDF_TYPE, RDF_FIRST, RDF_REST, _RDF_NIL = (f"{_RDF}{name}" for name in ("type", "first", "rest", "nil"))
# What the labels of blank nodes without a label of their own begin with; the line and column follow.
_NODE, _LIST, _CELL = "_:[", "_:(", "_:,"
_LABEL = re.compile(r"_:[\[(,](\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """A statement, its terms as text, with the location of its object."""

    subject: str
    predicate: str
    value: str
    location: Location


@dataclass(slots=True)
class _Frame:
    """What is being read within a pair of brackets: the terms of its statement so far.

    A list has no terms, but the location at which it begins, and its last cell.
    """

    slots: list[str]
    list_start: Location | None = None
    cell: str = ""


@dataclass
class Scan:
    """One pass over the tokens of one file; ``frames`` are the statement being read and the brackets open in it."""

    path: str
    text: str
    base: str
    prefixes: dict[str, str] = field(default_factory=dict)
    frames: list[_Frame] = field(default_factory=lambda: [_Frame([])])

    @property
    def slots(self) -> list[str]:
        """The terms of the statement that is being read."""
        return self.frames[-1].slots

    def places(self) -> Iterator[Place]:
        """Yield the statements in the order in which they end."""
        tokens, is_datatype = self.tokens(), False
        for kind, token, location in tokens:
            if kind == "directive" or (kind == "name" and not self.slots and token.upper() in ("PREFIX", "BASE")):
                self._declare(tokens, with_prefix=token.lower().endswith("prefix"))
            elif kind == "mark":
                yield from self._punctuate(token, location)
            elif kind != "tag" and not is_datatype:
                yield from self._term(self._value(kind, token), location)
            is_datatype = token == "^^"

    def tokens(self) -> Iterator[tuple[str, str, Location]]:
        """Yield each token: its kind, its text and its location; comments are left out."""
        line, line_start, last = 1, 0, 0
        for match in _TOKEN.finditer(self.text):
            kind, start = match.lastgroup or "", match.start()
            if lines := self.text.count("\n", last, start):
                line, line_start = line + lines, self.text.rfind("\n", last, start) + 1
            last = start
            if kind != "comment":
                yield kind, match[0], Location(self.path, line, start - line_start + 1)

    def _declare(self, tokens: Iterator[tuple[str, str, Location]], *, with_prefix: bool) -> None:
        name = next(tokens, ("", "", None))[1] if with_prefix else ""
        iri = next(tokens, ("", "<>", None))[1][1:-1]
        if with_prefix:
            self.prefixes[name.removesuffix(":")] = resolve(self.base, iri)
        else:
            self.base = resolve(self.base, iri)

    def _punctuate(self, mark: str, location: Location) -> Iterator[Place]:
        if mark == "[":
            node = _label(_NODE, location)
            yield from self._term(node, location)
            self.frames.append(_Frame([node]))
        elif mark == "(":
            self.frames.append(_Frame([], location))
        elif mark in "])":
            frame = self.frames.pop() if len(self.frames) > 1 else _Frame([])
            if frame.cell:
                yield Place(frame.cell, RDF_REST, _RDF_NIL, location)
            elif frame.list_start:
                yield from self._term(_RDF_NIL, frame.list_start)
        elif mark in ";,":
            del self.slots[1 if mark == ";" else 2 :]
        else:  # `.` and braces end a statement, whatever is still open
            self.frames = [_Frame([])]

    def _term(self, value: str, location: Location, depth: int = -1) -> Iterator[Place]:
        frame = self.frames[depth]
        if start := frame.list_start:
            yield from self._item(frame, start, value, location, depth)
        elif len(frame.slots) < 3:  # the fourth is the graph name in N-Quads
            frame.slots.append(value)
            if len(frame.slots) == 3:
                yield Place(frame.slots[0], frame.slots[1], value, location)

    def _item(self, frame: _Frame, start: Location, value: str, location: Location, depth: int) -> Iterator[Place]:
        """Yield the statements of a list's cell; the first cell is a term of what the list is in."""
        before, frame.cell = frame.cell, _label(_CELL, location) if frame.cell else _label(_LIST, start)
        if before:
            yield Place(before, RDF_REST, frame.cell, location)
        else:
            yield from self._term(frame.cell, start, depth - 1)
        yield Place(frame.cell, RDF_FIRST, value, location)

    def _value(self, kind: str, token: str) -> str:
        if kind == "iri":
            return resolve(self.base, _ESCAPE.sub(_unescape, token[1:-1]))
        if kind == "string":
            quotes = 3 if token[:3] in ('"""', "'''") else 1
            return _ESCAPE.sub(_unescape, token[quotes:-quotes])
        if token == "a" and len(self.slots) == 1:
            return RDF_TYPE
        prefix, colon, local = token.partition(":")
        known = colon and prefix in self.prefixes
        return self.prefixes[prefix] + local.replace("\\", "") if known else token


def beginning(path: str, label: str) -> Location | None:
    """Return where a blank node of a file begins, None when it has a label of its own."""
    match = _LABEL.fullmatch(label)
    return Location(path, int(match[1]), int(match[2])) if match else None


def _label(kind: str, location: Location) -> str:
    return f"{kind}{location.line}:{location.column}"


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _CONTROL.get(match[3], match[3])


def first_long_token(path: str, text: str, limit: int) -> Location | None:
    """Return the position of the first term of more than ``limit`` bytes, None if there is none."""
    tokens = Scan(path, text, "").tokens()
    return next((place for _, token, place in tokens if len(token) * 4 > limit and len(token.encode()) > limit), None)
