"""``BNODE`` with a text: the same node for the same text within one solution, and another in each (section 17.4.2.9).

The engine gives the same node in all solutions. So each solution gets a name of its own, of which the node is made as
well. That is done where it is plain what a solution is: in the SELECT clause of a query that groups nothing.
"""

from twingraph.sparql.rewrites.source import Change, Data, Source, applied

_STRING = "<http://www.w3.org/2001/XMLSchema#string>"
# More nodes than this make too long a query.
_MOST = 1000
# Where these stand, a solution of the SELECT clause is not one of the pattern.
_GROUPING = {"GROUP", "HAVING", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"}


def nodes(source: Source, _: Data) -> str:
    """Make ``BNODE(?text)`` of its solution too, in the outermost SELECT clause, when it stands nowhere else."""
    pattern = _pattern(source)
    if pattern is None or _GROUPING & source.words.keys():
        return source.text
    name = f"?{source.fresh('solution')}"
    changes = []
    for place in source.words.get("BNODE", ()):
        brackets = source.arguments(place)
        if brackets is None or brackets[1] == brackets[0] + 1:
            continue
        argument = source.tokens[place + 2]
        if place > pattern[0] or brackets[1] != place + 3 or argument.kind != "variable":
            return source.text
        text = argument.text
        own = f"IF(DATATYPE({text}) = {_STRING}, MD5(CONCAT({name}, {text})), {text})"
        changes.append(Change(argument.start, argument.end, own))
    if not 0 < len(changes) <= _MOST:
        return source.text
    end = source.tokens[pattern[1]].start
    return applied(source.text, (*changes, Change(end, end, f" BIND(STRUUID() AS {name}) ")))


def _pattern(source: Source) -> tuple[int, int] | None:
    """Return the places of the braces around the pattern of a SELECT query, None when that is a query itself."""
    if source.form is None or source.keyword(source.form) != "SELECT":
        return None
    place = source.form
    while place < len(source.tokens) and source.sign(place) != "{":
        place = source.closing.get(place, place) + 1
    if place not in source.closing or source.keyword(place + 1) == "SELECT":
        return None
    return place, source.closing[place]
