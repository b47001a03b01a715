"""``ORDER BY``: numbers stand together, so that the order is one (SPARQL 1.1, section 15.1).

The engine compares two numbers by their values, and a number with another literal by their texts. So 10 is before "1z",
"1z" before 9, and 9 before 10: where the engine's sorting notices that this is no order, its process ends. Whatever may
be a number in one row and another literal in the next is sorted by whether it is a number first; the specification
leaves that order open.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.sparql.rewrites.source import Change, Data, Source, applied
from twingraph.sparql.tokens import keyword

# Whether a property has numbers and others is only looked for among so many of its values, and remembered.
_MOST_VALUES = 10_000
_MOST_KNOWN = 10_000
_MOST_ASKED = 10
_LONGEST_KEY = 5000
_MOST_CONDITIONS = 100
_ENDS = {"LIMIT", "OFFSET", "VALUES"}
_LISTS_END = {*_ENDS, "WHERE", "FROM", "HAVING", "CONSTRUCT", "ASK", "DESCRIBE"}
# An expression with these is not worked out a second time: it costs much, or gives another value.
_AGAIN = {"EXISTS", "RAND"}
# What these give is a number always or never.
_NUMBERS = {
    "COUNT", "SUM", "AVG", "STRLEN", "ABS", "CEIL", "FLOOR", "ROUND", "RAND", "YEAR", "MONTH", "DAY", "HOURS",
    "MINUTES", "SECONDS",
}  # fmt: skip
_OTHERS = {
    "STR", "LANG", "DATATYPE", "CONCAT", "GROUP_CONCAT", "LCASE", "UCASE", "SUBSTR", "REPLACE", "STRBEFORE",
    "STRAFTER", "STRLANG", "MD5", "SHA1", "SHA256", "SHA512", "IRI", "URI", "NOW", "BOUND", "REGEX", "CONTAINS",
    "STRSTARTS", "STRENDS", "LANGMATCHES", "ISIRI", "ISLITERAL", "BNODE", "UUID",
}  # fmt: skip


def orders(source: Source, data: Data) -> str:
    """Sort by whether there is a number first, wherever a column may hold numbers and other literals."""
    conditions = tuple(_conditions(source))
    if len(conditions) > _MOST_CONDITIONS:
        return source.text
    mentions = _Mentions(source, data)
    return applied(source.text, (one.change(source) for one in conditions if not one.is_uniform(source, mentions)))


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition of ORDER BY, from ``place`` to ``last``; its expression goes from ``begin`` to ``end``."""

    place: int
    begin: int
    end: int
    last: int

    def is_uniform(self, source: Source, mentions: "_Mentions") -> bool:
        """Tell whether its values are all numbers, or none of them is."""
        first = source.tokens[self.begin]
        if self.begin == self.end:
            return first.kind != "variable" or mentions.are_uniform(first.text[1:])
        called = source.arguments(self.begin)
        if called is not None and called[1] == self.end and keyword(first) in _NUMBERS | _OTHERS:
            return True
        return any(source.keyword(place) in _AGAIN for place in range(self.begin, self.end))

    def change(self, source: Source) -> Change:
        """Return the condition to be put before this one."""
        tokens = source.tokens
        text = f"isNumeric({source.text[tokens[self.begin].start : tokens[self.end].end]})"
        start = tokens[self.place].start
        return Change(start, start, f" DESC({text}) " if source.keyword(self.place) == "DESC" else f" {text} ")


def _conditions(source: Source) -> Iterator[_Condition]:
    for place in source.words.get("ORDER", ()):
        if source.keyword(place + 1) == "BY":
            following = place + 2
            while condition := _condition(source, following):
                yield condition
                following = condition.last + 1


def _condition(source: Source, place: int) -> _Condition | None:
    if place < len(source.tokens) and source.tokens[place].kind == "variable":
        return _Condition(place, place, place, place)
    opening = place + (source.keyword(place) in ("ASC", "DESC"))
    closing = source.closing.get(opening, 0)
    if source.sign(opening) == "(" and closing > opening + 1:
        return _Condition(place, opening + 1, closing - 1, closing)
    if (called := source.arguments(place)) and source.keyword(place) not in _ENDS:
        return _Condition(place, place, called[1], called[1])
    return None


