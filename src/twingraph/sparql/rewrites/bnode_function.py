"""``BNODE`` with a text: the same node for the same text within one solution, and another in each.

The engine gives the same node in all solutions (SPARQL 1.1, section 17.4.2.9: "distinct blank nodes for calls with
different simple literals, and the same blank node for calls with the same simple literal within expressions for one
solution mapping").

Where no other call can be meant to give the same node, because there is but one or all have different constants, a call
becomes ``BNODE()``, which is new each time. Where several calls stand in the SELECT clause of a query that groups
nothing, each solution gets a name of its own, of which the nodes are made as well.

Left as they are: several calls of which some stand elsewhere than in that clause, as in two BIND.

Concerns: the W3C's ``sparql11/functions/bnode01``; issue 7, M9 (BIND, constants, expressions).
Drop when the engine answers ``SELECT (COUNT(DISTINCT ?b) AS ?n) { VALUES ?x { 1 2 } BIND(BNODE("x") AS ?b) }`` with 2.
"""

import re

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

_STRING = "<http://www.w3.org/2001/XMLSchema#string>"
# More nodes than this make too long a query.
_MOST = 1000
# Where these stand, a solution of the SELECT clause is not one of the pattern.
_GROUPING = {"GROUP", "HAVING", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"}
_PLAIN = re.compile(r"(\"|'|\"\"\"|''')[^\"'\\]*\1")


def _new_in_each_solution(query: TokenizedQuery, _: DatasetFacts) -> str:
    calls = [
        brackets
        for place in query.words.get("BNODE", ())
        if (brackets := query.arguments(place)) and brackets[1] > brackets[0] + 1
    ]
    if not 0 < len(calls) <= _MOST:
        return query.text
    if _are_apart(query, calls):
        return applied(query.text, (_renewed(query, *brackets) for brackets in calls))
    return _named_by_solution(query, calls)


def _are_apart(query: TokenizedQuery, calls: list[tuple[int, int]]) -> bool:
    """Tell whether no two calls can have the same text."""
    texts = [query.text_at(opening + 1) for opening, closing in calls if closing == opening + 2]
    constants = {text.strip("\"'") for text in texts if _PLAIN.fullmatch(text)}
    return len(calls) == 1 or len(constants) == len(calls)


def _renewed(query: TokenizedQuery, opening: int, closing: int) -> Change:
    argument = query.text[query.tokens[opening + 1].start : query.tokens[closing - 1].end]
    start, end = query.tokens[opening - 1].start, query.tokens[closing].end
    # A division by zero is the error that a text of another kind is.
    return Change(start, end, f"IF(DATATYPE({argument}) = {_STRING}, BNODE(), 1/0)")


def _named_by_solution(query: TokenizedQuery, calls: list[tuple[int, int]]) -> str:
    """Make the nodes of their solution too, when all stand in the outermost SELECT clause and are made of variables."""
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
    """Return the places of the braces around the pattern of a SELECT query, None when that is a query itself."""
    if query.form is None or query.keyword(query.form) != "SELECT":
        return None
    place = query.form
    while place < len(query.tokens) and query.text_at(place) != "{":
        place = query.closing.get(place, place) + 1
    if place not in query.closing or query.keyword(place + 1) == "SELECT":
        return None
    return place, query.closing[place]


REWRITE = Rewrite("bnode_function", ("bnode",), re.compile(r"\bbnode\s*\(\s*[^\s)]"), _new_in_each_solution)
