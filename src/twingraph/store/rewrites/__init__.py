"""Rewrites of a query's text where the engine's answer is not the specification's, one module for each.

Each is exact, or leaves the text as it is; a text that cannot be read is left too, so that whoever asked is told about
his own. A query that holds nothing of what is rewritten costs one look at its text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.errors import QueryError
from twingraph.store.rewrites.columns import columns
from twingraph.store.rewrites.graphs import graphs
from twingraph.store.rewrites.languages import languages
from twingraph.store.rewrites.nodes import nodes
from twingraph.store.rewrites.paths import paths
from twingraph.store.rewrites.source import Data, Source
from twingraph.store.rewrites.words import booleans, concatenations

__all__ = ["Data", "rewritten"]


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """What is done to queries in which ``hint`` is found, whatever the case of their letters."""

    hint: str
    of: Callable[[Source, Data], str]


# Columns are named before groups are written several times, which puts their variables into another order.
_REWRITES = (
    _Rewrite(r"\b(?-i:(?!true|false))(?:true|false)\b", booleans),
    _Rewrite(r"\bgroup_concat\b", concatenations),
    _Rewrite(r"\blang\s*\(", languages),
    _Rewrite(r"\bbnode\s*\(\s*[^\s)]", nodes),
    _Rewrite(r"(?:select|distinct|reduced)\s*\*", columns),
    _Rewrite(r"\bgraph\s*[?$]", graphs),
    # What ends a path of no length: `?` that begins no variable, `*` that stands after a name or a bracket.
    _Rewrite(r"\?(?!\w)|[^\s({](?<!select)(?<!distinct)(?<!reduced)\s*\*", paths),
)
_HINTS = tuple((re.compile(one.hint, re.IGNORECASE), one.of) for one in _REWRITES)
_ANY = re.compile("|".join(one.hint for one in _REWRITES), re.IGNORECASE)


def rewritten(text: str, data: Data) -> str:
    """Return a query that the engine answers as the specification says."""
    if not _ANY.search(text):
        return text
    try:
        source = Source(text)
        for hint, rewrite in _HINTS:
            if hint.search(source.text):
                new = rewrite(source, data)
                source = source if new == source.text else Source(new)
    except (QueryError, SyntaxError):
        return text
    return source.text
