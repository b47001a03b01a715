"""The positions of statements in files, found by scanning their tokens: the parser does not record them.

This is done only when a position is needed, and in the files that may contain it. In syntaxes that are not scanned,
there are no lines and columns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, cast

from twingraph.findings import Location
from twingraph.rdf.blank_nodes import Statement, equal_nodes, is_blank
from twingraph.rdf.scanning import RDF_FIRST, RDF_REST, RDF_TYPE, Place, Scan, beginning

# As many properties lead to a blank node when it is described.
_LONGEST_CHAIN = 3


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

    def with_blank_nodes(self, path: str) -> Iterable[Statement]:
        """Return the statements of a file that have a blank node, or an IRI in place of one."""


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
        if exact := self._in_text(subject):
            return self._of_blank_node(*exact, predicate, self._in_text(value) if value else None, value)
        # A blank node whose place is not known: any with the same property and value will do.
        is_anonymous = is_blank(subject)
        places = self._about_blank_nodes(subject) if is_anonymous else self._about(subject)
        exact = self._in_text(value) if value else None
        own = [place for place in places if place.predicate == predicate]
        narrower = (
            [place for place in own if place.value == value or (place.location.path, place.value) == exact],
            self._without_positions(subject, predicate, value) if value is not None else [],
            own,
            self._without_positions(subject, predicate, None),
            [place for place in places if place.predicate == RDF_TYPE and not is_anonymous],
            [] if is_anonymous else places,
        )
        found = next((_first(found) for found in narrower if found), None)
        return found or (None if is_anonymous else _first(self._by_value.get(subject, [])))

    def above(self, node: str) -> tuple[Location | None, tuple[str, ...]]:
        """Return where a blank node begins, and what leads to it from an IRI: properties, the nearest first, and it.

        Lists are left out.
        """
        path = next(iter(self.homes(node)), None) if self.homes else None
        if path is None:
            return None, ()
        parents, chain, seen = self._parents(path), list[str](), set[str]()
        above: str | None = node
        while above is not None and is_blank(above) and above not in seen and len(chain) < _LONGEST_CHAIN:
            seen.add(above)
            above, predicate = parents.get(above, (None, ""))
            chain += [predicate] if predicate not in ("", RDF_FIRST, RDF_REST) else []
        exact = self._in_text(node)
        place = self._beginning(*exact) if exact else Location(path)
        return place, (*chain, above) if above and not is_blank(above) else tuple(chain)

    def _without_positions(self, subject: str, predicate: str | None, value: str | None) -> list[Place]:
        """Return the files without positions that have the statement or, without ``value``, the property."""
        homes = self.homes
        if homes is None or predicate is None:
            return []
        paths = [path for path in homes(subject) if path not in self.texts]
        found = (path for path in paths if homes.states(path, subject, predicate, value))
        return [Place(subject, predicate, "", Location(path)) for path in found]

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

    def _of_blank_node(
        self, path: str, node: str, predicate: str | None, exact: tuple[str, str] | None, value: str | None
    ) -> Location:
        """Return the position of a statement about a blank node, of its property or type, or where the node begins."""
        places, wanted = self._file(path).get(node, []), exact[1] if exact else value
        own = [place for place in places if place.predicate == predicate]
        typed = [place for place in places if place.predicate == RDF_TYPE]
        found = next((place for place in (*(each for each in own if each.value == wanted), *own, *typed)), None)
        return found.location if found else self._beginning(path, node)

    def _beginning(self, path: str, node: str) -> Location:
        """Return where a blank node of a text begins or, when it has a label of its own, the first place of that."""
        return beginning(path, node) or self._first_mentions(path)[node]

    def _first_mentions(self, path: str) -> dict[str, Location]:
        if path not in self._mentioned:
            found = self._mentioned.setdefault(path, {})
            every = (place for places in self._file(path).values() for place in places)
            for place in sorted(every, key=lambda place: place.location.order):
                for node in filter(is_blank, (place.subject, place.value)):
                    found.setdefault(node, place.location)
        return self._mentioned[path]

    @cached_property
    def _mentioned(self) -> dict[str, dict[str, Location]]:
        return {}

    def _in_text(self, node: str) -> tuple[str, str] | None:
        """Return the file of a blank node that was parsed, and its label among the scanned ones."""
        paths = self.homes(node) if self.homes and is_blank(node) else ()
        return next(((path, found) for path in paths if (found := self._scanned_nodes(path).get(node))), None)

    def _scanned_nodes(self, path: str) -> dict[str, str]:
        """Return the label in the text of a file for each blank node that was parsed in it."""
        if path not in self._matched:
            homes, rows = cast("Homes", self.homes), list[Statement]()
            if path in self.texts:
                places = (place for found in self._file(path).values() for place in found)
                rows = [(place.subject, place.predicate, place.value) for place in places]
            scanned = (row for row in rows if is_blank(row[0]) or is_blank(row[2]))
            self._matched[path] = equal_nodes(homes.with_blank_nodes(path), scanned) if rows else {}
        return self._matched[path]

    @cached_property
    def _matched(self) -> dict[str, dict[str, str]]:
        return {}

    def _parents(self, path: str) -> dict[str, tuple[str, str]]:
        """Return the first statement of a file that leads to each blank node: its subject and predicate."""
        if path not in self._leading:
            found = self._leading.setdefault(path, {})
            for subject, predicate, value in cast("Homes", self.homes).with_blank_nodes(path):
                found.setdefault(value, (subject, predicate))
        return self._leading[path]

    @cached_property
    def _leading(self) -> dict[str, dict[str, tuple[str, str]]]:
        return {}

    def _about(self, subject: str) -> list[Place]:
        paths = sorted(path for path in self.files(subject) if path in self.texts)
        return [place for path in paths for place in self._file(path).get(subject, ())]

    def _about_blank_nodes(self, subject: str) -> list[Place]:
        paths = sorted(path for path in self.files(subject) if path in self.texts)
        anonymous = (found for path in paths for name, found in self._file(path).items() if is_blank(name))
        return [place for found in anonymous for place in found]

    def _file(self, path: str) -> dict[str, list[Place]]:
        """Return the positions in a file by subject; each file is scanned once."""
        if path not in self._scanned:
            places = Scan(path, self.texts[path], self.base).places()
            self._scanned[path] = _index((place.subject, place) for place in places)
        return self._scanned[path]

    @cached_property
    def _scanned(self) -> dict[str, dict[str, list[Place]]]:
        return {}

    @cached_property
    def _places(self) -> list[Place]:
        return [place for path in sorted(self.texts) for place in Scan(path, self.texts[path], self.base).places()]

    @cached_property
    def _by_value(self) -> dict[str, list[Place]]:
        return _index((place.value, place) for place in self._places)

    @cached_property
    def _by_predicate(self) -> dict[str, list[Place]]:
        return _index((place.predicate, place) for place in self._places)


def _first(places: list[Place]) -> Location | None:
    return places[0].location if places else None


def _index(rows: Iterable[tuple[str, Place]]) -> dict[str, list[Place]]:
    index: dict[str, list[Place]] = defaultdict(list)
    for key, place in rows:
        index[key].append(place)
    return dict(index)
