"""The positions of statements in files, found by scanning their tokens: the parser does not record them.

The scanner knows the tokens of Turtle (RDF 1.1 Turtle, section 6.5), TriG, N-Triples and N-Quads. It runs only when a
position is needed, over the files that may contain it; in other syntaxes there are no lines and columns.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from twingraph.findings import Location
from twingraph.rdf.iris import GENID, resolve

_NAME = r"""[^\s<>"';,\[\](){}#^@.]"""
_TOKEN = re.compile(
    rf"""(?P<comment>\#[^\n]*)|(?P<iri><[^<>"{{}}|^`\s]*>)
    |(?P<string>\"{{3}}(?:[^"\\]|\\.|"(?!""))*\"{{3}}|'{{3}}(?:[^'\\]|\\.|'(?!''))*'{{3}}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<directive>@(?:prefix|base)\b)|(?P<tag>@[A-Za-z][A-Za-z0-9-]*|\^\^)
    |(?P<name>(?:{_NAME}|\\.|\.(?={_NAME}))+)|(?P<mark>[.;,\[\](){{}}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


@dataclass(frozen=True, slots=True)
class _Place:
    subject: str
    predicate: str
    value: str
    location: Location


@dataclass(frozen=True)
class Texts(Mapping[str, str]):
    """The texts of files by name, each read on access; ``paths`` maps names to files."""

    paths: Mapping[str, Path]

    def __getitem__(self, name: str) -> str:
        return self.paths[name].read_text(encoding="utf-8", errors="replace")

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __contains__(self, name: object) -> bool:
        return name in self.paths


@dataclass(frozen=True)
class Locations:
    """The positions of the statements in ``texts`` (path -> text), with relative IRIs resolved against ``base``.

    ``homes`` returns the paths of all files that may have statements about a subject, also those not in ``texts``.
    """

    texts: Mapping[str, str]
    base: str
    homes: Callable[[str], tuple[str, ...]] | None = None

    def find(self, subject: str, predicate: str | None = None, value: str | None = None) -> Location | None:
        """Return the position of a statement, or else of its property, its subject, or a mention of the subject."""
        if subject.startswith("_:") or GENID in subject:
            return self._of_blank_node(subject, predicate, value)
        places = self._about(subject)
        if not places:
            return _first(self._by_value.get(subject, []))
        narrower = (
            [place for place in places if place.predicate == predicate and place.value == value],
            [place for place in places if place.predicate == predicate],
            [place for place in places if place.predicate == _RDF_TYPE],
            places,
        )
        return next(_first(found) for found in narrower if found)

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

    def _of_blank_node(self, subject: str, predicate: str | None, value: str | None) -> Location | None:
        """Return where some blank node has this value: the parser renames blank nodes."""
        paths = sorted(path for path in self.files(subject) if path in self.texts)
        anonymous = (found for path in paths for name, found in self._file(path).items() if name[:2] in ("", "_:"))
        places = [place for found in anonymous for place in found if place.predicate == predicate]
        return _first([place for place in places if place.value == value] or places)

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


@dataclass
class _Scan:
    """One pass over the tokens of one file; ``slots`` holds the terms of the statement being read."""

    path: str
    text: str
    base: str
    prefixes: dict[str, str] = field(default_factory=dict)
    slots: list[str] = field(default_factory=list)
    depth: int = 0

    def places(self) -> Iterator[_Place]:
        tokens = self._tokens()
        for kind, token, location in tokens:
            if kind == "directive" or (kind == "name" and not self.slots and token.upper() in ("PREFIX", "BASE")):
                self._declare(tokens, with_prefix=token.lower().endswith("prefix"))
            elif kind == "mark":
                self._punctuate(token)
            elif not self.depth and kind != "tag":
                yield from self._term(kind, token, location)

    def _tokens(self) -> Iterator[tuple[str, str, Location]]:
        line, start = 1, 0
        for match in _TOKEN.finditer(self.text):
            kind = match.lastgroup or ""
            line += self.text.count("\n", start, match.start())
            start = match.start()
            if kind != "comment":
                yield kind, match[0], Location(self.path, line, start - self.text.rfind("\n", 0, start))

    def _declare(self, tokens: Iterator[tuple[str, str, Location]], *, with_prefix: bool) -> None:
        name = next(tokens, ("", "", None))[1] if with_prefix else ""
        iri = next(tokens, ("", "<>", None))[1][1:-1]
        if with_prefix:
            self.prefixes[name.removesuffix(":")] = resolve(self.base, iri)
        else:
            self.base = resolve(self.base, iri)

    def _punctuate(self, mark: str) -> None:
        if mark in "[(":
            self.depth += 1
        elif mark in "])":
            self.depth -= 1
            if not self.depth and len(self.slots) < 3:
                self.slots.append("")  # a blank node or collection
        elif not self.depth:
            # `.` and braces end a statement, `;` a list of objects, `,` an object.
            del self.slots[{";": 1, ",": 2}.get(mark, 0) :]

    def _term(self, kind: str, token: str, location: Location) -> Iterator[_Place]:
        if len(self.slots) >= 3:  # the datatype of a literal, or the graph name in N-Quads
            return
        self.slots.append(self._value(kind, token))
        if len(self.slots) == 3:
            subject, predicate, value = self.slots
            yield _Place(subject, predicate, value, location)

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