class _Mentions:
    """What the places where a variable stands tell of its values."""

    def __init__(self, source: Source, data: Data) -> None:
        self._source, self._data, self._asked = source, data, 0
        self._places: dict[str, list[int]] = {}
        self._around: list[int] = []
        self._plain: set[int] = set()
        self._read()

    def are_uniform(self, name: str) -> bool:
        """Tell whether the values of a variable are all numbers, or none of them is."""
        kinds = {self._kind(place) for place in self._places.get(name, ())} - {""}
        return len(kinds) <= 1 and "any" not in kinds

    def _read(self) -> None:
        """Note where variables stand, in which brackets, and where a list of columns or keys only names them."""
        source = self._source
        opened: list[int] = []
        listed = False
        for place, token in enumerate(source.tokens):
            self._around.append(opened[-1] if opened else -1)
            if token.kind == "sign":
                listed = listed and token.text not in "{}"
                if place in source.closing:
                    opened.append(place)
                elif opened and source.closing[opened[-1]] == place:
                    opened.pop()
            elif token.kind == "word":
                word = token.text.upper()
                listed = word in ("SELECT", "BY") or (listed and word not in _LISTS_END)
            elif token.kind == "variable":
                self._places.setdefault(token.text[1:], []).append(place)
                if listed and not (opened and source.sign(opened[-1]) == "("):
                    self._plain.add(place)

    def _kind(self, place: int) -> str:
        """Return what a mention says: ``number`` or ``other``, ``any``, or nothing."""
        source, before = self._source, place - 1
        if place in self._plain:
            return ""
        if source.keyword(before) == "AS":
            return self._computed(before)
        if source.sign(self._around[place]) == "(" and self._around[place] >= 0:
            # After a word it is an expression; after a name, it may be a list.
            return "" if source.keyword(self._around[place] - 1) not in ("", "VALUES", "A") else "any"
        if source.keyword(before) == "VALUES":
            return self._given(place + 1)
        if self._begins(before) or source.sign(before) == ";" or source.keyword(before) == "GRAPH":
            return "other"
        if before >= 0 and (source.tokens[before].kind in ("name", "iri") or source.sign(before) == "a"):
            return self._object(before)
        return "any"

    def _begins(self, before: int) -> bool:
        """Tell whether a subject follows what stands at a place: a statement's end, or an expression's after a word."""
        source = self._source
        if source.sign(before) == ")" and source.opening.get(before, 0):
            return source.tokens[source.opening[before] - 1].kind == "word"
        return before > 0 and source.sign(before) in ("{", "}", ".")

    def _given(self, opening: int) -> str:
        """Return the kind of the values between braces."""
        tokens = self._source.tokens[opening + 1 : self._source.closing.get(opening, opening)]
        kinds = {token.kind for token in tokens if token.text != "UNDEF"}
        return "other" if kinds <= {"name", "iri"} else "number" if kinds == {"number"} else "any"

    def _computed(self, place: int) -> str:
        """Return the kind of what stands before an AS."""
        source = self._source
        opening = self._around[place]
        called = source.arguments(opening + 1)
        if called is None or called[1] != place - 1 or source.keyword(opening + 1) not in _NUMBERS | _OTHERS:
            return "any"
        return "number" if source.keyword(opening + 1) in _NUMBERS else "other"

    def _object(self, verb: int) -> str:
        """Return the kind of the objects of a verb that is a name."""
        if self._source.sign(verb - 1) == "^":
            return "other"
        if self._source.sign(verb - 1) in ("|", "!"):
            return "any"
        return self._property(self._source.sign(verb))

    def _property(self, name: str) -> str:
        """Return the kind of a property's values."""
        known, key = self._data.known, f"{self._source.declared(name)}{name}"
        if key not in known and len(known) < _MOST_KNOWN and len(key) < _LONGEST_KEY and self._asked < _MOST_ASKED:
            self._asked += 1
            known[key] = self._found(name)
        return known.get(key, "any")

    def _found(self, name: str) -> str:
        """Return the kind of a property's values, after looking at them."""

        def ask(pattern: str) -> bool:
            return self._data.ask(f"{self._source.declared(name)}ASK {{ {pattern} }}")

        values = f"{{ ?s {name} ?o }}"
        if not self._data.merged:
            values += f" UNION {{ GRAPH ?g {values} }}"
        if ask(f"{{ SELECT ?o {{ {values} }} OFFSET {_MOST_VALUES} LIMIT 1 }}"):
            return "any"
        if not ask(f"{values} FILTER(isNumeric(?o))"):
            return "other"
        return "any" if ask(f"{values} FILTER(!isNumeric(?o))") else "number"
