"""Rewrites of queries for which the engine deviates from the specification, one module for each deviation.

Each module documents what the engine does, what the specification says, which tests or issues it concerns, and when it
can be removed; ``tests/test_rewrites_needed.py`` fails when the engine no longer needs one. A rewrite either preserves
the meaning exactly or leaves the text unchanged, and so is a text that cannot be tokenized, in order that errors are
about the text as it was sent. A query with none of the words of any rewrite costs one scan of its text.
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

# In the order of application. Columns are named before groups are copied, which changes the order of variables, and
# patterns of absent graphs are emptied before groups are copied for each graph.
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
    """Return a query for which the engine's result is that of the specification."""
    lower = text.lower()
    if not any(one.may_change(text, lower) for one in REWRITES):
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
