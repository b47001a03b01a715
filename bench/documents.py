"""One grown source document: its passages, and the activities, agreements and statements that they support."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from draw import edtf, weighted, year_before
from turtle_file import Pair, Tally, TurtleFile, literal
from world import LANGUAGES, Named, World

_STATUSES = {
    "happened": 60,
    "ongoing": 10,
    "planned": 10,
    "partly-done": 5,
    "proposed": 5,
    "cancelled": 5,
    "not-confirmed": 5,
}
_CAME_ABOUT = ("happened", "ongoing", "partly-done")
_NOT_TAKING_PART = ("role:addressee", "role:audience", "role:declined", "role:invitee", "role:subject")
_FILES = ("passages", "time-spans", "activities", "participations", "agreements", "statements")
_SAMPLES = 2000


@dataclass
class Samples:
    """Names of things that queries may ask for, a bounded and even choice of each kind."""

    names: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def add(self, random: Random, kind: str, name: str) -> None:
        """Keep a name, or another in its place (reservoir sampling)."""
        kept, count = self.names.setdefault(kind, []), self.seen.get(kind, 0)
        self.seen[kind] = count + 1
        if len(kept) < _SAMPLES:
            kept.append(name)
        elif (place := random.randrange(count + 1)) < _SAMPLES:
            kept[place] = name


@dataclass(frozen=True)
class Shared:
    """What all documents of one run share: where they write, what they speak of, and what was counted so far."""

    world: World
    random: Random
    sampling: Random
    tally: Tally
    samples: Samples
    prefixes: dict[str, str]
    directory: Path
    inferred: TurtleFile
    joined: set[tuple[str, str]]


@dataclass(frozen=True)
class _Event:
    """An activity as far as others need it."""

    name: str
    span: str
    year: int
    labels: dict[str, str]
    passages: list[str]


class Document:
    """A source document being grown; ``activities`` counts those of all documents before it."""

    def __init__(self, shared: Shared, number: int, activities: int) -> None:
        self._shared, self._number, self.activities = shared, number, activities
        self._language = weighted(shared.random, LANGUAGES, (20, 35, 20, 15, 10))
        self._issued = shared.random.randint(2006, 2024)
        self._offset = self._here = 0
        self._last: _Event | None = None
        self._project: _Event | None = None

    @property
    def language(self) -> str:
        """The language that the document is written in."""
        return self._language

    def grow(self, until: int) -> None:
        """Write activities until the release holds so many statements."""
        folder = self._shared.directory / "data" / "sources" / str(self._number)
        with ExitStack() as stack:
            files = (TurtleFile(folder / f"{name}.ttl", self._shared.prefixes, self._shared.tally) for name in _FILES)
            opened = [stack.enter_context(file) for file in files]
            (
                self._passages,
                self._spans,
                self._activities,
                self._participations,
                self._agreements,
                self._statements,
            ) = opened
            self._issue()
            while self._shared.tally.total < until:
                self._cluster()

    def _issue(self) -> None:
        span = f"time-span:{self._number}-issued"
        words = {tag: str(self._issued) for tag in LANGUAGES}
        passage = self._passage(words, "")
        self._span(span, str(self._issued), str(self._issued), [passage])
        self._statements.more(f"document:{self._number}", [("tw:issued", span)])

    def _cluster(self) -> None:
        """Write an activity and what comes with it."""
        random = self._shared.random
        self._here += 1
        event = self._activity()
        if random.random() < 0.15 and self._last and self._last.year < event.year:
            self._activities.more(self._last.name, [("tw:ledTo", event.name)])
        if random.random() < 0.09:
            self._agreement(event)
        if random.random() < 0.10:
            self._quantity(event)
        if random.random() < 0.12:
            self._statement(event, "policy-statement", "tw:PolicyStatement", "tw:statedBy")
        if random.random() < 0.08:
            self._statement(event, "state", "tw:StateAssessment", "tw:assessedBy")
        self._last = event
        self.activities += 1

    def _activity(self) -> _Event:
        shared, random = self._shared, self._shared.random
        kind = shared.world.concepts["activity-type"][shared.world.type_ranks.draw(random)]
        themes = [
            shared.world.concepts["theme"][rank]
            for rank in shared.world.theme_ranks.several(random, random.choice((1, 1, 2, 3)))
        ]
        partnership, one, other = self._partnership()
        year = year_before(random, self._issued)
        place = shared.world.places[one.place if random.random() < 0.5 else other.place]
        key = f"{self._number}-{self._here}"
        labels = self._labels(kind, themes[0], place, year)
        is_project = random.random() < 0.05
        name = f"project:g-{key}" if is_project else f"activity:g-{key}"
        passages = [self._passage(labels, str(part)) for part in range(random.choice((1, 1, 2, 3)))]
        event = _Event(name, f"time-span:g-{key}", year, labels, passages)
        if partnership.name not in shared.samples.seen:
            self._introduce(partnership, one, other, passages)
        self._span(event.span, *self._time(year, is_project), passages[:1])
        status = weighted(random, list(_STATUSES), list(_STATUSES.values()))
        pairs = self._label_pairs(labels)
        pairs += [
            ("tw:activityType", kind.name),
            ("tw:status", f"activity-status:{status}"),
            ("tw:timeSpan", event.span),
        ]
        pairs += [("tw:theme", theme.name) for theme in themes] + [("tw:partnership", partnership.name)]
        pairs += self._where(one, other, place, is_project) + self._whole(event, is_project)
        if random.random() < 0.3:
            text = f"{labels['en']}; {themes[-1].label('en')} was spoken of with {other.label('en')}"
            pairs.append(("dcterms:description", literal(text, "en")))
        pairs += [("tw:evidence", passage) for passage in passages]
        self._activities.thing(name, "tw:Project" if is_project else "tw:Activity", pairs)
        shared.samples.add(shared.sampling, "activity", name)
        self._participants(event, status in _CAME_ABOUT, one, other)
        if is_project:
            self._project = event
        return event

    def _partnership(self) -> tuple[Named, Named, Named]:
        """Return a partnership; the first activities take one after the other, so that each has an activity."""
        known = self._shared.world.partnerships
        if self.activities < len(known):
            return known[self.activities]
        return known[self._shared.world.partnership_ranks.draw(self._shared.random)]

    def _introduce(self, partnership: Named, one: Named, other: Named, passages: list[str]) -> None:
        self._shared.samples.seen[partnership.name] = 1
        pairs = partnership.pairs(LANGUAGES)
        pairs += [("tw:relationType", "relation-type:partnership"), ("tw:party", one.name), ("tw:party", other.name)]
        pairs.append(("tw:evidence", passages[0]))
        self._agreements.thing(partnership.name, "tw:Partnership", pairs)
        self._shared.samples.add(self._shared.sampling, "partnership", partnership.name)

    def _labels(self, kind: Named, theme: Named, place: Named, year: int) -> dict[str, str]:
        end = f"{year} ({self._number}/{self._here})"
        return {tag: f"{kind.label(tag)}: {theme.label(tag)}, {place.label(tag)} {end}" for tag in LANGUAGES}

    def _label_pairs(self, labels: dict[str, str]) -> list[Pair]:
        """Return the labels: in all languages for one thing in five, else in English and the document's language."""
        tags = LANGUAGES if self._shared.random.random() < 0.2 else dict.fromkeys(("en", self._language))
        return [("rdfs:label", literal(labels[tag], tag)) for tag in tags]

    def _time(self, year: int, is_project: bool) -> tuple[str, str]:
        if is_project:
            return f"{year - 1}/{year + 1}", f"{year - 1} to {year + 1}"
        return edtf(self._shared.random, year)

    def _where(self, one: Named, other: Named, place: Named, is_project: bool) -> list[Pair]:
        places, random = self._shared.world.places, self._shared.random
        if is_project or random.random() < 0.5:
            return [("tw:place", place.name)] if random.random() < 0.5 else []
        ends = [("tw:origin", places[one.place].name), ("tw:destination", places[other.place].name)]
        return [*ends, ("tw:visited", other.name)]

    def _whole(self, event: _Event, is_project: bool) -> list[Pair]:
        project = self._project
        fits = project and not is_project and abs(project.year - event.year) <= 1
        return [("tw:partOf", project.name)] if project and fits and self._shared.random.random() < 0.5 else []

    def _participants(self, event: _Event, came_about: bool, one: Named, other: Named) -> None:
        world, random = self._shared.world, self._shared.random
        ranks = world.actor_ranks.several(random, random.choice((0, 1, 1, 2, 3, 5)))
        names = dict.fromkeys([one.name, other.name, *(world.actors[rank].name for rank in ranks)])
        taking_part = []
        for number, actor in enumerate(names):
            role = world.concepts["role"][world.role_ranks.draw(random)].name
            inferred = number == len(names) - 1 and random.random() < 0.1
            self._participation(event, f"{self._number}-{self._here}-{number}", actor, role, inferred)
            if role not in _NOT_TAKING_PART:
                taking_part.append(actor)
        self._shared.tally.derived += len(taking_part)
        if came_about:
            self._join(taking_part)

    def _participation(self, event: _Event, key: str, actor: str, role: str, inferred: bool) -> None:
        basis = "basis:inferred" if inferred else "basis:asserted"
        pairs = [("tw:participationIn", event.name), ("tw:agent", actor), ("tw:role", role), ("tw:basis", basis)]
        pairs.append(("tw:evidence", self._shared.random.choice(event.passages)))
        file = self._shared.inferred if inferred else self._participations
        file.thing(f"participation:g-{key}", "tw:Participation", pairs)
        self._shared.samples.add(self._shared.sampling, "actor", actor)

    def _join(self, actors: list[str]) -> None:
        """Count the edges that the rules derive between those who worked together, each pair once."""
        joined = self._shared.joined
        before = len(joined)
        joined.update((a, b) for a in actors for b in actors if a != b)
        self._shared.tally.derived += len(joined) - before

    def _agreement(self, event: _Event) -> None:
        random, key = self._shared.random, f"{self._number}-{self._here}"
        kind = random.choice(self._shared.world.concepts["agreement-type"])
        partnership, one, other = self._partnership()
        name = f"agreement:g-{key}"
        pairs = [("rdfs:label", literal(f"{kind.label('en')}: {event.labels['en']}", "en"))]
        pairs += [("tw:agreementType", kind.name), ("tw:status", "activity-status:happened"), ("tw:signed", event.span)]
        pairs.append(("tw:partnership", partnership.name))
        if random.random() < 0.5:
            pairs.append(("tw:term", f'"P{random.randint(1, 6)}Y"^^xsd:duration'))
        pairs.append(("tw:evidence", event.passages[0]))
        self._agreements.thing(name, "tw:Agreement", pairs)
        self._activities.more(event.name, [("tw:resultedIn", name)])
        self._shared.samples.add(self._shared.sampling, "agreement", name)
        signed = _Event(name, event.span, event.year, event.labels, event.passages)
        for number, actor in enumerate((one.name, other.name)):
            self._participation(signed, f"{key}-s{number}", actor, "role:signatory", False)
        self._shared.tally.derived += 4
        self._join([one.name, other.name])

    def _quantity(self, event: _Event) -> None:
        count = self._shared.random.randint(2, 900)
        pairs = [("rdfs:label", literal(f"Number of visitors: {event.labels['en']}", "en"))]
        pairs += [("tw:quantityOf", event.name), ("tw:value", str(count)), ("tw:approximate", "false")]
        pairs += [("tw:valueText", literal(str(count), self._language)), ("tw:counted", literal("visitors", "en"))]
        pairs.append(("tw:evidence", event.passages[-1]))
        self._statements.thing(f"quantity:g-{self._number}-{self._here}", "tw:Quantity", pairs)

    def _statement(self, event: _Event, folder: str, kind: str, said_by: str) -> None:
        random, world = self._shared.random, self._shared.world
        actor = world.actors[world.actor_ranks.draw(random)]
        theme = world.concepts["theme"][world.theme_ranks.draw(random)]
        text = f"{actor.label('en')} speaks of {theme.label('en')}: {event.labels['en']}"
        pairs = [("rdfs:label", literal(text, "en")), ("dcterms:description", literal(text, "en"))]
        pairs += [(said_by, actor.name), ("tw:about", event.name), ("tw:timeSpan", event.span)]
        pairs.append(("tw:evidence", event.passages[-1]))
        self._statements.thing(f"{folder}:g-{self._number}-{self._here}", kind, pairs)

    def _span(self, name: str, text: str, words: str, passages: list[str]) -> None:
        pairs = [("rdfs:label", literal(words, "en")), ("tw:edtf", f'"{text}"^^edtf:EDTF')]
        pairs += [("tw:dateText", literal(words, self._language)), ("tw:basis", "basis:asserted")]
        self._spans.thing(name, "tw:TimeSpan", [*pairs, *(("tw:evidence", passage) for passage in passages)])

    def _passage(self, labels: dict[str, str], part: str) -> str:
        random = self._shared.random
        name = "-".join(filter(None, (f"passage:g-{self._number}-{self._here}", part)))
        start = self._offset + random.randint(1, 40)
        quote = f"{labels[self._language][:100]} {part}".strip()
        self._offset = start + len(quote) + random.randint(0, 80)
        pairs = [("tw:inDocument", f"document:{self._number}"), ("tw:start", str(start)), ("tw:end", str(self._offset))]
        self._passages.thing(name, "tw:Passage", [*pairs, ("tw:quote", literal(quote, self._language))])
        self._shared.samples.add(self._shared.sampling, "passage", name)
        return name
