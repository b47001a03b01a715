"""``ORDER BY``: the engine's comparison of terms is not a total order, which can crash its process.

The engine compares terms by value if they are comparable, and otherwise by their strings, so that 10 < "1z", "1z" < 9,
and 9 < 10. For the same reason there is no total order of numbers and other literals, of dates, times or years with and
without a time zone, of dates and times, of durations of months and of days, nor of integers and the floats above 2^24
or doubles above 2^53 to which several of them are equal. Rust's sort may panic in such a case, and pyoxigraph aborts
(signal 6). The specification leaves the order between such classes open (SPARQL 1.1, section 15.1).

So if the values of a condition can be of several classes, they are sorted by class first: simple and other literals by
their strings, then each datatype of dates and times without and with a time zone, durations by their parts, and numbers
last, by their value as a double and then by datatype. If all are of one class, which is looked up for properties, the
condition is unchanged.

Unchanged: expressions with EXISTS or RAND, which would be evaluated twice.

Concerns: no test in the W3C's suites; issue 7, M2. Upstream: oxigraph/oxigraph issue 1542
(the same panic, for RAND; closed).
Drop when the engine sorts ``VALUES ?o { 10 "1z" 9 }`` and ``VALUES ?o { "2001-01-02"^^xsd:date
"2001-01-02+13:00"^^xsd:date "2001-01-01-13:00"^^xsd:date }`` into the same order for every order of the input.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.tokens import keyword

# The class of a property is looked up, and cached, if it has at most this number of values; a query may cause at most
# this number of look-ups.
_MAX_VALUES = 10_000
_MAX_LOOKUPS = 10
_CACHED_PROPERTIES, _CACHED_LENGTH = 10_000, 5000
_MAX_CONDITIONS = 100
_ENDS = {"LIMIT", "OFFSET", "VALUES"}
_LISTS_END = {*_ENDS, "WHERE", "FROM", "HAVING", "CONSTRUCT", "ASK", "DESCRIBE"}
# Expressions with these are not evaluated a second time: they are expensive, or have another value then.
_EVALUATED_ONCE = {"EXISTS", "RAND"}
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TEMPORAL = ("date", "dateTime", "time", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay")
_DURATIONS = ("duration", "yearMonthDuration", "dayTimeDuration")
# Classes of terms within which the engine's order is total, as in the expressions below; "any" if there may be several.
_TEXT, _EXACT, _DOUBLE, _ANY = "", "exact", f"{_XSD}double", "any"
# Functions whose values are all of one class.
_TEXT_FUNCTIONS = (
    "STR", "LANG", "DATATYPE", "CONCAT", "GROUP_CONCAT", "LCASE", "UCASE", "SUBSTR", "REPLACE", "STRBEFORE",
    "STRAFTER", "STRLANG", "MD5", "SHA1", "SHA256", "SHA512", "IRI", "URI", "BOUND", "REGEX", "CONTAINS",
    "STRSTARTS", "STRENDS", "LANGMATCHES", "ISIRI", "ISLITERAL", "ISBLANK", "ISNUMERIC", "BNODE", "UUID",
)  # fmt: skip
_EXACT_FUNCTIONS = ("COUNT", "STRLEN", "YEAR", "MONTH", "DAY", "HOURS", "MINUTES", "SECONDS")
_CLASS_OF_FUNCTION = {
    **dict.fromkeys(_TEXT_FUNCTIONS, _TEXT),
    **dict.fromkeys(_EXACT_FUNCTIONS, _EXACT),
    "RAND": _DOUBLE,
}


def _totally_ordered(query: TokenizedQuery, facts: DatasetFacts) -> str:
    conditions = tuple(_conditions(query))
    if len(conditions) > _MAX_CONDITIONS:
        return query.text
    mentions = _Mentions(query, facts)
    return applied(query.text, (one.change(query) for one in conditions if not one.is_uniform(query, mentions)))


def _typed(term: str, datatype: str, name: str) -> str:
    """Return an expression for ``name`` if a term is of a datatype, and an error if it is not or is ill-typed.

    An ill-typed literal, such as "x"^^xsd:date, is not comparable with anything; casting it is an error.
    """
    return f'IF(DATATYPE({term}) = <{_XSD}{datatype}> && isLiteral(<{_XSD}{datatype}>({term})), "{name}", 1/0)'


def _class_of(term: str) -> str:
    """Return an expression for the class of a term that is not a number."""
    types = ", ".join(_typed(term, datatype, datatype) for datatype in _TEMPORAL)
    zone = f'IF(REGEX(STR({term}), "(Z|[-+][0-9]{{2}}:[0-9]{{2}})$"), "Z", "")'
    durations = ", ".join(_typed(term, datatype, "duration") for datatype in _DURATIONS)
    months = f'IF(REGEX(STR({term}), "^-?P[^T]*[YM]"), "M", "")'
    # Durations of both months and days are not comparable: they are sorted by their strings.
    days = f'IF(REGEX(STR({term}), "[DT]"), IF({months} = "M", STR({term}), "D"), "")'
    temporal = (
        f'COALESCE(CONCAT(COALESCE({types}), {zone}), CONCAT(COALESCE({durations}), {months}, {days}), "{_TEXT}")'
    )
    # Most terms are IRIs and strings, for which these need not be evaluated.
    return f'IF(isLiteral({term}) && DATATYPE({term}) != <{_XSD}string>, {temporal}, "{_TEXT}")'


def _number_class_of(term: str) -> str:
    """Return an expression for the class of a number: exact, or the datatype of an approximate one."""
    is_approximate = f"DATATYPE({term}) IN (<{_XSD}float>, <{_DOUBLE}>)"
    return f'IF(isNumeric({term}), IF({is_approximate}, STR(DATATYPE({term})), "{_EXACT}"), "")'


def sort_keys(term: str) -> tuple[str, ...]:
    """Return the expressions to sort by before the term itself."""
    by_value = f"IF(isNumeric({term}), <{_DOUBLE}>({term}), {_class_of(term)})"
    return (f"isNumeric({term})", by_value, _number_class_of(term))


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition of ORDER BY, the tokens from ``index`` to ``last``, and its expression, from ``begin`` to ``end``."""

    index: int
    begin: int
    end: int
    last: int

    def is_uniform(self, query: TokenizedQuery, mentions: "_Mentions") -> bool:
        """Return whether all its values are of one class."""
        first = query.tokens[self.begin]
        if self.begin == self.end:
            return first.kind != "variable" or mentions.are_uniform(first.text[1:])
        called = query.arguments(self.begin)
        if called is not None and called[1] == self.end and keyword(first) in _CLASS_OF_FUNCTION:
            return True
        return any(query.keyword(index) in _EVALUATED_ONCE for index in range(self.begin, self.end))

    def change(self, query: TokenizedQuery) -> Change:
        """Return the insertion of conditions before this one."""
        tokens = query.tokens
        term = query.text[tokens[self.begin].start : tokens[self.end].end]
        if self.begin < self.end:
            term = f"({term})"
        direction = "DESC" if query.keyword(self.index) == "DESC" else ""
        start = tokens[self.index].start
        return Change(start, start, "".join(f" {direction}({key})" for key in sort_keys(term)) + " ")


