"""``TRUE`` and ``False``: keywords have no case (SPARQL 1.1, section 19.8, note 1).

The engine knows ``true`` and ``false`` in small letters only; others are a syntax error. They are written small.

Concerns: the W3C's ``sparql10/expr-builtin/case-insensitive-booleans``.
Drop when the engine parses ``ASK { FILTER(TRUE) }``.
"""

import re

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

_BOOLEAN = re.compile(r"(?:true|false)\.*", re.IGNORECASE)


def _small(query: TokenizedQuery, _: DatasetFacts) -> str:
    changes = (
        Change(token.start, token.end, token.text.lower())
        for token in query.tokens
        if token.kind == "word" and _BOOLEAN.fullmatch(token.text) and not token.text.islower()
    )
    return applied(query.text, changes)


REWRITE = Rewrite(
    "keywords", ("true", "false"), re.compile(r"(?i:true|false)(?<!true)(?<!false)"), _small, ignores_case=False
)
