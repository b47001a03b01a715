"""``BNODE`` with a text: the same node for the same text within one solution, and another in each (section 17.4.2.9).

The engine gives the same node in all solutions. So each solution gets a name of its own, of which the node is made as
well. That is done where it is plain what a solution is: in the SELECT clause of a query that groups nothing.
"""

from twingraph.sparql.rewrites.tokenized_query import Change, DatasetFacts, TokenizedQuery, applied

_STRING = "<http://www.w3.org/2001/XMLSchema#string>"
# More nodes than this make too long a query.
_MOST = 1000
# Where these stand, a solution of the SELECT clause is not one of the pattern.
_GROUPING = {"GROUP", "HAVING", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"}


def nodes(query: TokenizedQuery, _: DatasetFacts) -> str:
    """Make ``BNODE(?text)`` of its solution too, in the outermost SELECT clause, when it stands nowhere else."""
    pattern = _pattern(query)
    if pattern is None or _GROUPING & query.words.keys():
        return query.text
    name = f"?{query.fresh('solution')}"
    changes = []
    for place in query.words.get("BNODE", ()):
        brackets = query.arguments(place)
        if brackets is None or brackets[1] == brackets[0] + 1:
            continue
        argument = query.tokens[place + 2]
        if place > pattern[0] or brackets[1] != place + 3 or argument.kind != "variable":
            return query.text
        text = argument.text
        own = f"IF(DATATYPE({text}) = {_STRING}, MD5(CONCAT({name}, {text})), {text})"
        changes.append(Change(argument.start, argument.end, own))
    if not 0 < len(changes) <= _MOST:
        return query.text
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
