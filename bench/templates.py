"""The query templates: what researchers ask, with parameters drawn from what was grown, portable to every engine.

A template's first lines are YAML behind ``#+``: a title, and each parameter's kind. ``$name`` in the text becomes an
IRI in angle brackets for a kind of thing, else the value as it stands. Things are drawn as often as they occur.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml

from twingraph.settings import Settings
from twingraph.sparql.query import with_prefixes

_FOLDER = Path(__file__).parent / "queries"
_PARAMETER = re.compile(r"\$([a-z]+)")
_WORDS = (
    "visit",
    "forum",
    "wastewater",
    "konsert",
    "hållbar",
    "energi",
    "utbildning",
    "城市",
    "youth",
    "trade",
    "skola",
)
_WORDS += (
    "museum",
    "klima",
    "matkailu",
    "可持续",
    "agreement",
    "delegation",
    "Sundhamn",
    "Norhamn",
    "Linhamn",
    "robot",
)


@dataclass(frozen=True)
class Template:
    """A template; ``is_graph`` when it answers triples rather than rows."""

    name: str
    title: str
    kinds: dict[str, str]
    text: str
    settings: Settings

    @property
    def is_graph(self) -> bool:
        """Whether the answer is a graph."""
        return re.search(r"^(CONSTRUCT|DESCRIBE)\b", self.text, re.MULTILINE) is not None

    def draw(self, samples: dict[str, list[str]], count: int, seed: int) -> list[str]:
        """Return the query with so many draws of its parameters, the same for the same seed."""
        random = Random(f"{self.name} {seed}")
        return [self._bind(samples, random) for _ in range(count)]

    def _bind(self, samples: dict[str, list[str]], random: Random) -> str:
        values = {name: self._value(kind, samples, random) for name, kind in self.kinds.items()}
        return _PARAMETER.sub(lambda match: values[match[1]], self.text)

    def _value(self, kind: str, samples: dict[str, list[str]], random: Random) -> str:
        plain = _plain(kind, random)
        if plain is not None:
            return plain
        if kind == "graph":
            number = random.choice(samples["document"]).partition(":")[2]
            return f"<{self.settings.iris.graph(f'graph/source/{number}')}>"
        return f"<{self.settings.iris.expand(random.choice(samples[kind]))}>"


def load_templates(settings: Settings) -> tuple[Template, ...]:
    """Return the templates with the prefixes they use declared, sorted by name."""
    return tuple(_load(path, settings) for path in sorted(_FOLDER.glob("*.rq")))


def _load(path: Path, settings: Settings) -> Template:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    header = yaml.safe_load("".join(line[2:].lstrip(" ") for line in lines if line.startswith("#+")))
    body = "".join(line for line in lines if not line.startswith("#+"))
    text = with_prefixes(body, settings.iris.namespaces)
    return Template(path.stem, header["title"], header.get("parameters", {}), text, settings)


def _plain(kind: str, random: Random) -> str | None:
    """Return a value that is not a thing, None when the kind is one of things."""
    if kind == "year":
        return str(random.randint(1990, 2020))
    if kind == "date":
        return f"{random.randint(1990, 2020)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    if kind == "word":
        return random.choice(_WORDS)
    if kind == "offset":
        return str(random.randint(0, 60))
    if kind == "language":
        return random.choice(("sv", "da", "fi"))
    return None
