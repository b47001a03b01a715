"""``GRAPH <iri> { ... }`` for a graph that is not in the dataset.

The engine treats it as an empty graph, in which VALUES, BIND, aggregates, MINUS and zero-length paths have solutions.
In the specification the pattern has none (SPARQL 1.1, section 18.6: "if IRI is not a graph name in D, eval(D(G),
Graph(IRI,P)) = the empty multiset"). Dataset clauses often lead to this. The group gets a FILTER that never holds, so
that its variables stay in scope.

Unchanged: ``GRAPH:g {``, which the engine accepts although the grammar does not.

Concerns: no test in the W3C's suites; issue 7, M1.
Drop when ``SELECT * { GRAPH <http://nowhere> { VALUES ?x { 1 } } }`` has no solutions.
"""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

# Names beyond this number are not resolved, and their groups stay unchanged.
_MAX_NAMES = 1000


def _emptied(query: TokenizedQuery, facts: DatasetFacts) -> str:
    changes = _changes(query, frozenset(facts.graphs), _Names(query, facts))
    return applied(query.text, sorted(changes, key=lambda change: change.start))


def _changes(query: TokenizedQuery, graphs: frozenset[str], names: "_Names") -> Iterator[Change]:
    for index in query.words.get("GRAPH", ()):
        if query.text_at(index + 2) != "{" or index + 2 not in query.closing:
            continue
        name = query.tokens[index + 1]
        if name.kind in ("iri", "name") and (iri := names.iri(name.text)) is not None and iri not in graphs:
            end = query.tokens[query.closing[index + 2]].end
            start = query.tokens[index].start
            yield Change(start, start, "{ ")
            yield Change(end, end, " FILTER(false) }")


class _Names:
    """Resolves the IRIs and prefixed names in a query."""

    def __init__(self, query: TokenizedQuery, facts: DatasetFacts) -> None:
        self._query, self._facts = query, facts
        self._known: dict[str, str | None] = {}

    def iri(self, name: str) -> str | None:
        """Return the IRI, None after too many names; raises SyntaxError for a name that cannot be resolved."""
        if name not in self._known:
            if len(self._known) >= _MAX_NAMES:
                return None
            # The engine resolves prefixes and the base.
            found = self._facts.values(f"{self._query.prologue}SELECT ({name} AS ?iri) {{}}")
            self._known[name] = found[0] if found else None
        return self._known[name]


REWRITE = Rewrite("absent_graph", ("graph",), re.compile(r"\bgraph(?:\s|#[^\n\r]*)*+(?:<|[^\s?${#])"), _emptied)
