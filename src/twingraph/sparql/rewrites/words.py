"""Rewrites of single words: keywords in capitals, and aggregates that give too much."""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.source import Change, Data, Source, applied

_BOOLEAN = re.compile(r"(?:true|false)\.*", re.IGNORECASE)


def booleans(source: Source, _: Data) -> str:
    """Write ``TRUE`` and ``False`` small: keywords have no case (section 19.8, note 1), the engine's have."""
    changes = (
        Change(token.start, token.end, token.text.lower())
        for token in source.tokens
        if token.kind == "word" and _BOOLEAN.fullmatch(token.text) and not token.text.islower()
    )
    return applied(source.text, changes)


def concatenations(source: Source, _: Data) -> str:
    """Take the language off ``GROUP_CONCAT`` (section 18.5.1.7): the engine keeps one that all the texts have."""

    def changes() -> Iterator[Change]:
        for place in source.words.get("GROUP_CONCAT", ()):
            if brackets := source.arguments(place):
                first, last = source.tokens[place], source.tokens[brackets[1]]
                yield Change(first.start, first.start, "STR(")
                yield Change(last.end, last.end, ")")

    return applied(source.text, sorted(changes(), key=lambda change: change.start))
