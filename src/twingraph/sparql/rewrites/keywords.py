"""Rewrites of single words: keywords in capitals, and aggregates that give too much."""

import re

from twingraph.sparql.rewrites.tokenized_query import Change, DatasetFacts, TokenizedQuery, applied

_BOOLEAN = re.compile(r"(?:true|false)\.*", re.IGNORECASE)


def booleans(query: TokenizedQuery, _: DatasetFacts) -> str:
    """Write ``TRUE`` and ``False`` small: keywords have no case (section 19.8, note 1), the engine's have."""
    changes = (
        Change(token.start, token.end, token.text.lower())
        for token in query.tokens
        if token.kind == "word" and _BOOLEAN.fullmatch(token.text) and not token.text.islower()
    )
    return applied(query.text, changes)
