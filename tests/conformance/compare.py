"""Whether an answer is the expected one: equal up to the names of blank nodes, and in order where order counts.

Terms are compared as they stand first. Where that fails, the forms of one value in one datatype count as equal
(``1.50`` and ``1.5``), and the comparison says so: the engine keeps values, not their spelling.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import count, repeat

from conformance.blank_nodes import same_but_for_blank_nodes
from conformance.results import Answer, Row, Solutions, Term, Triples

_XSD = "http://www.w3.org/2001/XMLSchema#"
_FLOATING = {_XSD + "double", _XSD + "float"}
_EXACT = {
    _XSD + name
    for name in (
        "decimal", "integer", "nonPositiveInteger", "negativeInteger", "long", "int", "short", "byte",
        "nonNegativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte", "positiveInteger",
    )
}  # fmt: skip
_TIMES = {_XSD + "dateTime", _XSD + "date", _XSD + "time"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Match(StrEnum):
    """How an answer compares with what was expected."""

    SAME = "same"
    SAME_VALUES = "same values"
    DIFFERENT = "different"


def compare(expected: Answer, answer: Answer, *, as_text: bool = False, lax: bool = False) -> Match:
    """Compare an answer with the expected one; ``as_text`` as CSV has it, ``lax`` when duplicates may go (REDUCED)."""
    if isinstance(expected, bool) or isinstance(answer, bool):
        return Match.SAME if expected is answer else Match.DIFFERENT
    for match, form in ((Match.SAME, _as_it_is), (Match.SAME_VALUES, value_form)):
        left, right = _map(expected, form), _map(answer, form)
        if as_text:
            # A term's datatype tells more of its value than its text does, so the text is made last.
            left, right = (_map(_map(one, as_csv), form) for one in (left, right))
        if _equal(left, right, lax):
            return match
    return Match.DIFFERENT


def difference(expected: Answer, answer: Answer, *, as_text: bool = False) -> str:
    """Return for people which rows or triples were missing and which were too many."""
    if type(expected) is not type(answer) or isinstance(expected, bool):
        return f"expected {expected}, got {answer}"
    if as_text:
        expected, answer = (_map(one, as_csv) for one in (expected, answer))
    wanted, got = Counter(_lines(expected)), Counter(_lines(answer))
    lines = [f"- {line}" for line in sorted((wanted - got).elements())]
    lines += [f"+ {line}" for line in sorted((got - wanted).elements())]
    return "\n".join(lines) or "another order, or other blank nodes"


def _lines(answer: Solutions | Triples) -> Iterable[str]:
    if isinstance(answer, Triples):
        return (" ".join(map(str, triple)) for triple in answer.triples)
    return (str(sorted(answer.variables)), *(str(sorted(row.items())) for row in answer.rows))


def as_csv(term: Term) -> Term | None:
    """Return what CSV keeps of a term; nothing of an empty string, which cannot be told from no binding."""
    if term[0] == "bnode":
        return term
    return ("text", term[1]) if term[1] else None


def value_form(term: Term) -> Term:
    """Return the term with one spelling for each value; in CSV what looks like a number is taken for one."""
    if term[0] == "text":
        return ("text", _floating(term[1])) if _NUMBER.fullmatch(term[1]) else term
    if term[0] != "literal":
        return term
    lexical, datatype = term[1], term[2]
    if datatype in _FLOATING:
        return ("literal", _floating(lexical), datatype)
    if datatype in _EXACT:
        return ("literal", _exact(lexical), datatype)
    if datatype == _XSD + "boolean":
        return ("literal", {"1": "true", "0": "false"}.get(lexical, lexical), datatype)
    if datatype in _TIMES:
        return ("literal", re.sub(r"[+-]00:00$", "Z", re.sub(r"(\.\d*?)0+(?=Z|[+-]|$)", r"\1", lexical)), datatype)
    return term


def _floating(lexical: str) -> str:
    try:
        return repr(float(lexical))
    except ValueError:
        return lexical


def _exact(lexical: str) -> str:
    try:
        return format(Decimal(lexical).normalize() + 0, "f")
    except InvalidOperation:
        return lexical


def _as_it_is(term: Term) -> Term:
    return term


def _map(answer: Answer, form: Callable[[Term], Term | None]) -> Answer:
    if isinstance(answer, bool):
        return answer
    if isinstance(answer, Triples):
        return Triples(frozenset((form(s), form(p), form(o)) for s, p, o in answer.triples))
    rows = ({name: new for name, term in row.items() if (new := form(term))} for row in answer.rows)
    return replace(answer, rows=tuple(rows))


def _equal(expected: Solutions | Triples, answer: Solutions | Triples, lax: bool) -> bool:
    if isinstance(expected, Triples) and isinstance(answer, Triples):
        return same_but_for_blank_nodes(tuple(expected.triples), tuple(answer.triples))
    if not (isinstance(expected, Solutions) and isinstance(answer, Solutions)):
        return False
    if set(expected.variables) != set(answer.variables):
        return False
    if lax:
        return _equal_but_for_duplicates(expected.rows, answer.rows)
    names = expected.variables
    return same_but_for_blank_nodes(*(_tuples(one.rows, names, expected.ordered) for one in (expected, answer)))


def _tuples(rows: Iterable[Row], names: Iterable[str], ordered: bool) -> list[tuple[Term, ...]]:
    """Return rows as tuples; where order counts, the number of the row is part of it."""
    number = count() if ordered else repeat("")
    return [(("row", str(next(number))), *(row.get(name, ("unbound",)) for name in names)) for row in rows]


def _equal_but_for_duplicates(expected: Iterable[Row], answer: Iterable[Row]) -> bool:
    """Tell whether the rows are the same, each at least once and not more often; for rows without blank nodes."""
    wanted, got = (Counter(frozenset(row.items()) for row in rows) for rows in (expected, answer))
    return wanted.keys() == got.keys() and all(got[row] <= wanted[row] for row in got)
