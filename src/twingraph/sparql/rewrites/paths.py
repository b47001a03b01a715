"""Paths of no length: ``:s :p* ?o`` finds ``:s`` even where no statement has it (SPARQL 1.1, section 18.4).

A term that is not in the graph has paths of no length only, so such a pattern says nothing but what its ends are. Where
the graph is a variable, the graphs that do not have the term are named.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.sparql.rewrites.source import Change, Data, Source, applied
from twingraph.sparql.rewrites.statements import TERMS, Triple, read_statement

# More questions about terms than this are not asked; the paths then stay as they are.
_MOST_QUESTIONS = 256
_BEFORE = {"{", "}", ".", ")"}
_LITERAL = re.compile(r"[\"'+\-0-9]")


def paths(source: Source, data: Data) -> str:
    """Write what is meant by the paths of no length from or to a term that is not in the graph."""
    if source.form is None:
        return source.text
    spelling = _Spelling(source, data)
    try:
        return applied(source.text, _changes(source, spelling))
    except _TooManyError:
        return source.text


def _changes(source: Source, spelling: "_Spelling") -> Iterator[Change]:
    around: list[tuple[int, str]] = []
    place = 0
    while place < len(source.tokens):
        while around and place > around[-1][0]:
            around.pop()
        if source.keyword(place) == "GRAPH" and source.sign(place + 2) == "{":
            around.append((source.closing.get(place + 2, len(source.tokens)), source.sign(place + 1)))
        term = source.tokens[place].kind in TERMS or source.sign(place) in ("+", "-")
        begins = term and source.sign(place - 1) in _BEFORE
        statement = read_statement(source, place) if begins else None
        if statement is None:
            place += 1
            continue
        graph = around[-1][1] if around else ""
        # A blank node that is the subject of several triples joins them.
        joined = statement.triples[0].subject.startswith("_:") and len(statement.triples) > 1
        spelt = [] if joined else [spelling.of(triple, graph) for triple in statement.triples]
        if any(spelt):
            text = " . ".join(own or str(triple) for own, triple in zip(spelt, statement.triples, strict=True))
            yield Change(source.tokens[place].start, source.tokens[statement.end - 1].end, text)
        place = statement.end


class _TooManyError(Exception):
    """More would have to be asked than is worth it."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """The ends of a path: ``constant`` is not in the graph, ``other`` is what it must be the same as."""

    constant: str
    other: str


class _Spelling:
    def __init__(self, source: Source, data: Data) -> None:
        self._data = data
        self._prologue = source.prologue
        self._labels = Counter(token.text for token in source.tokens if token.kind == "blank")
        self._known: dict[tuple[str, str], bool] = {}

    def of(self, triple: Triple, graph: str) -> str:
        """Return how to write a triple pattern, nothing when it may stay as it is."""
        if not triple.nullable:
            return ""
        for ends in (_Ends(triple.subject, triple.object), _Ends(triple.object, triple.subject)):
            if ends.constant[0] in "?$_" or self._labels[ends.other] > 1:
                continue
            if graph[:1] in ("?", "$"):
                return self._in_some(triple, ends, graph)
            if not self._has(graph, ends.constant):
                return _same(ends)
        return ""

    def _in_some(self, triple: Triple, ends: _Ends, graph: str) -> str:
        """Return a pattern in a graph that is a variable."""
        without = [f"<{iri}>" for iri in self._data.graphs if not self._has(f"<{iri}>", ends.constant)]
        if not without or ends.other[1:] == graph[1:]:
            return ""
        named = f"VALUES {graph} {{ {' '.join(without)} }} {_same(ends)}"
        return f"{{ {triple} }} UNION {{ {named} }}"

    def _has(self, graph: str, term: str) -> bool:
        """Tell whether a graph, by default the default one, has a term as a subject or an object."""
        if (graph, term) not in self._known:
            if len(self._known) >= _MOST_QUESTIONS:
                raise _TooManyError
            as_subject = "" if _LITERAL.match(term) else f" UNION {{ {term} ?p ?o }}"
            pattern = f"{{ ?s ?p {term} }}{as_subject}"
            within = f"GRAPH {graph} {{ {pattern} }}" if graph else pattern
            self._known[graph, term] = self._data.ask(f"{self._prologue}ASK {{ {within} }}")
        return self._known[graph, term]


def _same(ends: _Ends) -> str:
    """Return the pattern that holds when both ends are the same."""
    if ends.other[0] == "_":
        return "{}"
    if ends.other[0] in "?$":
        return f"VALUES {ends.other} {{ {ends.constant} }}"
    return f"{{ FILTER sameTerm({ends.constant}, {ends.other}) }}"
