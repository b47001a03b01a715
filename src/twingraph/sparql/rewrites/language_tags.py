"""Language tags with capitals: a release says ``zh-Hans``, the engine knows ``zh-hans`` only.

The engine puts tags into small letters as it loads them. The specification's ``LANG`` gives the tag as it is (SPARQL
1.1, section 17.4.2.2), and the store's output filter writes it so.

Where the function LANG is compared with a constant text, the case of that text makes no difference (language tags have
none: RDF 1.1 Concepts, section 3.3). Elsewhere it gives the tags as the release has them.

Concerns: no test of the W3C's suites; a publication with tags such as ``zh-Hans``.
Drop when the engine keeps the case of tags: ``SELECT (LANG("x"@zh-Hans) AS ?l) {}`` gives ``zh-Hans``.
"""

import re
from collections.abc import Iterable

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.tokens import Token

# More tags, or more calls, than this make too long a query.
_MOST = 16
_MOST_CALLS = 1000
_PLAIN = re.compile(r"(\"|'|\"\"\"|''')[A-Za-z0-9-]*\1")
_NO_CASE = ("LANGMATCHES", "LCASE", "UCASE")


def _canonical(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Let ``LANG(?x) = "zh-Hans"`` hold, and ``LANG(?x)`` itself give that."""
    tags = [tag for tag in facts.tags if tag != tag.lower()]
    opening = "REPLACE(" * len(tags)
    ending = "".join(f', "^{tag.lower()}$", "{tag}")' for tag in tags)
    changes: list[Change] = []
    for place in query.words.get("LANG", ()):
        token, brackets = query.tokens[place], query.arguments(place)
        if brackets is None:
            continue
        compared = _compared(query, place, brackets[1])
        if compared:
            changes += _lowered(compared)
        elif 0 < len(tags) <= _MOST and not _has_no_case(query, place):
            last = query.tokens[brackets[1]]
            changes += [Change(token.start, token.start, opening), Change(last.end, last.end, ending)]
    if len(changes) > 2 * _MOST_CALLS:
        return query.text
    return applied(query.text, sorted(dict.fromkeys(changes), key=lambda change: change.start))


def _lowered(constants: Iterable[Token]) -> Iterable[Change]:
    return (Change(one.start, one.end, one.text.lower()) for one in constants if one.text != one.text.lower())


def _has_no_case(query: TokenizedQuery, place: int) -> bool:
    return query.text_at(place - 1) == "(" and query.keyword(place - 2) in _NO_CASE


def _compared(query: TokenizedQuery, place: int, closing: int) -> list[Token]:
    """Return the constant texts that a call is compared with, none when it is compared with anything else."""
    after = closing + 1
    if query.text_at(after) == "!" and query.text_at(after + 1) == "=":
        after += 1
    if query.text_at(after) == "=":
        return _constants(query, (after + 1,))
    if query.keyword(after) == "NOT":
        after += 1
    if query.keyword(after) == "IN":
        return _listed(query, after)
    before = place - 1
    if query.text_at(before) == "=":
        return _constants(query, (before - 2 if query.text_at(before - 1) == "!" else before - 1,))
    return []


def _listed(query: TokenizedQuery, place: int) -> list[Token]:
    brackets = query.arguments(place)
    if brackets is None:
        return []
    commas = range(brackets[0] + 2, brackets[1], 2)
    if not all(query.text_at(comma) == "," for comma in commas):
        return []
    return _constants(query, range(brackets[0] + 1, brackets[1], 2))


def _constants(query: TokenizedQuery, places: Iterable[int]) -> list[Token]:
    found = [query.tokens[place] for place in places if _is_plain(query, place)]
    return found if len(found) == len(list(places)) else []


def _is_plain(query: TokenizedQuery, place: int) -> bool:
    """Tell whether a text without escapes, language or datatype stands at a place."""
    if not 0 <= place < len(query.tokens) or query.tokens[place].kind != "string":
        return False
    typed = query.text_at(place + 1).startswith(("@", "^"))
    return bool(_PLAIN.fullmatch(query.tokens[place].text)) and not typed


REWRITE = Rewrite("language_tags", ("lang",), re.compile(r"\blang\s*\((?<!langmatches\(lang\()"), _canonical)
