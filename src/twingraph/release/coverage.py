"""The part of the world and the time that the statements of a release are about, as its catalogue says it.

Places are things with coordinates, and the authority's IRI that the data say is the same; times are literals with a
datatype of dates. Which properties count is a setting. Memory does not depend on the number of statements.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox

from twingraph.errors import DateError
from twingraph.rdf.edtf import EDTF, bounds
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import is_lexical_form
from twingraph.release.manifest import Box, Coverage, Located
from twingraph.settings import Catalogue

_WGS84 = "http://www.w3.org/2003/01/geo/wgs84_pos#"
_WKT = "http://www.opengis.net/ont/geosparql#asWKT"
_SCHEMA = ("https://schema.org/", "http://schema.org/")
_NORTH = (f"{_WGS84}lat", *(f"{one}latitude" for one in _SCHEMA))
_EAST = (f"{_WGS84}long", *(f"{one}longitude" for one in _SCHEMA))
_SAME = ("http://www.w3.org/2004/02/skos/core#exactMatch", "http://www.w3.org/2002/07/owl#sameAs")
# The vocabularies of places that DCAT-AP asks for (section 13.1, controlled vocabularies).
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
_MANAGED = ("https://sws.geonames.org/", *(f"{_AUTHORITY}{table}/" for table in ("country", "place", "continent")))
# More places than this say no more than the box around them.
_MAX_PLACES, _MAX_KEPT = 50, 10_000
_POINT = re.compile(r"(?:<[^>]*>\s*)?POINT\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)\s*\)", re.I)

# Dates of the record and not of what it is about.
_DCTERMS, _PROV = "http://purl.org/dc/terms/", "http://www.w3.org/ns/prov#"
_OF_RECORDS = frozenset(
    [f"{_DCTERMS}{name}" for name in ("created", "modified", "issued", "dateSubmitted", "dateAccepted", "available")]
    + [f"{_DCTERMS}dateCopyrighted", f"{_PROV}generatedAtTime"]
    + [
        f"{one}{name}"
        for one in _SCHEMA
        for name in ("dateCreated", "dateModified", "datePublished", "sdDatePublished")
    ]
)
_DATE = re.compile(
    rb'^\S+ <([^>]*)> "([^"\\\n]*)"\^\^<(http://www\.w3\.org/2001/XMLSchema#(?:dateTimeStamp|dateTime|date|gYearMonth'
    rb"|gYear)|" + re.escape(EDTF.encode()) + rb")>",
    re.MULTILINE,
)
_ONTOLOGY = re.compile(
    rb"^<([^>]*)> <http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type> <http://www\.w3\.org/2002/07/owl#Ontology>",
    re.MULTILINE,
)
_MAX_ONTOLOGIES = 20
_PARTS = re.compile(r"(-?\d{4,})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
# Programs write these for "always" and "never".
_SENTINELS = ((1, 1, 1), (9999, 12, 31))

_Day = tuple[int, int, int]


def coverage(lines: NQuads, catalogue: Catalogue, iris: Iris) -> Coverage:
    """Return the coverage of statements; raises IriError for a property in the settings that is not a name."""
    temporal, spatial = (
        {iris.expand(name) for name in names} for names in (catalogue.temporal_properties, catalogue.spatial_properties)
    )
    earliest, latest = _extent(_days(lines, temporal))
    box, places = _located(lines, spatial)
    ontologies = {iri.decode() for block in lines.blocks() for iri in _ONTOLOGY.findall(block)}
    return Coverage(
        earliest=earliest, latest=latest, box=box, places=places, ontologies=tuple(sorted(ontologies)[:_MAX_ONTOLOGIES])
    )


def _days(lines: NQuads, properties: Collection[str]) -> Iterator[_Day]:
    """Yield the first and last day of each literal of dates."""
    for block in lines.blocks():
        for predicate, text, datatype in set(_DATE.findall(block)):
            name = predicate.decode()
            if name in properties if properties else name not in _OF_RECORDS:
                yield from _bounds(text.decode(), datatype.decode())


def _bounds(text: str, datatype: str) -> Iterable[_Day]:
    if datatype == EDTF:
        try:
            found = bounds(text)
        except DateError:
            return ()
        return [(day.year, day.month, day.day) for day in (found.earliest, found.latest) if day]
    match = _PARTS.match(text)
    if match is None or not is_lexical_form(text, datatype) or len(match[1]) > 7:
        return ()
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    last_month = month or 12
    return (year, month or 1, day or 1), (year, last_month, day or _last_day(year, last_month))


def _last_day(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 28 + is_leap if month == 2 else 30 + (month in (1, 3, 5, 7, 8, 10, 12))


def _extent(days: Iterable[_Day]) -> tuple[str | None, str | None]:
    earliest: _Day | None = None
    latest: _Day | None = None
    for day in days:
        if day not in _SENTINELS:
            earliest, latest = min(earliest or day, day), max(latest or day, day)
    return _written(earliest), _written(latest)


def _written(day: _Day | None) -> str | None:
    if day is None:
        return None
    year, month, number = day
    return f"{'-' if year < 0 else ''}{abs(year):04}-{month:02}-{number:02}"


@dataclass(slots=True)
class _Places:
    """Coordinates by thing, as far as they are kept, and the bounds of all."""

    wanted: set[str] | None
    east: dict[str, float] = field(default_factory=dict)
    north: dict[str, float] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    points: list[tuple[float, float]] = field(default_factory=list)

    def add(self, quad: ox.Quad) -> None:
        thing = getattr(quad.subject, "value", "")
        predicate, value = quad.predicate.value, str(getattr(quad.object, "value", ""))
        if predicate in _SAME:
            if value.startswith(_MANAGED) and len(self.same) < _MAX_KEPT:
                self.same[thing] = min(value, self.same.get(thing, value))
        elif self.wanted is None or thing in self.wanted:
            self._locate(thing, predicate, value)

    def _locate(self, thing: str, predicate: str, value: str) -> None:
        if predicate == _WKT:
            if point := _POINT.match(value):
                self._set(self.east, thing, point[1], 180)
                self._set(self.north, thing, point[2], 90)
        else:
            is_north = predicate in _NORTH
            self._set(self.north if is_north else self.east, thing, value, 90 if is_north else 180)
        if thing in self.east and thing in self.north:
            self._extend(self.east[thing], self.north[thing])
            if len(self.east) > _MAX_KEPT:
                del self.east[thing], self.north[thing]

    def _set(self, values: dict[str, float], thing: str, text: str, limit: int) -> None:
        try:
            degrees = float(text)
        except ValueError:
            return
        if abs(degrees) <= limit:
            values[thing] = degrees

    def _extend(self, east: float, north: float) -> None:
        every = [*self.points, (east, north)]
        easts, norths = zip(*every, strict=True)
        self.points = [(min(easts), min(norths)), (max(easts), max(norths))]


def _located(lines: NQuads, properties: Collection[str]) -> tuple[Box | None, tuple[Located, ...]]:
    """Return the bounds and the places; only values of ``properties`` count, if there are any."""
    wanted = None
    if properties:
        wanted = {str(getattr(quad.object, "value", "")) for quad in lines.with_predicates(properties)}
    places = _Places(wanted)
    for quad in lines.with_predicates((*_NORTH, *_EAST, _WKT, *_SAME)):
        places.add(quad)
    if not places.points:
        return None, ()
    (west, south), (east, north) = places.points[0], places.points[-1]
    return Box(west=west, south=south, east=east, north=north), _managed(places)


def _managed(places: _Places) -> tuple[Located, ...]:
    found = {
        places.same[thing]: Located(iri=places.same[thing], thing=thing, box=_point(places, thing))
        for thing in sorted(places.same)
        if thing in places.east and thing in places.north
    }
    return tuple(found[iri] for iri in sorted(found)) if len(found) <= _MAX_PLACES else ()


def _point(places: _Places, thing: str) -> Box:
    east, north = places.east[thing], places.north[thing]
    return Box(west=east, south=north, east=east, north=north)
