"""Random queries asked of two engines, and what is left of those whose answers differ when they are shrunk."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from conformance.compare import Match, compare, difference
from conformance.results import Answer, Solutions
from differential.engines import Engine, Failure
from differential.generator import GRAPHS, PREFIXES, Generator, RandomQuery, random_quads

_QUERIES_OF_A_DATASET = 25
_NAME = re.compile(r"(?<=\s):(\w+)")
_NUMBER = re.compile(r" (\d+(?:\.\d+)?)(?= |$)")
_XSD = "http://www.w3.org/2001/XMLSchema#"


@dataclass(frozen=True)
class Cause:
    """A known difference: the pattern that its queries match, an example, and why it stays."""

    name: str
    pattern: str
    query: str
    data: str
    reason: str


@dataclass(frozen=True)
class Difference:
    """A query, shrunk, with the data, the mode of the default graph and both answers."""

    query: str
    data: dict[str, list[str]]
    mode: str
    theirs: Answer | Failure
    ours: Answer | Failure
    number: int = 0

    @property
    def text(self) -> str:
        """All of it, for people."""
        data = "\n".join(f"  {graph or 'default'}: {' . '.join(triples)}" for graph, triples in self.data.items())
        failed = isinstance(self.theirs, Failure) or isinstance(self.ours, Failure)
        shown = f"Jena: {self.theirs}\nours: {self.ours}" if failed else difference(self.theirs, self.ours)
        return (
            f"query {self.number}, default graph: {self.mode}\n{data}\n  {self.query.removeprefix(PREFIXES)}\n{shown}\n"
        )


def known_causes() -> tuple[Cause, ...]:
    """Return the differences that are known."""
    content = tomllib.loads(Path(__file__).with_name("known_differences.toml").read_text(encoding="utf-8"))
    return tuple(Cause(name, **entry) for name, entry in content.items())


def cause_of(found: Difference) -> str:
    """Return the name of a difference's cause, nothing when it is new."""
    text = found.query.removeprefix(PREFIXES)
    return next((one.name for one in known_causes() if re.search(one.pattern, text)), "")


class Comparison:
    """Two engines over the same data."""

    def __init__(self, theirs: Engine, ours: Engine, directory: Path) -> None:
        self._theirs, self._ours, self._directory = theirs, ours, directory
        self._data: dict[str, list[str]] = {}
        self._mode = ""

    def run(self, seed: int, count: int) -> Iterator[Difference | None]:
        """Yield for each of so many queries the difference it makes, or None."""
        for number in range(count):
            random = Random(f"{seed}/{number}")
            if number % _QUERIES_OF_A_DATASET == 0:
                mode = "union" if number // _QUERIES_OF_A_DATASET % 2 else "default"
                self.load(random_quads(random), mode)
            found = self.differs(Generator(random).query())
            yield replace(found, number=number) if found else None

    def load(self, data: dict[str, list[str]], mode: str) -> None:
        """Have both engines take the data; in the mode ``union`` the default graph is the merge of the others."""
        named = {graph: data.get(graph, []) for graph in GRAPHS}
        merge = sorted({triple for triples in named.values() for triple in triples})
        default = merge if mode == "union" else data.get("", [])
        self._write("theirs.nq", {**named, "": default})
        self._write("ours.nq", named if mode == "union" else {**named, "": default})
        self._theirs.load(self._directory / "theirs.nq")
        self._ours.load(self._directory / "ours.nq", mode)
        self._data, self._mode = {**named, "": default}, mode

    def differs(self, query: RandomQuery) -> Difference | None:
        """Return what is left of a query's difference when it is shrunk, None when there is none."""
        found = self._asked(query)
        if found is None:
            return None
        kind = found.ours.kind if isinstance(found.ours, Failure) else ""
        while True:
            smaller = ((one, self._asked(one)) for one in query.smaller())
            step = next(((one, less) for one, less in smaller if less and _kind(less) == kind), None)
            if step is None:
                return found
            query, found = step

    def text_differs(self, text: str, *, ordered: bool = False) -> Difference | None:
        """Return the difference that a query as text makes, without shrinking it."""
        theirs = self._theirs.ask(text)
        if isinstance(theirs, Failure):
            # Nothing to compare with: a query that Jena refuses or takes too long for.
            return None
        ours = self._ours.ask(text)
        found = Difference(text, self._data, self._mode, theirs, ours)
        if isinstance(ours, Failure):
            return found
        if ordered and isinstance(theirs, Solutions) and isinstance(ours, Solutions):
            theirs, ours = replace(theirs, ordered=True), replace(ours, ordered=True)
        return found if compare(theirs, ours) is Match.DIFFERENT else None

    def _asked(self, query: RandomQuery) -> Difference | None:
        return self.text_differs(str(query), ordered=query.is_ordered)

    def _write(self, name: str, graphs: dict[str, list[str]]) -> None:
        lines = (f"{_full(triple)} {_full(graph)} .\n" for graph, triples in graphs.items() for triple in triples)
        (self._directory / name).write_text("".join(lines), encoding="utf-8")


def _kind(found: Difference) -> str:
    return found.ours.kind if isinstance(found.ours, Failure) else ""


def _full(text: str) -> str:
    """Return terms as N-Quads has them."""
    typed = _NUMBER.sub(lambda m: f' "{m[1]}"^^<{_XSD}{"decimal" if "." in m[1] else "integer"}>', f" {text}")
    typed = re.sub(r" true$", f' "true"^^<{_XSD}boolean>', typed)
    return _NAME.sub(r"<http://e/\1>", typed).strip()
