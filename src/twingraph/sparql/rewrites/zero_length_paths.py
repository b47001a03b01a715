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
from twingraph.sparql.tokens import Token

# With more look-ups of terms than this, the paths stay as they are.
_MOST_QUESTIONS = 256
_BEFORE = {"{", "}", ".", ")"}
# What ends a path of no length: `?` that begins no variable, `*` that is not that of SELECT or COUNT.
_MARKS = re.compile(r"\?(?!\w)|\*(?<!\(\*)(?<!select \*)(?<!distinct \*)(?<!reduced \*)")
_LITERAL = re.compile(r"[\"'+\-0-9]|true$|false$")
_TERMS = frozenset({"iri", "name", "variable", "blank", "string", "number"})
# Nobody writes paths that nest deeper; hostile text does.
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class _Triple:
    """A triple pattern as it is written; ``nullable`` when its path may have no length."""

    subject: str
    path: str
    object: str
    nullable: bool

    def __str__(self) -> str:
        return f"{self.subject} {self.path} {self.object}"


@dataclass(frozen=True, slots=True)
class _Statement:
    """The triple patterns of one subject; ``end`` is the place behind them."""

    triples: tuple[_Triple, ...]
    end: int


def _read_statement(query: TokenizedQuery, place: int) -> _Statement | None:
    """Return the statement at a place, None when anything else than plain terms and paths stands in it."""
    try:
        return _Reader(query, place).statement()
    except _NotReadError:
        return None


class _NotReadError(Exception):
    """What stands here is no statement of plain terms and paths."""


class _Reader:
    def __init__(self, query: TokenizedQuery, place: int) -> None:
        self._query, self._place, self._depth = query, place, 0

    def statement(self) -> _Statement:
        triples, subject = [], self._term()
        while True:
            path, nullable = self._verb()
            triples.append(_Triple(subject, path, self._term(), nullable))
            while self._take(","):
                triples.append(_Triple(subject, path, self._term(), nullable))
            if not self._take(";"):
                return _Statement(tuple(triples), self._place)

    def _take(self, *texts: str) -> bool:
        if self._query.text_at(self._place) not in texts:
            return False
        self._place += 1
        return True

    def _next(self, *kinds: str) -> Token:
        if self._place >= len(self._query.tokens) or self._query.tokens[self._place].kind not in kinds:
            raise _NotReadError
        self._place += 1
        return self._query.tokens[self._place - 1]

    def _since(self, place: int) -> str:
        return self._query.text[self._query.tokens[place].start : self._query.tokens[self._place - 1].end]

    def _term(self) -> str:
        begin = self._place
        if self._take("["):
            # A blank node of its own; one that has properties is not read.
            if not self._take("]"):
                raise _NotReadError
            return "[]"
        if self._take("true", "false"):
            return self._since(begin)
        signed = self._take("+", "-")
        token = self._next("number") if signed else self._next(*_TERMS)
        if token.kind == "string":
            # One ^ alone begins an inverse path.
            if self._query.text_at(self._place) == self._query.text_at(self._place + 1) == "^":
                self._place += 2
                self._next("iri", "name")
            elif self._place < len(self._query.tokens) and self._query.tokens[self._place].kind == "language":
                self._place += 1
        return self._since(begin)

    def _verb(self) -> tuple[str, bool]:
        begin = self._place
        if begin < len(self._query.tokens) and self._query.tokens[begin].kind == "variable":
            self._place += 1
            return self._since(begin), False
        nullable = self._alternative()
        return self._since(begin), nullable

    def _alternative(self) -> bool:
        nullable = self._sequence()
        while self._take("|"):
            nullable = self._sequence() or nullable
        return nullable

    def _sequence(self) -> bool:
        nullable = self._element()
        while self._take("/"):
            nullable = self._element() and nullable
        return nullable

    def _element(self) -> bool:
        self._take("^")
        nullable = self._primary()
        if self._take("*", "?"):
            return True
        self._take("+")
        return nullable

    def _primary(self) -> bool:
        if self._take("!"):
            self._negated()
            return False
        if self._take("("):
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise _NotReadError
            nullable = self._alternative()
            self._depth -= 1
            if not self._take(")"):
                raise _NotReadError
            return nullable
        if not self._take("a"):
            self._next("iri", "name")
        return False

    def _negated(self) -> None:
        """Read a negated property set, which matches one statement always."""
        self._take("^")
        if not self._take("("):
            if not self._take("a"):
                self._next("iri", "name")
            return
        while not self._take(")"):
            if not self._take("^", "|", "a"):
                self._next("iri", "name")


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
        term = query.tokens[place].kind in _TERMS or query.text_at(place) in ("+", "-", "[")
        begins = term and query.text_at(place - 1) in _BEFORE
        statement = _read_statement(query, place) if begins else None
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
    """More terms would have to be looked up than is worth it."""


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

    def of(self, triple: _Triple, graph: str) -> str:
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

    def _in_some(self, triple: _Triple, ends: _Ends, graph: str) -> str:
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
