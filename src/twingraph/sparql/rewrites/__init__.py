"""Rewrites of a query's text where the engine's answer is not the specification's, one module for each.

Each is exact, or leaves the text as it is; a text that cannot be read is left too, so that whoever asked is told about
his own. A query that holds nothing of what is rewritten costs one look at its text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import QueryError
from twingraph.sparql.rewrites.bnode_function import nodes
from twingraph.sparql.rewrites.graph_variable import graphs
from twingraph.sparql.rewrites.group_concat import concatenations
from twingraph.sparql.rewrites.keywords import booleans
from twingraph.sparql.rewrites.language_tags import languages
from twingraph.sparql.rewrites.order_by import orders
from twingraph.sparql.rewrites.select_star import columns
from twingraph.sparql.rewrites.tokenized_query import DatasetFacts, TokenizedQuery
from twingraph.sparql.rewrites.zero_length_paths import paths

__all__ = ["DatasetFacts", "rewritten"]


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """What is done to queries that have ``word`` and, searched for only then, ``hint`` in them, in small letters."""

    of: Callable[[TokenizedQuery, DatasetFacts], str]
    word: str
    hint: re.Pattern[str]

    def may_change(self, text: str) -> bool:
        """Tell whether a text in small letters may hold what is rewritten; strings and comments are taken for more."""
        return self.word in text and bool(self.hint.search(text))


# Columns are named before groups are written several times, which puts their variables into another order.
_REWRITES = (
    _Rewrite(concatenations, "group_concat", re.compile("")),
    _Rewrite(languages, "lang", re.compile(r"\blang\s*\((?<!langmatches\(lang\()")),
    _Rewrite(nodes, "bnode", re.compile(r"\bbnode\s*\(\s*[^\s)]")),
    _Rewrite(orders, "order", re.compile(r"\border\s+by\b")),
    _Rewrite(columns, "*", re.compile(r"\b(?:select|distinct|reduced)\s*\*")),
    _Rewrite(graphs, "graph", re.compile(r"\bgraph\s*[?$]")),
    # What ends a path of no length: `?` that begins no variable, `*` that is not that of SELECT or COUNT.
    _Rewrite(paths, "", re.compile(r"\?(?!\w)|\*(?<!\(\*)(?<!select \*)(?<!distinct \*)(?<!reduced \*)")),
)


def rewritten(text: str, facts: DatasetFacts) -> str:
    """Return a query that the engine answers as the specification says."""
    small = text.lower()
    has_capitals = any(small.count(word) > text.count(word) for word in ("true", "false"))
    if not has_capitals and not any(one.may_change(small) for one in _REWRITES):
        return text
    try:
        query = TokenizedQuery(text)
        if has_capitals:
            query = TokenizedQuery(booleans(query, facts))
        for one in _REWRITES:
            if one.may_change(query.text.lower()):
                new = one.of(query, facts)
                query = query if new == query.text else TokenizedQuery(new)
    except (QueryError, SyntaxError):
        return text
    return query.text
