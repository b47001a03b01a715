"""Writing Turtle as a stream, and counting what is written and what the publication's rules will derive from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

Pair = tuple[str, str]

# How many statements the rules derive from one statement with this property, or for one thing of this class:
# inverses, bounds, countries, superclasses. A test compares the sum with what is really derived.
_PER_PROPERTY = {
    "tw:agent": 1,
    "tw:edtf": 2,
    "tw:evidence": 1,
    "tw:inCountry": 1,
    "tw:inDocument": 1,
    "tw:ledTo": 1,
    "tw:memberOf": 1,
    "tw:partOf": 2,
    "tw:participationIn": 1,
    "tw:quantityOf": 1,
    "tw:quote": 1,
    "tw:resultedIn": 1,
    "tw:seat": 1,
    "tw:timeSpan": 2,
}
_PER_CLASS = {
    "tw:Group": 1,
    "tw:Organisation": 1,
    "tw:Participation": 1,
    "tw:Partnership": 1,
    "tw:Project": 1,
    "tw:SourceDocument": 1,
}


@dataclass
class Tally:
    """The statements written so far, and those that the rules will derive from them."""

    written: int = 0
    derived: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The statements that a release of all this holds."""
        return self.written + self.derived

    def add(self, kind: str | None, pairs: Iterable[Pair]) -> None:
        """Count the statements of one thing."""
        has_evidence = False
        for name, _ in pairs:
            self.written += 1
            self.derived += _PER_PROPERTY.get(name, 0)
            has_evidence |= name == "tw:evidence"
        self.derived += has_evidence  # the short edge to the document
        if kind:
            self.written += 1
            self.derived += _PER_CLASS.get(kind, 0)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1


class TurtleFile:
    """One Turtle file, written thing by thing; prefixes are relative, the reader's base IRI completes them."""

    def __init__(self, path: Path, prefixes: Mapping[str, str], tally: Tally) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", newline="\n", buffering=1 << 20)
        self._tally = tally
        for prefix, iri in prefixes.items():
            self._file.write(f"@prefix {prefix}: <{iri}> .\n")
        self._file.write("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def thing(self, name: str, kind: str, pairs: list[Pair]) -> None:
        """Write a thing of a class with its statements, at least one."""
        self._tally.add(kind, pairs)
        self._file.write(f"{name} a {kind} ;\n    {_joined(pairs)} .\n\n")

    def more(self, name: str, pairs: list[Pair]) -> None:
        """Write statements about a thing that is defined elsewhere."""
        self._tally.add(None, pairs)
        self._file.write(f"{name}\n    {_joined(pairs)} .\n\n")


def literal(text: str, language: str = "") -> str:
    """Return a literal as Turtle writes it; the texts here hold no quotation marks, backslashes or line ends."""
    return f'"{text}"@{language}' if language else f'"{text}"'


def _joined(pairs: list[Pair]) -> str:
    return " ;\n    ".join(f"{name} {value}" for name, value in pairs)
