"""``ORDER BY``: numbers stand together, so that the order is one (SPARQL 1.1, section 15.1).

The engine compares two numbers by their values, and a number with another literal by their texts. So 10 is before "1z",
"1z" before 9, and 9 before 10: where the engine's sorting notices that this is no order, its process ends. Whatever may
be a number in one row and another literal in the next is sorted by whether it is a number first; the specification
leaves that order open.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.sparql.rewrites.tokenized_query import Change, DatasetFacts, TokenizedQuery, applied
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


def orders(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Sort by whether there is a number first, wherever a column may hold numbers and other literals."""
    conditions = tuple(_conditions(query))
    if len(conditions) > _MOST_CONDITIONS:
        return query.text
    mentions = _Mentions(query, facts)
    return applied(query.text, (one.change(query) for one in conditions if not one.is_uniform(query, mentions)))


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition of ORDER BY, from ``place`` to ``last``; its expression goes from ``begin`` to ``end``."""

    place: int
    begin: int
    end: int
    last: int

    def is_uniform(self, query: TokenizedQuery, mentions: "_Mentions") -> bool:
        """Tell whether its values are all numbers, or none of them is."""
        first = query.tokens[self.begin]
        if self.begin == self.end:
            return first.kind != "variable" or mentions.are_uniform(first.text[1:])
        called = query.arguments(self.begin)
        if called is not None and called[1] == self.end and keyword(first) in _NUMBERS | _OTHERS:
            return True
        return any(query.keyword(place) in _AGAIN for place in range(self.begin, self.end))

    def change(self, query: TokenizedQuery) -> Change:
        """Return the condition to be put before this one."""
        tokens = query.tokens
        text = f"isNumeric({query.text[tokens[self.begin].start : tokens[self.end].end]})"
        start = tokens[self.place].start
        return Change(start, start, f" DESC({text}) " if query.keyword(self.place) == "DESC" else f" {text} ")


def _conditions(query: TokenizedQuery) -> Iterator[_Condition]:
    for place in query.words.get("ORDER", ()):
        if query.keyword(place + 1) == "BY":
            following = place + 2
            while condition := _condition(query, following):
                yield condition
                following = condition.last + 1


def _condition(query: TokenizedQuery, place: int) -> _Condition | None:
    if place < len(query.tokens) and query.tokens[place].kind == "variable":
        return _Condition(place, place, place, place)
    opening = place + (query.keyword(place) in ("ASC", "DESC"))
    closing = query.closing.get(opening, 0)
    if query.text_at(opening) == "(" and closing > opening + 1:
        return _Condition(place, opening + 1, closing - 1, closing)
    if (called := query.arguments(place)) and query.keyword(place) not in _ENDS:
        return _Condition(place, place, called[1], called[1])
    return None


class _Mentions:
    """What the places where a variable stands tell of its values."""

    def __init__(self, query: TokenizedQuery, facts: DatasetFacts) -> None:
        self._query, self._facts, self._asked = query, facts, 0
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
        query = self._query
        opened: list[int] = []
        listed = False
        for place, token in enumerate(query.tokens):
            self._around.append(opened[-1] if opened else -1)
            if token.kind == "sign":
                listed = listed and token.text not in "{}"
                if place in query.closing:
                    opened.append(place)
                elif opened and query.closing[opened[-1]] == place:
                    opened.pop()
            elif token.kind == "word":
                word = token.text.upper()
                listed = word in ("SELECT", "BY") or (listed and word not in _LISTS_END)
            elif token.kind == "variable":
                self._places.setdefault(token.text[1:], []).append(place)
                if listed and not (opened and query.text_at(opened[-1]) == "("):
                    self._plain.add(place)

    def _kind(self, place: int) -> str:
        """Return what a mention says: ``number`` or ``other``, ``any``, or nothing."""
        query, before = self._query, place - 1
        if place in self._plain:
            return ""
        if query.keyword(before) == "AS":
            return self._computed(before)
        if query.text_at(self._around[place]) == "(" and self._around[place] >= 0:
            # After a word it is an expression; after a name, it may be a list.
            return "" if query.keyword(self._around[place] - 1) not in ("", "VALUES", "A") else "any"
        if query.keyword(before) == "VALUES":
            return self._given(place + 1)
        if self._begins(before) or query.text_at(before) == ";" or query.keyword(before) == "GRAPH":
            return "other"
        if before >= 0 and (query.tokens[before].kind in ("name", "iri") or query.text_at(before) == "a"):
            return self._object(before)
        return "any"

    def _begins(self, before: int) -> bool:
        """Tell whether a subject follows what stands at a place: a statement's end, or an expression's after a word."""
        query = self._query
        if query.text_at(before) == ")" and query.opening.get(before, 0):
            return query.tokens[query.opening[before] - 1].kind == "word"
        return before > 0 and query.text_at(before) in ("{", "}", ".")

    def _given(self, opening: int) -> str:
        """Return the kind of the values between braces."""
        tokens = self._query.tokens[opening + 1 : self._query.closing.get(opening, opening)]
        kinds = {token.kind for token in tokens if token.text != "UNDEF"}
        return "other" if kinds <= {"name", "iri"} else "number" if kinds == {"number"} else "any"

    def _computed(self, place: int) -> str:
        """Return the kind of what stands before an AS."""
        query = self._query
        opening = self._around[place]
        called = query.arguments(opening + 1)
        if called is None or called[1] != place - 1 or query.keyword(opening + 1) not in _NUMBERS | _OTHERS:
            return "any"
        return "number" if query.keyword(opening + 1) in _NUMBERS else "other"

    def _object(self, verb: int) -> str:
        """Return the kind of the objects of a verb that is a name."""
        if self._query.text_at(verb - 1) == "^":
            return "other"
        if self._query.text_at(verb - 1) in ("|", "!"):
            return "any"
        return self._property(self._query.text_at(verb))

    def _property(self, name: str) -> str:
        """Return the kind of a property's values."""
        known, key = self._facts.known, f"{self._query.declared(name)}{name}"
        if key not in known and len(known) < _MOST_KNOWN and len(key) < _LONGEST_KEY and self._asked < _MOST_ASKED:
            self._asked += 1
            known[key] = self._found(name)
        return known.get(key, "any")

    def _found(self, name: str) -> str:
        """Return the kind of a property's values, after looking at them."""

        def ask(pattern: str) -> bool:
            return self._facts.ask(f"{self._query.declared(name)}ASK {{ {pattern} }}")

        values = f"{{ ?s {name} ?o }}"
        if not self._facts.merged:
            values += f" UNION {{ GRAPH ?g {values} }}"
        if ask(f"{{ SELECT ?o {{ {values} }} OFFSET {_MOST_VALUES} LIMIT 1 }}"):
            return "any"
        if not ask(f"{values} FILTER(isNumeric(?o))"):
            return "other"
        return "any" if ask(f"{values} FILTER(!isNumeric(?o))") else "number"
