"""``TRUE`` and ``False``: keywords are case-insensitive (SPARQL 1.1, section 19.8, note 1).

The engine accepts ``true`` and ``false`` in lower case only. They are lower-cased.

Concerns: the W3C's ``sparql10/expr-builtin/case-insensitive-booleans``.
Drop when the engine parses ``ASK { FILTER(TRUE) }``.
"""

import re

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

_BOOLEAN = re.compile(r"(?:true|false)\.*", re.IGNORECASE)


def _lower_cased(query: TokenizedQuery, _: DatasetFacts) -> str:
    changes = (
        Change(token.start, token.end, token.text.lower())
        for token in query.tokens
        if token.kind == "word" and _BOOLEAN.fullmatch(token.text) and not token.text.islower()
    )
    return applied(query.text, changes)


REWRITE = Rewrite(
    "keywords", ("true", "false"), re.compile(r"(?i:true|false)(?<!true)(?<!false)"), _lower_cased, ignores_case=False
)
