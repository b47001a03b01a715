"""Rewrites of a query's text where the engine's answer is not the specification's, one module for each deviation.

Each module says what the engine does, what the specification says, which tests or issues it concerns, and when it can
be dropped; ``tests/test_rewrites_needed.py`` fails when the engine no longer needs one. A rewrite is exact, or leaves
the text as it is. A text that cannot be read is left too, so that errors speak of the text as it was sent. A query that
has none of the words of any rewrite costs one look at its text.
"""

from twingraph.errors import LimitError, QueryError
from twingraph.sparql.nesting import may_nest_deeply, refuse_deep_nesting
from twingraph.sparql.rewrites import (
    absent_graph,
    bnode_function,
    graph_variable,
    group_concat,
    keywords,
    language_tags,
    order_by,
    select_star,
    zero_length_paths,
)
from twingraph.sparql.rewrites.rewrite import DatasetFacts, Rewrite, TokenizedQuery

__all__ = ["REWRITES", "DatasetFacts", "Rewrite", "rewritten"]

# In the order in which they are applied. Columns are named before groups are written several times, which puts their
# variables into another order; graphs that are not there are emptied before others are written once for each.
REWRITES = (
    keywords.REWRITE,
    group_concat.REWRITE,
    language_tags.REWRITE,
    bnode_function.REWRITE,
    order_by.REWRITE,
    select_star.REWRITE,
    absent_graph.REWRITE,
    graph_variable.REWRITE,
    zero_length_paths.REWRITE,
)


def rewritten(text: str, facts: DatasetFacts) -> str:
    """Return a query that the engine answers as the specification says."""
    small = text.lower()
    if not any(one.may_change(text, small) for one in REWRITES):
        return text
    try:
        return _applied(TokenizedQuery(text), facts)
    except (QueryError, LimitError, SyntaxError):
        return text


def _applied(query: TokenizedQuery, facts: DatasetFacts) -> str:
    original = query.text
    for one in REWRITES:
        if one.may_change(query.text, query.text.lower()):
            text = one.rewrite(query, facts)
            query = query if text == query.text else TokenizedQuery(text)
    if query.text != original and may_nest_deeply(query.text):
        refuse_deep_nesting(query.text, query.tokens)
    return query.text
