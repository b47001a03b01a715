"""Literals: every EDTF date is a date, and every typed literal is in the lexical space of its datatype.

Ill-typed literals are legal RDF (RDF 1.1 Concepts, section 3.3), and engines then drop them from every comparison.
"""

import re
from collections.abc import Iterator
from datetime import date

import pyoxigraph as ox

from twingraph.check.statements import Statements, statement
from twingraph.errors import DateError
from twingraph.findings import Finding
from twingraph.rdf.edtf import EDTF, bounds

_XSD = "http://www.w3.org/2001/XMLSchema#"
_ZONE = r"(?:Z|[+-]\d{2}:\d{2})?"
_DAY = r"(?P<day>-?\d{4,}-\d{2}-\d{2})"
# The lexical spaces of XML Schema Part 2, section 3.
_FORMS = {
    "integer": r"[+-]?\d+",
    "nonNegativeInteger": r"\+?\d+|-0+",
    "positiveInteger": r"\+?0*[1-9]\d*",
    "decimal": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)",
    "double": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN",
    "boolean": r"true|false|1|0",
    "gYear": rf"-?\d{{4,}}{_ZONE}",
    "gYearMonth": rf"-?\d{{4,}}-(?:0[1-9]|1[0-2]){_ZONE}",
    "date": rf"{_DAY}{_ZONE}",
    "dateTime": rf"{_DAY}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?{_ZONE}",
    "duration": r"-?P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?",
}
_PATTERNS = {_XSD + name: re.compile(form) for name, form in _FORMS.items()}


def check_literals(statements: Statements) -> tuple[Finding, ...]:
    """Return the literals that are not what their datatype says."""
    return tuple(_findings(statements))


def _findings(statements: Statements) -> Iterator[Finding]:
    wrong = {term for term in statements.terms.objects if isinstance(term, ox.Literal) and not _is_right(term)}
    seen: set[tuple[str, str, str]] = set()
    for quad in statements.quads if wrong else ():
        key = statement(quad)
        if not isinstance(quad.object, ox.Literal) or quad.object not in wrong or key in seen:
            continue
        seen.add(key)
        if quad.object.datatype.value == EDTF:
            if reason := _not_edtf(quad.object.value):
                remedy = (
                    "write the date as EDTF, such as 2010, 2010-04, 2010-04-12, 2012-23 (autumn), 1998~ or 2016/2020"
                )
                yield statements.finding("date/edtf", reason, remedy, *key)
        elif not _well_typed(quad.object):
            kind = statements.short(quad.object.datatype.value)
            message = f"{quad.object.value!r} is not a value of {kind}"
            remedy = f"mend the value of {statements.short(key[1])}, or its datatype"
            yield statements.finding("literal/datatype", message, remedy, *key)


def _is_right(literal: ox.Literal) -> bool:
    return _not_edtf(literal.value) is None if literal.datatype.value == EDTF else _well_typed(literal)


def _not_edtf(value: str) -> str | None:
    try:
        bounds(value)
    except DateError as error:
        return str(error)
    return None


def _well_typed(literal: ox.Literal) -> bool:
    pattern = _PATTERNS.get(literal.datatype.value)
    if pattern is None:
        return True
    match = pattern.fullmatch(literal.value)
    return match is not None and _is_day(match.groupdict().get("day"))


def _is_day(day: str | None) -> bool:
    # Years before 1 or after 9999 are outside Python's calendar, and no publication of ours has them.
    if day is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) or day.startswith("0000"):
        return True
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
