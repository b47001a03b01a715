"""``BNODE`` with an argument: the same node for the same string within one solution, and another node in another.

The engine returns the same node in all solutions (SPARQL 1.1, section 17.4.2.9: "distinct blank nodes for calls with
different simple literals, and the same blank node for calls with the same simple literal within expressions for one
solution mapping").

Where no two calls can return the same node, because there is only one or all have different constants, a call becomes
``BNODE()``, which returns a new node each time. Where several calls are in the SELECT clause of a query without
grouping, each solution gets a unique name, which becomes part of their arguments.

Unchanged: several calls that are not all in that clause, such as those of two BIND.

Concerns: the W3C's ``sparql11/functions/bnode01``; issue 7, M9 (BIND, constants, expressions).
Drop when ``SELECT (COUNT(DISTINCT ?b) AS ?n) { VALUES ?x { 1 2 } BIND(BNODE("x") AS ?b) }`` returns 2.
"""

import re

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

_STRING = "<http://www.w3.org/2001/XMLSchema#string>"
# With more calls the query would become too long.
_MAX_CALLS = 1000
# With these, a solution of the SELECT clause is not one of the pattern.
_GROUPING = {"GROUP", "HAVING", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"}
_PLAIN = re.compile(r"(\"|'|\"\"\"|''')[^\"'\\]*\1")


def _new_in_each_solution(query: TokenizedQuery, _: DatasetFacts) -> str:
    calls = [
        brackets
        for index in query.words.get("BNODE", ())
        if (brackets := query.arguments(index)) and brackets[1] > brackets[0] + 1
    ]
    if not 0 < len(calls) <= _MAX_CALLS:
        return query.text
    if _are_apart(query, calls):
        return applied(query.text, (_renewed(query, *brackets) for brackets in calls))
    return _named_by_solution(query, calls)


def _are_apart(query: TokenizedQuery, calls: list[tuple[int, int]]) -> bool:
    """Return whether no two calls can have equal arguments."""
    texts = [query.text_at(opening + 1) for opening, closing in calls if closing == opening + 2]
    constants = {text.strip("\"'") for text in texts if _PLAIN.fullmatch(text)}
    return len(calls) == 1 or len(constants) == len(calls)


def _renewed(query: TokenizedQuery, opening: int, closing: int) -> Change:
    argument = query.text[query.tokens[opening + 1].start : query.tokens[closing - 1].end]
    start, end = query.tokens[opening - 1].start, query.tokens[closing].end
    # Another argument than a string is an error, as is the division by zero.
    return Change(start, end, f"IF(DATATYPE({argument}) = {_STRING}, BNODE(), 1/0)")


def _named_by_solution(query: TokenizedQuery, calls: list[tuple[int, int]]) -> str:
    """Add a name of the solution to the arguments, if all are variables in the outermost SELECT clause."""
    pattern = _pattern(query)
    if pattern is None or _GROUPING & query.words.keys():
        return query.text
    name = f"?{query.fresh('solution')}"
    changes = []
    for opening, closing in calls:
        argument = query.tokens[opening + 1]
        if opening > pattern[0] or closing != opening + 2 or argument.kind != "variable":
            return query.text
        text = argument.text
        own = f"IF(DATATYPE({text}) = {_STRING}, MD5(CONCAT({name}, {text})), {text})"
        changes.append(Change(argument.start, argument.end, own))
    end = query.tokens[pattern[1]].start
    return applied(query.text, (*changes, Change(end, end, f" BIND(STRUUID() AS {name}) ")))


def _pattern(query: TokenizedQuery) -> tuple[int, int] | None:
    """Return the indexes of the braces around the pattern of a SELECT query, None if that is a subquery."""
    if query.form is None or query.keyword(query.form) != "SELECT":
        return None
    index = query.form
    while index < len(query.tokens) and query.text_at(index) != "{":
        index = query.closing.get(index, index) + 1
    if index not in query.closing or query.keyword(index + 1) == "SELECT":
        return None
    return index, query.closing[index]


REWRITE = Rewrite("bnode_function", ("bnode",), re.compile(r"\bbnode\s*\(\s*[^\s)]"), _new_in_each_solution)
