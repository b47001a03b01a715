"""Language tags that are not lower-case: ``zh-Hans`` in a release is ``zh-hans`` in the engine.

The engine lower-cases tags when it loads them. In the specification, ``LANG`` returns the tag unchanged (SPARQL 1.1,
section 17.4.2.2), and so does the store's output filter write it.

Where LANG is compared with a constant, that is lower-cased (language tags are case-insensitive: RDF 1.1 Concepts,
section 3.3). Elsewhere LANG returns the tags as the release has them.

Concerns: no test in the W3C's suites; a publication with tags such as ``zh-Hans``.
Drop when the engine preserves the case of tags: ``SELECT (LANG("x"@zh-Hans) AS ?l) {}`` returns ``zh-Hans``.
"""

import re
from collections.abc import Iterable

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.tokens import Token

# With more tags or calls the query would become too long.
_MAX_TAGS = 16
_MAX_CALLS = 1000
_PLAIN = re.compile(r"(\"|'|\"\"\"|''')[A-Za-z0-9-]*\1")
_CASE_INSENSITIVE = ("LANGMATCHES", "LCASE", "UCASE")


def _canonical(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Make ``LANG(?x) = "zh-Hans"`` true, and ``LANG(?x)`` return that."""
    tags = [tag for tag in facts.tags if tag != tag.lower()]
    opening = "REPLACE(" * len(tags)
    ending = "".join(f', "^{tag.lower()}$", "{tag}")' for tag in tags)
    changes: list[Change] = []
    for index in query.words.get("LANG", ()):
        token, brackets = query.tokens[index], query.arguments(index)
        if brackets is None:
            continue
        compared = _compared(query, index, brackets[1])
        if compared:
            changes += _lowered(compared)
        elif 0 < len(tags) <= _MAX_TAGS and not _has_no_case(query, index):
            last = query.tokens[brackets[1]]
            changes += [Change(token.start, token.start, opening), Change(last.end, last.end, ending)]
    if len(changes) > 2 * _MAX_CALLS:
        return query.text
    return applied(query.text, sorted(dict.fromkeys(changes), key=lambda change: change.start))


def _lowered(constants: Iterable[Token]) -> Iterable[Change]:
    return (Change(one.start, one.end, one.text.lower()) for one in constants if one.text != one.text.lower())


def _has_no_case(query: TokenizedQuery, index: int) -> bool:
    return query.text_at(index - 1) == "(" and query.keyword(index - 2) in _CASE_INSENSITIVE


def _compared(query: TokenizedQuery, index: int, closing: int) -> list[Token]:
    """Return the constants with which a call is compared, none if it is compared with anything else."""
    after = closing + 1
    if query.text_at(after) == "!" and query.text_at(after + 1) == "=":
        after += 1
    if query.text_at(after) == "=":
        return _constants(query, (after + 1,))
    if query.keyword(after) == "NOT":
        after += 1
    if query.keyword(after) == "IN":
        return _listed(query, after)
    before = index - 1
    if query.text_at(before) == "=":
        return _constants(query, (before - 2 if query.text_at(before - 1) == "!" else before - 1,))
    return []


def _listed(query: TokenizedQuery, index: int) -> list[Token]:
    brackets = query.arguments(index)
    if brackets is None:
        return []
    commas = range(brackets[0] + 2, brackets[1], 2)
    if not all(query.text_at(comma) == "," for comma in commas):
        return []
    return _constants(query, range(brackets[0] + 1, brackets[1], 2))


def _constants(query: TokenizedQuery, indexes: Iterable[int]) -> list[Token]:
    found = [query.tokens[index] for index in indexes if _is_plain(query, index)]
    return found if len(found) == len(list(indexes)) else []


def _is_plain(query: TokenizedQuery, index: int) -> bool:
    """Return whether the token at an index is a string without escapes, language or datatype."""
    if not 0 <= index < len(query.tokens) or query.tokens[index].kind != "string":
        return False
    typed = query.text_at(index + 1).startswith(("@", "^"))
    return bool(_PLAIN.fullmatch(query.tokens[index].text)) and not typed


REWRITE = Rewrite("language_tags", ("lang",), re.compile(r"\blang\s*\((?<!langmatches\(lang\()"), _canonical)
