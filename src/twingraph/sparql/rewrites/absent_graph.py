"""``GRAPH <iri> { ... }`` for a graph that is not in the dataset.

The engine takes it for an empty graph, in which VALUES, BIND, aggregates, MINUS and paths of no length give solutions.
By the specification the pattern has none (SPARQL 1.1, section 18.6: "if IRI is not a graph name in D, eval(D(G),
Graph(IRI,P)) = the empty multiset"). Dataset clauses make such graphs easily. The group gets a FILTER that never holds,
so that its variables stay in scope.

``GRAPH:g {``, which the engine reads and the specification does not, is left as it is.

Concerns: no test of the W3C's suites; issue 7, M1.
Drop when the engine answers ``SELECT * { GRAPH <http://nowhere> { VALUES ?x { 1 } } }`` with nothing.
"""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

# More names of graphs than this are not looked up; the groups of the others stay as they are.
_MOST_NAMES = 1000


def _emptied(query: TokenizedQuery, facts: DatasetFacts) -> str:
    changes = _changes(query, frozenset(facts.graphs), _Names(query, facts))
    return applied(query.text, sorted(changes, key=lambda change: change.start))


def _changes(query: TokenizedQuery, graphs: frozenset[str], names: "_Names") -> Iterator[Change]:
    for place in query.words.get("GRAPH", ()):
        if query.text_at(place + 2) != "{" or place + 2 not in query.closing:
            continue
        name = query.tokens[place + 1]
        if name.kind in ("iri", "name") and (iri := names.iri(name.text)) is not None and iri not in graphs:
            end = query.tokens[query.closing[place + 2]].end
            start = query.tokens[place].start
            yield Change(start, start, "{ ")
            yield Change(end, end, " FILTER(false) }")


class _Names:
    """The IRIs of names as a query writes them."""

    def __init__(self, query: TokenizedQuery, facts: DatasetFacts) -> None:
        self._query, self._facts = query, facts
        self._known: dict[str, str | None] = {}

    def iri(self, name: str) -> str | None:
        """Return the IRI, None when too many have been asked for; raises SyntaxError for what names none."""
        if name not in self._known:
            if len(self._known) >= _MOST_NAMES:
                return None
            # Prefixes and the base are the engine's business.
            found = self._facts.values(f"{self._query.prologue}SELECT ({name} AS ?iri) {{}}")
            self._known[name] = found[0] if found else None
        return self._known[name]


REWRITE = Rewrite("absent_graph", ("graph",), re.compile(r"\bgraph(?:\s|#[^\n\r]*)*+(?:<|[^\s?${#])"), _emptied)
