"""``SELECT *``: columns in the order in which variables first occur in the query.

The engine sorts them alphabetically. The specification leaves the order open (SPARQL 1.1, section 18.2.4.1), but users
see it in tables, CSV and TSV, and other engines keep the order of the query. The star is replaced by the variables.

Concerns: no test in the W3C's suites.
Drop when the columns of ``SELECT * { VALUES (?b ?a) { (1 2) } }`` are ``b``, ``a``.
"""

import re

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied


def _in_order(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Name the columns of the query itself; nobody sees the order in a subquery."""
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
    """Return the index of the star after the first SELECT."""
    if query.form is None or query.keyword(query.form) != "SELECT":
        return None
    index = query.form + 1
    if query.keyword(index) in ("DISTINCT", "REDUCED"):
        index += 1
    return index if query.text_at(index) == "*" else None


REWRITE = Rewrite("select_star", ("*",), re.compile(r"\b(?:select|distinct|reduced)\s*\*"), _in_order)
