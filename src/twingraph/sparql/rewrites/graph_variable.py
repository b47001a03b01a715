"""``GRAPH ?g { ... }``: the group is evaluated for each graph and then joined with ``?g`` (SPARQL 1.1, section 18.6).

The engine joins each triple pattern with ``?g`` instead. The results are the same except for subqueries, MINUS, nested
GRAPH, VALUES without a triple pattern, and ``?g`` in a pattern within OPTIONAL. Such a group is copied for each graph.
Expressions see ``?g`` nevertheless, as they do in the engine but must not by the specification: where ``?g`` occurs in
expressions only, each copy has the graph's IRI instead.

Unchanged: groups that share a blank node with the rest of the query, groups over more than 256 graphs, and queries that
would become too long or have too many copies.

Concerns: the W3C's ``sparql11/aggregates/agg-empty-group-count-graph``, ``sparql11/bindings/graph``,
``sparql11/negation/graph-minus`` and ``sparql10/graph/graph-optional``.
Drop when ``SELECT ?g ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }`` returns a row for each graph.
"""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.tokens import keyword, tokens_of

# Beyond these limits, copies would cost more than they gain: graphs, groups, and characters.
_MAX_GRAPHS = 256
_MAX_GROUPS = 32
_MAX_LENGTH = 1 << 18
# Copies of all groups together: the engine's plan for many takes megabytes.
_MAX_COPIES = 512
_TERMS = {"iri", "name", "variable", "blank", "string", "number"}


def _graph_by_graph(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Copy each group that needs it for each graph, inner groups first."""
    indexes = [index for index in query.words.get("GRAPH", ()) if _opens(query, index)]
    if len(indexes) > _MAX_GROUPS or len(facts.graphs) > _MAX_GRAPHS:
        return query.text
    changes: list[Change] = []
    for index in reversed(indexes):
        group = _Group(query, index)
        inner = [change for change in changes if group.begin <= change.start < group.end]
        if group.is_apart() and group.is_closed() and group.size * len(facts.graphs) < _MAX_LENGTH:
            changes = [group.written(facts, inner), *changes[len(inner) :]]
            copies = sum(change.text.count("GRAPH <") for change in changes)
            if sum(len(change.text) for change in changes) > _MAX_LENGTH or copies > _MAX_COPIES:
                return query.text
    return applied(query.text, changes)


def _opens(query: TokenizedQuery, index: int) -> bool:
    """Return whether the GRAPH at an index is followed by a variable and a group."""
    named = query.text_at(index + 2) == "{" and index + 2 in query.closing
    return named and query.tokens[index + 1].kind == "variable"


class _Group:
    """The group of the GRAPH at an index; between its braces is the text from ``begin`` to ``end``."""

    def __init__(self, query: TokenizedQuery, index: int) -> None:
        self._query, self._variable = query, query.tokens[index + 1].text
        self._start, self._opening, self._closing = query.tokens[index].start, index + 2, query.closing[index + 2]
        self.begin, self.end = query.tokens[self._opening].end, query.tokens[self._closing].start
        self._inside = query.tokens[self._opening + 1 : self._closing]
        self._words = {keyword(token) for token in self._inside}
        self._in_expression, self._nested, self._is_bound = self._mentions()

    @property
    def size(self) -> int:
        """The length of its text."""
        return self.end - self.begin

    def is_apart(self) -> bool:
        """Return whether the engine does not evaluate the group for each graph."""
        if self._words & {"SELECT", "MINUS", "GRAPH"}:
            return True
        if "VALUES" in self._words and ("EXISTS" in self._words or not self._has_triples()):
            return True
        return self._nested and bool(self._words & {"OPTIONAL", "VALUES"})

    def is_closed(self) -> bool:
        """Return whether no blank node of the group occurs outside: copies have other blank nodes."""
        labels = {token.text for token in self._inside if token.kind == "blank"}
        outside = (token for token in self._query.tokens if not self.begin <= token.start < self.end)
        return not labels or labels.isdisjoint(token.text for token in outside if token.kind == "blank")

    def written(self, facts: DatasetFacts, inner: list[Change]) -> Change:
        """Return the copies of the group, which include the changes made within it."""
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
        """Yield the spans of the variable in a text, and what to put there instead of the graph's IRI, if anything."""
        query = TokenizedQuery(text)
        for index, token in enumerate(query.tokens):
            if token.kind != "variable" or token.text[1:] != self._variable[1:]:
                continue
            if query.keyword(index - 2) == "BOUND" and query.text_at(index + 1) == ")":
                yield query.tokens[index - 2].start, query.tokens[index + 1].end, "true"
            else:
                yield token.start, token.end, ""

    def _mentions(self) -> tuple[bool, bool, bool]:
        """Return whether the variable occurs in an expression, in a pattern of a nested group, and in any pattern."""
        query, name = self._query, self._variable[1:]
        in_expression, nested, bound, depth, end = False, False, False, 0, 0
        for index in range(self._opening + 1, self._closing):
            token = query.tokens[index]
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            bracketed = token.text == "(" and query.keyword(index - 1) != "VALUES"
            if bracketed or (token.text == "{" and query.keyword(index - 1) == "EXISTS"):
                end = max(end, query.closing.get(index, 0))
            if token.kind == "variable" and token.text[1:] == name:
                in_expression |= index < end
                nested |= index > end and depth > 0
                bound |= index > end or query.keyword(index - 1) in ("AS", "VALUES")
        return in_expression, nested, bound

    def _has_triples(self) -> bool:
        """Return whether there is a triple pattern in the group itself, which joins all of it with the graph."""
        query, index = self._query, self._opening + 1
        while index < self._closing:
            word = query.keyword(index)
            if word in ("FILTER", "BIND"):
                while index < self._closing and query.text_at(index) not in ("(", "{"):
                    index += 1
            elif word == "VALUES":
                index += 1
            elif query.tokens[index].kind in _TERMS or query.text_at(index) in ("[", "("):
                return True
            if query.text_at(index) in ("(", "{"):
                index = query.closing.get(index, self._closing)
            index += 1
        return False


REWRITE = Rewrite("graph_variable", ("graph",), re.compile(r"\bgraph\s*[?$]"), _graph_by_graph)
