"""Paths of no length: ``:s :p* ?o`` finds ``:s`` even where no statement has it (SPARQL 1.1, section 18.4).

The engine finds it only where the graph has the term.

A term that is not in the graph has paths of no length only, so such a pattern says nothing but what its ends are. Where
the graph is a variable, the graphs that do not have the term are named.

Left as they are: paths to a blank node that stands elsewhere too, ``GRAPH ?g { :c :p* ?g }``, paths beside
collections and property lists in brackets, and, with more than 256 terms and graphs to ask about, all.

Concerns: the W3C's ``sparql11/property-path/zero_or_more_set_end``, ``..._start``, ``zero_or_one_set_end`` and
``..._start``. Upstream: oxigraph/oxigraph pull request 1815 (merged in July 2026).
Drop when the engine answers ``SELECT ?o { <http://not-there> <http://p>* ?o }`` with the term itself.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.rewrites.triple_patterns import TERMS, Triple, read_statement

# More questions about terms than this are not asked; the paths then stay as they are.
_MOST_QUESTIONS = 256
_BEFORE = {"{", "}", ".", ")"}
# What ends a path of no length: `?` that begins no variable, `*` that is not that of SELECT or COUNT.
_MARKS = re.compile(r"\?(?!\w)|\*(?<!\(\*)(?<!select \*)(?<!distinct \*)(?<!reduced \*)")
_LITERAL = re.compile(r"[\"'+\-0-9]|true$|false$")


def _found(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Write what is meant by the paths of no length from or to a term that is not in the graph."""
    if query.form is None:
        return query.text
    spelling = _Spelling(query, facts)
    try:
        return applied(query.text, _changes(query, spelling))
    except _TooManyError:
        return query.text


def _changes(query: TokenizedQuery, spelling: "_Spelling") -> Iterator[Change]:
    around: list[tuple[int, str]] = []
    place = 0
    while place < len(query.tokens):
        while around and place > around[-1][0]:
            around.pop()
        if query.keyword(place) == "GRAPH" and query.text_at(place + 2) == "{":
            around.append((query.closing.get(place + 2, len(query.tokens)), query.text_at(place + 1)))
        term = query.tokens[place].kind in TERMS or query.text_at(place) in ("+", "-", "[")
        begins = term and query.text_at(place - 1) in _BEFORE
        statement = read_statement(query, place) if begins else None
        if statement is None:
            place += 1
            continue
        graph = around[-1][1] if around else ""
        # A blank node that is the subject of several triples joins them.
        joined = statement.triples[0].subject.startswith(("_:", "[")) and len(statement.triples) > 1
        spelt = [] if joined else [spelling.of(triple, graph) for triple in statement.triples]
        if any(spelt):
            text = " . ".join(own or str(triple) for own, triple in zip(spelt, statement.triples, strict=True))
            yield Change(query.tokens[place].start, query.tokens[statement.end - 1].end, text)
        place = statement.end


class _TooManyError(Exception):
    """More would have to be asked than is worth it."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """The ends of a path: ``constant`` is not in the graph, ``other`` is what it must be the same as."""

    constant: str
    other: str


class _Spelling:
    def __init__(self, query: TokenizedQuery, facts: DatasetFacts) -> None:
        self._facts = facts
        self._prologue = query.prologue
        self._labels = Counter(token.text for token in query.tokens if token.kind == "blank")
        self._known: dict[tuple[str, str], bool] = {}

    def of(self, triple: Triple, graph: str) -> str:
        """Return how to write a triple pattern, nothing when it may stay as it is."""
        if not triple.nullable:
            return ""
        for ends in (_Ends(triple.subject, triple.object), _Ends(triple.object, triple.subject)):
            if ends.constant[0] in "?$_[" or self._labels[ends.other] > 1:
                continue
            if graph[:1] in ("?", "$"):
                return self._in_some(triple, ends, graph)
            if not self._has(graph, ends.constant):
                return _same(ends)
        return ""

    def _in_some(self, triple: Triple, ends: _Ends, graph: str) -> str:
        """Return a pattern in a graph that is a variable."""
        without = [f"<{iri}>" for iri in self._facts.graphs if not self._has(f"<{iri}>", ends.constant)]
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
            self._known[graph, term] = self._facts.ask(f"{self._prologue}ASK {{ {within} }}")
        return self._known[graph, term]


def _same(ends: _Ends) -> str:
    """Return the pattern that holds when both ends are the same."""
    if ends.other[0] in "_[":
        return "{}"
    if ends.other[0] in "?$":
        return f"VALUES {ends.other} {{ {ends.constant} }}"
    return f"{{ FILTER sameTerm({ends.constant}, {ends.other}) }}"


REWRITE = Rewrite("zero_length_paths", ("*", "?"), _MARKS, _found)
