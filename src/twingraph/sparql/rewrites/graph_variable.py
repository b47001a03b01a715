"""``GRAPH ?g { ... }``: the group is answered graph by graph, and then joined with ``?g`` (SPARQL 1.1, section 18.6).

The engine joins each triple pattern with ``?g`` instead. That comes to the same but for sub-queries, MINUS, a GRAPH
within, VALUES beside no triple pattern, and ``?g`` in a pattern within OPTIONAL. Such a group is written once for each
graph. Expressions see ``?g`` all the same, as they do in the engine, though by the specification they must not: where
``?g`` stands in expressions only, each copy has the graph's name in its place.

Left as they are: groups with a blank node that stands outside too, groups over more than 256 graphs, and queries that
would be written too often or become too long.

Concerns: the W3C's ``sparql11/aggregates/agg-empty-group-count-graph``, ``sparql11/bindings/graph``,
``sparql11/negation/graph-minus`` and ``sparql10/graph/graph-optional``.
Drop when the engine answers ``SELECT ?g ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }`` with a row for each
graph.
"""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.tokens import keyword, tokens_of

# More copies of a group than this, or a longer text, cost more than they mend; the group then stays as it is.
_MOST_COPIES = 256
_MOST_GROUPS = 32
_LONGEST = 1 << 18
# Copies of groups in all: what the engine plans for each of many takes megabytes.
_MOST_IN_ALL = 512
_TERMS = {"iri", "name", "variable", "blank", "string", "number"}


def _graph_by_graph(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Write each group that needs it once for each graph, the inner ones first."""
    places = [place for place in query.words.get("GRAPH", ()) if _opens(query, place)]
    if len(places) > _MOST_GROUPS or len(facts.graphs) > _MOST_COPIES:
        return query.text
    changes: list[Change] = []
    for place in reversed(places):
        group = _Group(query, place)
        inner = [change for change in changes if group.begin <= change.start < group.end]
        if group.is_apart() and group.is_closed() and group.size * len(facts.graphs) < _LONGEST:
            changes = [group.written(facts, inner), *changes[len(inner) :]]
            if sum(len(change.text) for change in changes) > _LONGEST or _copies(changes) > _MOST_IN_ALL:
                return query.text
    return applied(query.text, changes)


def _copies(changes: list[Change]) -> int:
    return sum(change.text.count("GRAPH <") for change in changes)


def _opens(query: TokenizedQuery, place: int) -> bool:
    """Tell whether a variable and a group follow the GRAPH at a place."""
    named = query.text_at(place + 2) == "{" and place + 2 in query.closing
    return named and query.tokens[place + 1].kind == "variable"


class _Group:
    """The group after the GRAPH at a place; what stands between its braces goes from ``begin`` to ``end``."""

    def __init__(self, query: TokenizedQuery, place: int) -> None:
        self._query, self._variable = query, query.tokens[place + 1].text
        self._start, self._opening, self._closing = query.tokens[place].start, place + 2, query.closing[place + 2]
        self.begin, self.end = query.tokens[self._opening].end, query.tokens[self._closing].start
        self._inside = query.tokens[self._opening + 1 : self._closing]
        self._words = {keyword(token) for token in self._inside}
        self._in_expression, self._nested, self._is_bound = self._mentions()

    @property
    def size(self) -> int:
        """How long its text is."""
        return self.end - self.begin

    def is_apart(self) -> bool:
        """Tell whether the engine does not answer the group graph by graph."""
        if self._words & {"SELECT", "MINUS", "GRAPH"}:
            return True
        if "VALUES" in self._words and ("EXISTS" in self._words or not self._has_triples()):
            return True
        return self._nested and bool(self._words & {"OPTIONAL", "VALUES"})

    def is_closed(self) -> bool:
        """Tell whether no blank node of the group stands elsewhere too: in copies it would be another one."""
        labels = {token.text for token in self._inside if token.kind == "blank"}
        outside = (token for token in self._query.tokens if not self.begin <= token.start < self.end)
        return not labels or labels.isdisjoint(token.text for token in outside if token.kind == "blank")

    def written(self, facts: DatasetFacts, inner: list[Change]) -> Change:
        """Return the group written for each graph, with what has been changed within it."""
        text = applied(self._query.text, inner, self.begin, self.end)
        if self._query.keyword(self._opening + 1) == "SELECT":
            text = f"{{ {text} }}"
        suffix = self._query.fresh("_of")
        labels = [token.end for token in tokens_of(text) if token.kind == "blank"]
        is_constant = self._in_expression and not self._is_bound and "SELECT" not in self._words
        mentions = tuple(self._constants(text)) if is_constant else ()
        copies = []
        for number, iri in enumerate(facts.graphs):
            renamed = [Change(end, end, f"{suffix}{number}") for end in labels]
            named = [Change(start, end, own or f"<{iri}>") for start, end, own in mentions]
            own = applied(text, sorted((*renamed, *named), key=lambda change: change.start))
            values = f"VALUES {self._variable} {{ <{iri}> }}"
            inside, outside = (f"{values} ", "") if self._in_expression and not is_constant else ("", f" {values}")
            copies.append(f"{{ GRAPH <{iri}> {{ {inside}{own} }}{outside} }}")
        union = " UNION ".join(copies) or f"{{ VALUES {self._variable} {{}} {{ {text} }} }}"
        return Change(self._start, self._query.tokens[self._closing].end, f"{{ {union} }}")

    def _constants(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield where the variable stands in a text, and what to write there unless it is the graph's name."""
        query = TokenizedQuery(text)
        for place, token in enumerate(query.tokens):
            if token.kind != "variable" or token.text[1:] != self._variable[1:]:
                continue
            if query.keyword(place - 2) == "BOUND" and query.text_at(place + 1) == ")":
                yield query.tokens[place - 2].start, query.tokens[place + 1].end, "true"
            else:
                yield token.start, token.end, ""

    def _mentions(self) -> tuple[bool, bool, bool]:
        """Return whether the variable stands in an expression, in a pattern of a group within, and in any pattern."""
        query, name = self._query, self._variable[1:]
        in_expression, nested, bound, depth, end = False, False, False, 0, 0
        for place in range(self._opening + 1, self._closing):
            token = query.tokens[place]
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            bracketed = token.text == "(" and query.keyword(place - 1) != "VALUES"
            if bracketed or (token.text == "{" and query.keyword(place - 1) == "EXISTS"):
                end = max(end, query.closing.get(place, 0))
            if token.kind == "variable" and token.text[1:] == name:
                in_expression |= place < end
                nested |= place > end and depth > 0
                bound |= place > end or query.keyword(place - 1) in ("AS", "VALUES")
        return in_expression, nested, bound

    def _has_triples(self) -> bool:
        """Tell whether a triple pattern stands in the group itself, which joins everything in it with the graph."""
        query, place = self._query, self._opening + 1
        while place < self._closing:
            word = query.keyword(place)
            if word in ("FILTER", "BIND"):
                while place < self._closing and query.text_at(place) not in ("(", "{"):
                    place += 1
            elif word == "VALUES":
                place += 1
            elif query.tokens[place].kind in _TERMS or query.text_at(place) in ("[", "("):
                return True
            if query.text_at(place) in ("(", "{"):
                place = query.closing.get(place, self._closing)
            place += 1
        return False


REWRITE = Rewrite("graph_variable", ("graph",), re.compile(r"\bgraph\s*[?$]"), _graph_by_graph)
