"""``SELECT *``: columns in the order in which the query first names them.

The engine puts them into the alphabet's order. The specification leaves it open (SPARQL 1.1, section 18.2.4.1); clients
that show tables, and CSV and TSV, have it seen, and other engines keep the query's. The columns are named.

Concerns: no test.
Drop when the engine answers ``SELECT * { VALUES (?b ?a) { (1 2) } }`` with the columns ``b``, ``a``.
"""

import re

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied


def _in_order(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Name the columns of the query itself; the order of a sub-query's is not seen (section 18.2.1)."""
    star = _star(query)
    if star is None:
        return query.text
    names = dict.fromkeys(token.text[1:] for token in query.tokens if token.kind == "variable")
    if list(names) == sorted(names):
        return query.text
    found = set(facts.columns(query.text))
    if not found or not found <= names.keys():
        return query.text
    ordered = " ".join(f"?{name}" for name in names if name in found)
    token = query.tokens[star]
    return applied(query.text, (Change(token.start, token.end, f" {ordered} "),))


def _star(query: TokenizedQuery) -> int | None:
    """Return the place of the star after the first SELECT."""
    if query.form is None or query.keyword(query.form) != "SELECT":
        return None
    place = query.form + 1
    if query.keyword(place) in ("DISTINCT", "REDUCED"):
        place += 1
    return place if query.text_at(place) == "*" else None


REWRITE = Rewrite("select_star", ("*",), re.compile(r"\b(?:select|distinct|reduced)\s*\*"), _in_order)
