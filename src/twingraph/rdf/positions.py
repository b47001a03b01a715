"""The positions of statements in files, found by scanning their tokens: the parser does not record them.

The scanner knows the tokens of Turtle (RDF 1.1 Turtle, section 6.5), TriG, N-Triples and N-Quads. It runs only when a
position is needed, over the files that may contain it; in other syntaxes there are no lines and columns.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

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
_RDF_TYPE, _RDF_FIRST = f"{_RDF}type", f"{_RDF}first"


@dataclass(frozen=True, slots=True)
class _Place:
    subject: str
    predicate: str
    value: str
    location: Location


@dataclass(frozen=True)
class Texts(Mapping[str, str]):
    """The texts of files by name, each read on access by the function that ``readers`` has for it."""

    readers: Mapping[str, Callable[[], str]]

    def __getitem__(self, name: str) -> str:
        return self.readers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.readers)

    def __len__(self) -> int:
        return len(self.readers)

    def __contains__(self, name: object) -> bool:
        return name in self.readers


class Homes(Protocol):
    """Which files have statements about a subject, whatever their syntax."""

    def __call__(self, subject: str) -> tuple[str, ...]:
        """Return the paths of all files that may have statements about a subject, also those without positions."""

    def states(self, path: str, subject: str, predicate: str, value: str | None) -> bool:
        """Return whether a file has the statement or, without ``value``, the property of the subject."""


@dataclass(frozen=True)
class Locations:
    """The positions of the statements in ``texts`` (path -> text), with relative IRIs resolved against ``base``.

    Of files that are not in ``texts`` only the path is known.
    """

    texts: Mapping[str, str]
    base: str
    homes: Homes | None = None

    def find(self, subject: str, predicate: str | None = None, value: str | None = None) -> Location | None:
        """Return the position of a statement, or else of its property, its subject, or a mention of the subject."""
        # The parser renames blank nodes, so in texts any blank node with the same property and value will do.
        is_blank = subject.startswith("_:")
        places = self._about_blank_nodes(subject) if is_blank else self._about(subject)
        narrower = (
            [place for place in places if place.predicate == predicate and place.value == value],
            self._without_positions(subject, predicate, value) if value is not None else [],
            [place for place in places if place.predicate == predicate],
            self._without_positions(subject, predicate, None),
            [place for place in places if place.predicate == _RDF_TYPE and not is_blank],
            [] if is_blank else places,
        )
        found = next((_first(found) for found in narrower if found), None)
        return found or (None if is_blank else _first(self._by_value.get(subject, [])))

    def _without_positions(self, subject: str, predicate: str | None, value: str | None) -> list[_Place]:
        """Return the files without positions that have the statement or, without ``value``, the property."""
        homes = self.homes
        if homes is None or predicate is None:
            return []
        paths = [path for path in homes(subject) if path not in self.texts]
        found = (path for path in paths if homes.states(path, subject, predicate, value))
        return [_Place(subject, predicate, value or "", Location(path)) for path in found]

    def all(self, subject: str, predicate: str) -> tuple[Location, ...]:
        """Return all positions of a property of a subject, in the order of files and lines."""
        return tuple(place.location for place in self._about(subject) if place.predicate == predicate)

    def files(self, subject: str) -> tuple[str, ...]:
        """Return the paths of the files that may have statements about a subject."""
        return tuple(sorted(self.texts)) if self.homes is None else self.homes(subject)

    def home(self, subject: str) -> Location | None:
        """Return the first file with a statement about a subject, whatever its syntax, None if that is not known."""
        paths = self.homes(subject) if self.homes else ()
        return Location(paths[0]) if paths else None

    def mention(self, term: str) -> Location | None:
        """Return the first position of an IRI as predicate or object."""
        return _first(self._by_value.get(term) or self._by_predicate.get(term) or [])

    def _about(self, subject: str) -> list[_Place]:
        paths = sorted(path for path in self.files(subject) if path in self.texts)
        return [place for path in paths for place in self._file(path).get(subject, ())]

    def _about_blank_nodes(self, subject: str) -> list[_Place]:
        paths = sorted(path for path in self.files(subject) if path in self.texts)
        anonymous = (found for path in paths for name, found in self._file(path).items() if name[:2] in ("", "_:"))
        return [place for found in anonymous for place in found]

    def _file(self, path: str) -> dict[str, list[_Place]]:
        """Return the positions in a file by subject; each file is scanned once."""
        if path not in self._scanned:
            places = _Scan(path, self.texts[path], self.base).places()
            self._scanned[path] = _index((place.subject, place) for place in places)
        return self._scanned[path]

    @cached_property
    def _scanned(self) -> dict[str, dict[str, list[_Place]]]:
        return {}

    @cached_property
    def _places(self) -> list[_Place]:
        return [place for path in sorted(self.texts) for place in _Scan(path, self.texts[path], self.base).places()]

    @cached_property
    def _by_value(self) -> dict[str, list[_Place]]:
        return _index((place.value, place) for place in self._places)

    @cached_property
    def _by_predicate(self) -> dict[str, list[_Place]]:
        return _index((place.predicate, place) for place in self._places)


def _first(places: list[_Place]) -> Location | None:
    return places[0].location if places else None


def _index(rows: Iterable[tuple[str, _Place]]) -> dict[str, list[_Place]]:
    index: dict[str, list[_Place]] = defaultdict(list)
    for key, place in rows:
        index[key].append(place)
    return dict(index)


@dataclass(slots=True)
class _Frame:
    """What is being read within a pair of brackets: the terms of its statement so far."""

    slots: list[str]
    is_list: bool = False


@dataclass
class _Scan:
    """One pass over the tokens of one file; ``frames`` are the statement being read and the brackets open in it."""

    path: str
    text: str
    base: str
    prefixes: dict[str, str] = field(default_factory=dict)
    frames: list[_Frame] = field(default_factory=lambda: [_Frame([])])

    @property
    def slots(self) -> list[str]:
        return self.frames[-1].slots

    def places(self) -> Iterator[_Place]:
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

    def _punctuate(self, mark: str, location: Location) -> Iterator[_Place]:
        if mark in "[(":
            yield from self._term("", location)  # a blank node or collection
            self.frames.append(_Frame([""]) if mark == "[" else _Frame(["", _RDF_FIRST], is_list=True))
        elif mark in "])":
            del self.frames[max(len(self.frames) - 1, 1) :]
        elif mark in ";,":
            del self.slots[1 if mark == ";" else 2 :]
        else:  # `.` and braces end a statement, whatever is still open
            self.frames = [_Frame([])]

    def _term(self, value: str, location: Location) -> Iterator[_Place]:
        if len(self.slots) >= 3:  # the graph name in N-Quads
            return
        self.slots.append(value)
        if len(self.slots) == 3:
            yield _Place(self.slots[0], self.slots[1], value, location)
        if self.frames[-1].is_list:
            del self.slots[2:]

    def _value(self, kind: str, token: str) -> str:
        if kind == "iri":
            return resolve(self.base, _ESCAPE.sub(_unescape, token[1:-1]))
        if kind == "string":
            quotes = 3 if token[:3] in ('"""', "'''") else 1
            return _ESCAPE.sub(_unescape, token[quotes:-quotes])
        if token == "a" and len(self.slots) == 1:
            return _RDF_TYPE
        prefix, colon, local = token.partition(":")
        known = colon and prefix in self.prefixes
        return self.prefixes[prefix] + local.replace("\\", "") if known else token


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _CONTROL.get(match[3], match[3])


def first_long_token(path: str, text: str, limit: int) -> Location | None:
    """Return the position of the first term of more than ``limit`` bytes, None if there is none."""
    tokens = _Scan(path, text, "").tokens()
    return next((place for _, token, place in tokens if len(token) * 4 > limit and len(token.encode()) > limit), None)
