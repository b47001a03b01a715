"""What grown documents speak of: the publication's own concepts and countries; invented places and actors."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyoxigraph as ox

from draw import Zipf, place_name
from turtle_file import Pair, TurtleFile, literal

LANGUAGES = ("en", "sv", "da", "fi", "zh-Hans")
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_SOURCE = ("dcterms:source", literal("Invented, for measuring", "en"))
_GROUPS = ("delegation", "group")
_CITIES = ("city", "municipality")
_ACTIVITIES_PER_ACTOR = 4
_ACTIVITIES_PER_PARTNERSHIP = 150


@dataclass(frozen=True)
class Named:
    """A thing that can be pointed to: its prefixed name, and its names by language."""

    name: str
    labels: dict[str, str]
    place: int = -1

    def label(self, language: str) -> str:
        """Return the name in a language, else in English."""
        return self.labels.get(language) or self.labels["en"]

    def pairs(self, languages: tuple[str, ...]) -> list[Pair]:
        """Return the labels in some languages as statements."""
        return [("rdfs:label", literal(self.label(tag), tag)) for tag in languages]


@dataclass(frozen=True)
class World:
    """All that documents refer to; the first actors are cities, and the first of everything are named most."""

    concepts: dict[str, list[Named]]
    places: list[Named]
    actors: list[Named]
    partnerships: list[tuple[Named, Named, Named]]
    actor_ranks: Zipf
    theme_ranks: Zipf
    type_ranks: Zipf
    role_ranks: Zipf
    partnership_ranks: Zipf


def read_concepts(ontology: Path, base: str) -> dict[str, list[Named]]:
    """Return the concepts of each scheme, in the order of their files."""
    found: dict[str, list[Named]] = defaultdict(list)
    for path in sorted((ontology / "schemes").glob("*.ttl")):
        labels: dict[str, dict[str, str]] = defaultdict(dict)
        schemes: dict[str, str] = {}
        for quad in ox.parse(path=str(path), base_iri=base):
            if quad.predicate.value == _SKOS + "prefLabel":
                labels[quad.subject.value][_canonical(quad.object.language)] = quad.object.value
            elif quad.predicate.value == _SKOS + "inScheme":
                schemes[quad.subject.value] = quad.object.value.rpartition("/")[2]
        for iri, scheme in schemes.items():
            found[scheme].append(Named(f"{scheme}:{iri.rpartition('/')[2]}", labels[iri]))
    return dict(found)


def read_countries(places: Path, base: str) -> list[str]:
    """Return the prefixed names of the countries among the publication's places."""
    quads = ox.parse(path=str(places), base_iri=base)
    countries = (quad for quad in quads if str(quad.object).endswith("/place-type/country>"))
    return [f"place:{quad.subject.value.rpartition('/')[2]}" for quad in countries]


def invent(random: Random, concepts: dict[str, list[Named]], activities: int) -> World:
    """Return a world large enough for about so many activities."""
    places = [_place(number) for number in range(40 + activities // 40)]
    kinds = [kind for kind in concepts["actor-type"] if kind.name not in ("actor-type:person", "actor-type:group")]
    cities = [place for place in range(len(places)) if not _is_venue(place)]
    count = len(cities) + max(60, activities // _ACTIVITIES_PER_ACTOR)
    actors = [_actor(random, number, cities, places, kinds) for number in range(count)]
    pairs = [
        _partnership(random, number, actors, len(cities))
        for number in range(4 + activities // _ACTIVITIES_PER_PARTNERSHIP)
    ]
    return World(
        concepts,
        places,
        actors,
        pairs,
        actor_ranks=Zipf(len(actors)),
        theme_ranks=Zipf(len(concepts["theme"])),
        type_ranks=Zipf(len(concepts["activity-type"]), 0.7),
        role_ranks=Zipf(len(concepts["role"]), 1.1),
        partnership_ranks=Zipf(len(pairs), 0.8),
    )


def write_places(random: Random, world: World, countries: list[str], file: TurtleFile) -> None:
    """Write the places: cities in a country, venues in a city."""
    for number, place in enumerate(world.places):
        pairs = place.pairs(LANGUAGES)
        if _is_venue(number):
            pairs += [("tw:placeType", "place-type:venue"), ("tw:partOf", world.places[_city_of(number)].name)]
        else:
            country = random.choice(countries)
            pairs += [("tw:placeType", "place-type:city"), ("tw:inCountry", country)]
            pairs += [("geo:lat", f"{random.uniform(20, 68):.4f}"), ("geo:long", f"{random.uniform(5, 125):.4f}")]
        file.thing(place.name, "tw:Place", [*pairs, _SOURCE])


def write_actors(random: Random, world: World, file: TurtleFile) -> None:
    """Write the actors: all names of three in ten, else English and one more."""
    for number, actor in enumerate(world.actors):
        languages = LANGUAGES if random.random() < 0.3 else ("en", random.choice(LANGUAGES[1:]))
        pairs = actor.pairs(languages)
        is_group = number % 9 == 8
        kinds = _GROUPS if is_group else _CITIES if actor.name.startswith("actor:g-city") else ()
        chosen = f"actor-type:{random.choice(kinds)}" if kinds else random.choice(_kinds(world)).name
        pairs += [("tw:actorType", chosen), ("tw:seat", world.places[actor.place].name)]
        if number and random.random() < 0.15:
            pairs.append(("tw:memberOf", world.actors[world.actor_ranks.draw(random) % number].name))
        file.thing(actor.name, "tw:Group" if is_group else "tw:Organisation", [*pairs, _SOURCE])


def _kinds(world: World) -> list[Named]:
    return [kind for kind in world.concepts["actor-type"] if kind.name != "actor-type:person"]


def _is_venue(number: int) -> bool:
    return number % 3 == 2


def _city_of(venue: int) -> int:
    city = venue // 2
    return city - 1 if _is_venue(city) else city


def _place(number: int) -> Named:
    latin, chinese = place_name(number)
    return Named(f"place:g-{number}", {**dict.fromkeys(LANGUAGES, latin), "zh-Hans": chinese})


def _actor(random: Random, number: int, cities: list[int], places: list[Named], kinds: list[Named]) -> Named:
    if number < len(cities):
        place = places[cities[number]]
        words = {"en": "City of {}", "sv": "{} stad", "da": "{} by", "fi": "{} kaupunki", "zh-Hans": "{}市"}
        labels = {tag: text.format(place.label(tag)) for tag, text in words.items()}
        return Named(f"actor:g-city-{number}", labels, cities[number])
    kind, place = random.choice(kinds), random.choice(cities)
    labels = {tag: f"{places[place].label(tag)} {kind.label(tag)} {number}" for tag in LANGUAGES}
    return Named(f"actor:g-{number}", labels, place)


def _partnership(random: Random, number: int, actors: list[Named], cities: int) -> tuple[Named, Named, Named]:
    one, other = (actors[index] for index in random.sample(range(cities), 2))
    labels = {tag: f"{one.label(tag)} – {other.label(tag)} {number}" for tag in LANGUAGES}
    return Named(f"partnership:g-{number}", labels), one, other


def _canonical(language: str) -> str:
    return "zh-Hans" if language.lower() == "zh-hans" else language
