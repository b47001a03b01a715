"""Seeded random datasets and queries. A query is a tree, so that it can be shrunk to what still makes a difference."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

PREFIXES = "PREFIX : <http://e/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
GRAPHS = (":g1", ":g2", ":g3")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_IRIS = (":a", ":b", ":c", ":d")
_LITERALS = (
    '"x"',
    '"y"@en',
    '"1"',
    "1",
    "2",
    "2.5",
    f'"2001-01-01"^^<{_XSD}date>',
    f'"2001-01-02Z"^^<{_XSD}date>',
    "true",
)
_VARIABLES = ("?s", "?o", "?u", "?v")
_PROPERTIES = (":p", ":q", ":r")


@dataclass(frozen=True)
class Node:
    """A piece of a group: a text in which each ``%`` stands for one of its groups, in order."""

    text: str
    groups: tuple[tuple["Node", ...], ...] = ()

    def __str__(self) -> str:
        first, *rest = self.text.split("%")
        return first + "".join(f"{{ {written(group)} }}{after}" for group, after in zip(self.groups, rest, strict=True))


@dataclass(frozen=True)
class RandomQuery:
    """A query: what stands before its group, the group, and what stands behind it."""

    head: str
    dataset: tuple[str, ...]
    group: tuple[Node, ...]
    tail: str = ""

    def __str__(self) -> str:
        return f"{PREFIXES}{' '.join((self.head, *self.dataset))} WHERE {{ {written(self.group)} }} {self.tail}".strip()

    @property
    def is_ordered(self) -> bool:
        """Whether the order of its rows counts: the generator then sorts by all columns."""
        return "ORDER BY" in self.tail

    def smaller(self) -> Iterator["RandomQuery"]:
        """Yield the queries that are a step smaller."""
        for place in range(len(self.dataset)):
            yield replace(self, dataset=self.dataset[:place] + self.dataset[place + 1 :])
        if self.tail and "GROUP BY" not in self.tail:
            yield replace(self, tail="")
        for group in _smaller(self.group):
            yield replace(self, group=group)


def written(group: tuple[Node, ...]) -> str:
    """Return the text of a group."""
    return " ".join(map(str, group))


def _smaller(group: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    for place, node in enumerate(group):
        before, after = group[:place], group[place + 1 :]
        yield before + after
        for inner in node.groups:
            yield before + inner + after
        for number, inner in enumerate(node.groups):
            for less in _smaller(inner):
                groups = (*node.groups[:number], less, *node.groups[number + 1 :])
                yield (*before, replace(node, groups=groups), *after)


def random_quads(random: Random) -> dict[str, list[str]]:
    """Return triples as text by graph, at least one for each that has a name; the empty name is the default graph's."""
    found = {}
    for graph in ("", *GRAPHS):
        triples = {
            f"{random.choice(_IRIS)} {random.choice(_PROPERTIES)} {random.choice(_IRIS + _LITERALS)}"
            for _ in range(random.randint(1 if graph else 0, 7))
        }
        found[graph] = sorted(triples)
    return found


