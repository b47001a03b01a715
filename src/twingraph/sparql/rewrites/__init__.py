"""Rewrites of a query's text where the engine's answer is not the specification's, one module for each.

Each is exact, or leaves the text as it is; a text that cannot be read is left too, so that whoever asked is told about
his own. A query that holds nothing of what is rewritten costs one look at its text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import QueryError
from twingraph.sparql.rewrites.columns import columns
from twingraph.sparql.rewrites.graphs import graphs
from twingraph.sparql.rewrites.languages import languages
from twingraph.sparql.rewrites.nodes import nodes
from twingraph.sparql.rewrites.orders import orders
from twingraph.sparql.rewrites.paths import paths
from twingraph.sparql.rewrites.source import Data, Source
from twingraph.sparql.rewrites.words import booleans, concatenations

__all__ = ["Data", "rewritten"]


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """What is done to queries that have ``word`` and, searched for only then, ``hint`` in them, in small letters."""

    of: Callable[[Source, Data], str]
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


def rewritten(text: str, data: Data) -> str:
    """Return a query that the engine answers as the specification says."""
    small = text.lower()
    has_capitals = any(small.count(word) > text.count(word) for word in ("true", "false"))
    if not has_capitals and not any(one.may_change(small) for one in _REWRITES):
        return text
    try:
        source = Source(text)
        if has_capitals:
            source = Source(booleans(source, data))
        for one in _REWRITES:
            if one.may_change(source.text.lower()):
                new = one.of(source, data)
                source = source if new == source.text else Source(new)
    except (QueryError, SyntaxError):
        return text
    return source.text
