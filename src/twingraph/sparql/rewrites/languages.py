"""Language tags with capitals: a release says ``zh-Hans``, the engine knows ``zh-hans`` only.

Where the function LANG is compared with a constant text, the case of that text makes no difference (language tags have
none: RDF 1.1 Concepts, section 3.3). Elsewhere it gives the tags as the release has them.
"""

import re
from collections.abc import Iterable

from twingraph.sparql.rewrites.source import Change, Data, Source, applied
from twingraph.sparql.tokens import Token

# More tags, or more calls, than this make too long a query.
_MOST = 16
_MOST_CALLS = 1000
_PLAIN = re.compile(r"(\"|'|\"\"\"|''')[A-Za-z0-9-]*\1")
_NO_CASE = ("LANGMATCHES", "LCASE", "UCASE")


def languages(source: Source, data: Data) -> str:
    """Let ``LANG(?x) = "zh-Hans"`` hold, and ``LANG(?x)`` itself give that."""
    tags = [tag for tag in data.tags if tag != tag.lower()]
    opening = "REPLACE(" * len(tags)
    ending = "".join(f', "^{tag.lower()}$", "{tag}")' for tag in tags)
    changes: list[Change] = []
    for place in source.words.get("LANG", ()):
        token, brackets = source.tokens[place], source.arguments(place)
        if brackets is None:
            continue
        compared = _compared(source, place, brackets[1])
        if compared:
            changes += _lowered(compared)
        elif 0 < len(tags) <= _MOST and not _has_no_case(source, place):
            last = source.tokens[brackets[1]]
            changes += [Change(token.start, token.start, opening), Change(last.end, last.end, ending)]
    if len(changes) > 2 * _MOST_CALLS:
        return source.text
    return applied(source.text, sorted(dict.fromkeys(changes), key=lambda change: change.start))


def _lowered(constants: Iterable[Token]) -> Iterable[Change]:
    return (Change(one.start, one.end, one.text.lower()) for one in constants if one.text != one.text.lower())


def _has_no_case(source: Source, place: int) -> bool:
    return source.sign(place - 1) == "(" and source.keyword(place - 2) in _NO_CASE


def _compared(source: Source, place: int, closing: int) -> list[Token]:
    """Return the constant texts that a call is compared with, none when it is compared with anything else."""
    after = closing + 1
    if source.sign(after) == "!" and source.sign(after + 1) == "=":
        after += 1
    if source.sign(after) == "=":
        return _constants(source, (after + 1,))
    if source.keyword(after) == "NOT":
        after += 1
    if source.keyword(after) == "IN":
        return _listed(source, after)
    before = place - 1
    if source.sign(before) == "=":
        return _constants(source, (before - 2 if source.sign(before - 1) == "!" else before - 1,))
    return []


def _listed(source: Source, place: int) -> list[Token]:
    brackets = source.arguments(place)
    if brackets is None:
        return []
    commas = range(brackets[0] + 2, brackets[1], 2)
    if not all(source.sign(comma) == "," for comma in commas):
        return []
    return _constants(source, range(brackets[0] + 1, brackets[1], 2))


def _constants(source: Source, places: Iterable[int]) -> list[Token]:
    found = [source.tokens[place] for place in places if _is_plain(source, place)]
    return found if len(found) == len(list(places)) else []


def _is_plain(source: Source, place: int) -> bool:
    """Tell whether a text without escapes, language or datatype stands at a place."""
    if not 0 <= place < len(source.tokens) or source.tokens[place].kind != "string":
        return False
    typed = source.sign(place + 1).startswith(("@", "^"))
    return bool(_PLAIN.fullmatch(source.tokens[place].text)) and not typed