def _conditions(query: TokenizedQuery) -> Iterator[_Condition]:
    for index in query.words.get("ORDER", ()):
        if query.keyword(index + 1) == "BY":
            following = index + 2
            while condition := _condition(query, following):
                yield condition
                following = condition.last + 1


def _condition(query: TokenizedQuery, index: int) -> _Condition | None:
    if index < len(query.tokens) and query.tokens[index].kind == "variable":
        return _Condition(index, index, index, index)
    opening = index + (query.keyword(index) in ("ASC", "DESC"))
    closing = query.closing.get(opening, 0)
    if query.text_at(opening) == "(" and closing > opening + 1:
        return _Condition(index, opening + 1, closing - 1, closing)
    if (called := query.arguments(index)) and query.keyword(index) not in _ENDS:
        return _Condition(index, index, called[1], called[1])
    return None


class _Mentions:
    """The classes of variables' values, as far as they follow from where the variables occur."""

    def __init__(self, query: TokenizedQuery, facts: DatasetFacts) -> None:
        self._query, self._facts, self._lookups = query, facts, 0
        self._indexes: dict[str, list[int]] = {}
        self._around: list[int] = []
        self._plain: set[int] = set()
        self._read()

    def are_uniform(self, name: str) -> bool:
        """Return whether all values of a variable are of one class."""
        classes = {self._class(index) for index in self._indexes.get(name, ())} - {None}
        return len(classes) <= 1 and _ANY not in classes

    def _read(self) -> None:
        """Record where variables occur, in which brackets, and where they are only named, in SELECT or BY clauses."""
        query = self._query
        opened: list[int] = []
        listed = False
        for index, token in enumerate(query.tokens):
            self._around.append(opened[-1] if opened else -1)
            if token.kind == "sign":
                listed = listed and token.text not in "{}"
                if index in query.closing:
                    opened.append(index)
                elif opened and query.closing[opened[-1]] == index:
                    opened.pop()
            elif token.kind == "word":
                word = token.text.upper()
                listed = word in ("SELECT", "BY") or (listed and word not in _LISTS_END)
            elif token.kind == "variable":
                self._indexes.setdefault(token.text[1:], []).append(index)
                if listed and not (opened and query.text_at(opened[-1]) == "("):
                    self._plain.add(index)

    def _class(self, index: int) -> str | None:
        """Return the class that follows from an occurrence, ``_ANY`` for several, None if it has no influence."""
        query, before = self._query, index - 1
        if index in self._plain:
            return None
        if query.keyword(before) == "AS":
            return self._computed(before)
        if query.text_at(self._around[index]) == "(" and self._around[index] >= 0:
            # After a keyword this is an expression, after a name it may be a collection.
            return None if query.keyword(self._around[index] - 1) not in ("", "VALUES", "A") else _ANY
        if query.keyword(before) == "VALUES":
            return self._inline(index + 1)
        if self._begins(before) or query.text_at(before) == ";" or query.keyword(before) == "GRAPH":
            return _TEXT
        if before >= 0 and (query.tokens[before].kind in ("name", "iri") or query.text_at(before) == "a"):
            return self._object(before)
        return _ANY

    def _begins(self, before: int) -> bool:
        """Return whether a token ends a triple pattern, or an expression after a keyword, so that a subject follows."""
        query = self._query
        if query.text_at(before) == ")" and query.opening.get(before, 0):
            return query.tokens[query.opening[before] - 1].kind == "word"
        return before > 0 and query.text_at(before) in ("{", "}", ".")

    def _inline(self, opening: int) -> str:
        """Return the class of the data between the braces of VALUES."""
        tokens = self._query.tokens[opening + 1 : self._query.closing.get(opening, opening)]
        kinds = {token.kind for token in tokens if token.text != "UNDEF"}
        if kinds <= {"name", "iri"}:
            return _TEXT
        are_exact = kinds == {"number"} and not any("e" in token.text.lower() for token in tokens)
        return _EXACT if are_exact else _ANY

    def _computed(self, index: int) -> str:
        """Return the class of the expression before an AS."""
        query = self._query
        opening = self._around[index]
        called = query.arguments(opening + 1)
        if called is None or called[1] != index - 1:
            return _ANY
        return _CLASS_OF_FUNCTION.get(query.keyword(opening + 1), _ANY)

    def _object(self, verb: int) -> str:
        """Return the class of the objects of a verb that is an IRI."""
        if self._query.text_at(verb - 1) == "^":
            return _TEXT
        if self._query.text_at(verb - 1) in ("|", "!"):
            return _ANY
        return self._property(self._query.text_at(verb))

    def _property(self, name: str) -> str:
        """Return the class of a property's values, from the cache or after a look-up."""
        known, key = self._facts.known, f"{self._query.declared(name)}{name}"
        has_room = len(known) < _CACHED_PROPERTIES and len(key) < _CACHED_LENGTH
        if key not in known and has_room and self._lookups < _MAX_LOOKUPS:
            self._lookups += 1
            known[key] = self._found(name)
        return known.get(key, _ANY)

    def _found(self, name: str) -> str:
        """Return the class of a property's values, from the data."""
        prologue, values = self._query.declared(name), f"{{ ?s {name} ?o }}"
        if not self._facts.merged:
            values += f" UNION {{ GRAPH ?g {values} }}"
        if self._facts.ask(f"{prologue}ASK {{ {{ SELECT ?o {{ {values} }} OFFSET {_MAX_VALUES} LIMIT 1 }} }}"):
            return _ANY
        # The engine sorts IRIs apart from literals, whatever their class.
        of_literal = f"IF(isNumeric(?o), {_number_class_of('?o')}, {_class_of('?o')})"
        pattern = f"{{ SELECT DISTINCT ?o {{ {values} }} }} FILTER(isLiteral(?o)) BIND({of_literal} AS ?class)"
        found = set(self._facts.values(f"{prologue}SELECT DISTINCT ?class {{ {pattern} }} LIMIT 2"))
        return _ANY if len(found) > 1 else next(iter(found), _TEXT)


REWRITE = Rewrite("order_by", ("order",), re.compile(r"\border\s+by\b"), _totally_ordered)
