"""RDF terms: how they are written, which texts belong to their datatypes, and what the default graph contains.

Patterns and bounds of datatypes are those of XML Schema 1.1 Part 2, section 3, for the datatypes of RDF 1.1 Concepts,
section 5.1; digits are ASCII digits. White space is part of a literal, so none is removed before matching.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from enum import StrEnum

import pyoxigraph as ox

from twingraph.rdf.iris import canonical_language

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def ntriples(term: Term) -> str:
    """Return a term in N-Triples, its language tag in canonical case (the engine lower-cases tags when it parses)."""
    text = str(term)
    if isinstance(term, ox.Literal) and term.language:
        quoted, _, tag = text.rpartition("@")
        return f"{quoted}@{canonical_language(tag)}"
    return text


def text(term: Term) -> str:
    """Return a term as text: an IRI, a literal's lexical form, a blank node's label, a triple term in N-Triples."""
    if isinstance(term, ox.Triple):
        return f"<<( {term} )>>"
    return str(term) if isinstance(term, ox.BlankNode) else term.value


def blank_nodes(*terms: object) -> Iterator[ox.BlankNode]:
    """Yield the blank nodes among terms and within their triple terms."""
    waiting = [*reversed(terms)]
    while waiting:
        term = waiting.pop()
        if isinstance(term, ox.BlankNode):
            yield term
        elif isinstance(term, ox.Triple):
            waiting += (term.object, term.subject)


class DefaultGraph(StrEnum):
    """The content of the default graph for queries without dataset clauses (SPARQL 1.1, section 13.1).

    ``union``: the triples of all graphs, each once (the merge of RDF 1.1 Semantics, section 4.1); ``default``: only the
    triples that are in no named graph.
    """

    UNION = "union"
    DEFAULT = "default"


XSD = "http://www.w3.org/2001/XMLSchema#"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?"
_YEAR = r"-?(?:[1-9]\d{3,}|0\d{3})"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_DATE = rf"(?P<year>{_YEAR})-(?P<month>{_MONTH})-(?P<day>{_DAY})"
_TIME = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_DAYS_AND_TIME = r"(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
_INTEGER = r"[+-]?\d+"
_FLOAT = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN"
_NAME = r"[^\W\d][\w.\-]*"
_FORMS = {
    "boolean": r"true|false|1|0",
    "decimal": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)",
    "double": _FLOAT,
    "float": _FLOAT,
    "date": _DATE + _ZONE,
    "time": _TIME + _ZONE,
    "dateTime": rf"{_DATE}T{_TIME}{_ZONE}",
    "dateTimeStamp": rf"{_DATE}T{_TIME}{_ZONE.removesuffix('?')}",
    "gYear": _YEAR + _ZONE,
    "gYearMonth": rf"{_YEAR}-{_MONTH}{_ZONE}",
    "gMonth": rf"--{_MONTH}{_ZONE}",
    "gDay": rf"---{_DAY}{_ZONE}",
    "gMonthDay": rf"--(?:(?:0[13578]|1[02])-{_DAY}|(?:0[469]|11)-(?!31){_DAY}|02-(?!3){_DAY}){_ZONE}",
    "duration": rf"-?P(?=[\dT])(?:\d+Y)?(?:\d+M)?{_DAYS_AND_TIME}",
    "dayTimeDuration": rf"-?P(?=[\dT]){_DAYS_AND_TIME}",
    "yearMonthDuration": r"-?P(?=\d)(?:\d+Y)?(?:\d+M)?",
    "hexBinary": r"(?:[0-9A-Fa-f]{2})*",
    "base64Binary": r"(?:(?:[A-Za-z0-9+/] ?){4})*(?:(?:[A-Za-z0-9+/] ?){2}(?:[A-Za-z0-9+/] ?=|= ?=))?",
    "anyURI": r"[^\s<>\"{}|\\^`]*",
    "language": r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*",
    "normalizedString": r"[^\t\n\r]*",
    "token": r"(?:[^\s]+(?: [^\s]+)*)?",
}
# Names may contain letters of any script.
_NAMES = {"NCName": _NAME, "Name": rf"(?:{_NAME}|:)(?:[\w.\-:])*", "NMTOKEN": r"[\w.\-:]+"}
_PATTERNS = {name: re.compile(form, re.ASCII) for name, form in _FORMS.items()} | {
    name: re.compile(form) for name, form in _NAMES.items()
}
_WHOLE = re.compile(_INTEGER, re.ASCII)
_BOUNDS: dict[str, tuple[int | None, int | None]] = {
    "integer": (None, None),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    **{name: (-(2**bits), 2**bits - 1) for name, bits in (("byte", 7), ("short", 15), ("int", 31), ("long", 63))},
    **{f"unsigned{name}": (0, 2**bits - 1) for name, bits in (("Byte", 8), ("Short", 16), ("Int", 32), ("Long", 64))},
}
# No bound above has more digits; Python refuses to convert very long texts to integers.
_MAX_DIGITS = 20


def is_lexical_form(text: str, datatype: str) -> bool:
    """Return whether a text is in the lexical space of the datatype with this IRI; true for unknown datatypes."""
    name = datatype.removeprefix(XSD) if datatype.startswith(XSD) else ""
    if name in _BOUNDS:
        return _WHOLE.fullmatch(text) is not None and _is_within(text, *_BOUNDS[name])
    pattern = _PATTERNS.get(name)
    if pattern is None:
        return True
    match = pattern.fullmatch(text)
    return match is not None and ("day" not in pattern.groupindex or _is_day(match))


def _is_within(text: str, lowest: int | None, highest: int | None) -> bool:
    is_negative, magnitude = text.startswith("-"), text.lstrip("+-0")
    if len(magnitude) > _MAX_DIGITS:
        return (lowest if is_negative else highest) is None
    number = int(("-" if is_negative else "") + (magnitude or "0"))
    return (lowest is None or lowest <= number) and (highest is None or number <= highest)


def _is_day(match: re.Match[str]) -> bool:
    """Return whether a date exists in the proleptic Gregorian calendar."""
    # The calendar repeats every 400 years, and 400 divides 10,000, so the last four digits of the year are enough;
    # Python's calendar has no year 0.
    last_digits = int(match["year"][-4:])
    year = (-last_digits if match["year"].startswith("-") else last_digits) % 400 + 400
    return int(match["day"]) <= monthrange(year, int(match["month"]))[1]