class Generator:
    """Makes queries from a source of random numbers."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def query(self) -> RandomQuery:
        """Return the next query."""
        pick, dataset = self._random.random(), self._dataset()
        group = self._group(3)
        if pick < 0.1:
            return RandomQuery("ASK", dataset, group)
        if pick < 0.2:
            return RandomQuery(f"CONSTRUCT {{ {self._subject()} :x {self._variable()} . ?u :y ?v }}", dataset, group)
        if pick < 0.35:
            key = self._variable()
            return RandomQuery(f"SELECT {key} ({self._aggregate()} AS ?n)", dataset, group, f"GROUP BY {key}")
        if pick < 0.6:
            columns = self._random.sample(_VARIABLES, self._random.randint(1, 3))
            head = f"SELECT {self._random.choice(('', 'DISTINCT '))}{' '.join(columns)}"
            return RandomQuery(head, dataset, group, self._order(columns) if self._chance(0.5) else "")
        return RandomQuery("SELECT *", dataset, group)

    def _order(self, columns: list[str]) -> str:
        keys = (f"BOUND({one}) isLiteral({one}) STR({one}) LANG({one}) STR(DATATYPE({one}))" for one in columns)
        limit = self._random.choice(("", " LIMIT 2", " OFFSET 1 LIMIT 2"))
        return f"ORDER BY {' '.join(keys)}{limit}"

    def _dataset(self) -> tuple[str, ...]:
        if self._chance(0.75):
            return ()
        clauses = [f"FROM {one}" for one in GRAPHS if self._chance(0.4)]
        return (*clauses, *(f"FROM NAMED {one}" for one in GRAPHS if self._chance(0.4)))

    def _group(self, depth: int) -> tuple[Node, ...]:
        return tuple(self._node(depth) for _ in range(self._random.choice((1, 1, 2, 2, 3))))

    def _node(self, depth: int) -> Node:
        pick = self._random.random()
        if depth == 0 or pick < 0.42:
            return Node(f"{self._subject()} {self._verb()} {self._object()} .")
        group = self._group(depth - 1)
        if pick < 0.58:
            return Node(f"GRAPH {self._random.choice((*GRAPHS, ':none', '?g', '?g', '?h', '?g'))} %", (group,))
        if pick < 0.82:
            opening = ("OPTIONAL %", "MINUS %", "FILTER EXISTS %", "FILTER NOT EXISTS %", "%", "% UNION %")
            text = self._random.choice(opening)
            return Node(text, (group, self._group(depth - 1))[: text.count("%")])
        if pick < 0.88:
            return Node(
                f"{{ SELECT {self._random.choice(('*', 'DISTINCT ?s', '?s ?o', '(COUNT(*) AS ?v)'))} % }}", (group,)
            )
        return self._plain(pick)

    def _plain(self, pick: float) -> Node:
        if pick < 0.91:
            values = " ".join(self._random.sample(_IRIS + _LITERALS, 2))
            return Node(f"VALUES {self._variable()} {{ {values} }}")
        if pick < 0.93:
            return Node(f"VALUES (?s ?o) {{ ({self._constant()} UNDEF) (UNDEF {self._constant()}) }}")
        if pick < 0.97:
            return Node(f"FILTER({self._condition()})")
        return Node(f"BIND({self._expression()} AS ?w{self._random.randint(0, 99)})")

    def _verb(self) -> str:
        if self._chance(0.15):
            return self._variable()
        if self._chance(0.75):
            return self._random.choice(_PROPERTIES)
        return self._path(2)

    def _path(self, depth: int) -> str:
        first = self._random.choice(_PROPERTIES) if depth == 0 or self._chance(0.4) else f"({self._path(depth - 1)})"
        form = self._random.choice(("{}*", "{}?", "{}+", "^{}", "{}/:q", "^{}/:p", "{}*/:r"))
        return form.format(first)

    def _condition(self) -> str:
        one, other = self._variable(), self._random.choice((self._variable(), self._constant()))
        forms = (
            f"{one} = {other}", f"{one} != {other}", f"{one} < {other}", f"BOUND({one})", f"isIRI({one})",
            f"!isLiteral({one}) || {one} = {other}", f"{one} IN ({other}, :a)", f'LANG({one}) = "en"',
            f"sameTerm({one}, {other})",
        )  # fmt: skip
        return self._random.choice(forms)

    def _expression(self) -> str:
        one, other = self._variable(), self._constant()
        forms = (
            one, f"STR({one})", f"COALESCE({one}, {other})", f"IF(BOUND({one}), 1, {other})", f"{one} + 1",
            f"DATATYPE({one})", f"CONCAT(STR({one}), 'z')", f":unknown({one})",
        )  # fmt: skip
        return self._random.choice(forms)

    def _aggregate(self) -> str:
        one = self._variable()
        forms = (
            "COUNT(*)", f"COUNT({one})", f"COUNT(DISTINCT {one})", f"SUM({one})", f"STRLEN(GROUP_CONCAT({one}))",
            f"STRLEN(GROUP_CONCAT(DISTINCT {one}; SEPARATOR=''))", "COUNT(DISTINCT *)",
        )  # fmt: skip
        return self._random.choice(forms)

    def _subject(self) -> str:
        return self._variable() if self._chance(0.7) else self._random.choice((*_IRIS, ":z", "?g", "[]"))

    def _object(self) -> str:
        return self._variable() if self._chance(0.7) else self._constant()

    def _constant(self) -> str:
        return self._random.choice((*_IRIS, *_LITERALS, ":z"))

    def _variable(self) -> str:
        return self._random.choice(_VARIABLES)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
