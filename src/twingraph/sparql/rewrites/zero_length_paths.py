"""Zero-length paths: ``:s :p* ?o`` matches ``:s`` itself even if no triple contains it (SPARQL 1.1, section 18.4).

The engine matches it only if the graph contains the term.

From a term that is not in the graph there are only zero-length paths, so the pattern is replaced by the equality of its
ends. Where the graph is a variable, the graphs without the term are listed.

Unchanged: paths to a blank node that also occurs elsewhere, ``GRAPH ?g { :c :p* ?g }``, paths beside collections and
blank node property lists, and all paths when more than 256 terms and graphs would have to be looked up.

Concerns: the W3C's ``sparql11/property-path/zero_or_more_set_end``, ``..._start``, ``zero_or_one_set_end`` and
``..._start``. Upstream: oxigraph/oxigraph pull request 1815 (merged in July 2026).
Drop when ``SELECT ?o { <http://not-there> <http://p>* ?o }`` returns the term itself.

"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied
from twingraph.sparql.tokens import Token

# With more look-ups of terms, paths stay unchanged.
_MAX_LOOKUPS = 256
_BEFORE = {"{", "}", ".", ")"}
# The operators of zero-length paths: `?` that does not begin a variable, `*` not of SELECT or COUNT.
_MARKS = re.compile(r"\?(?!\w)|\*(?<!\(\*)(?<!select \*)(?<!distinct \*)(?<!reduced \*)")
_LITERAL = re.compile(r"[\"'+\-0-9]|true$|false$")
_TERMS = frozenset({"iri", "name", "variable", "blank", "string", "number"})
# People do not write paths that nest more deeply.
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class _Triple:
    """The text of a triple pattern; ``nullable`` if its path can have zero length."""

    subject: str
    path: str
    object: str
    nullable: bool

    def __str__(self) -> str:
        return f"{self.subject} {self.path} {self.object}"


@dataclass(frozen=True, slots=True)
class _Statement:
    """Triple patterns with the same subject; ``end`` is the index after them."""

    triples: tuple[_Triple, ...]
    end: int


def _read_statement(query: TokenizedQuery, index: int) -> _Statement | None:
    """Parse the triple patterns at an index, None if they contain anything but terms and paths."""
    try:
        return _Reader(query, index).statement()
    except _NotReadError:
        return None


class _NotReadError(Exception):
    """The tokens here are not triple patterns of terms and paths."""


class _Reader:
    def __init__(self, query: TokenizedQuery, index: int) -> None:
        self._query, self._place, self._depth = query, index, 0

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

    def _since(self, index: int) -> str:
        return self._query.text[self._query.tokens[index].start : self._query.tokens[self._place - 1].end]

    def _term(self) -> str:
        begin = self._place
        if self._take("["):
            # An anonymous blank node; property lists are not parsed.
            if not self._take("]"):
                raise _NotReadError
            return "[]"
        if self._take("true", "false"):
            return self._since(begin)
        signed = self._take("+", "-")
        token = self._next("number") if signed else self._next(*_TERMS)
        if token.kind == "string":
            # A single ^ begins an inverse path.
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
        """Read a negated property set, whose length is one."""
        self._take("^")
        if not self._take("("):
            if not self._take("a"):
                self._next("iri", "name")
            return
        while not self._take(")"):
            if not self._take("^", "|", "a"):
                self._next("iri", "name")


def _found(query: TokenizedQuery, facts: DatasetFacts) -> str:
    """Replace zero-length paths from or to a term that is not in the graph."""
    if query.form is None:
        return query.text
    replacements = _Replacements(query, facts)
    try:
        return applied(query.text, _changes(query, replacements))
    except _TooManyError:
        return query.text


def _changes(query: TokenizedQuery, replacements: "_Replacements") -> Iterator[Change]:
    around: list[tuple[int, str]] = []
    index = 0
    while index < len(query.tokens):
        while around and index > around[-1][0]:
            around.pop()
        if query.keyword(index) == "GRAPH" and query.text_at(index + 2) == "{":
            around.append((query.closing.get(index + 2, len(query.tokens)), query.text_at(index + 1)))
        term = query.tokens[index].kind in _TERMS or query.text_at(index) in ("+", "-", "[")
        begins = term and query.text_at(index - 1) in _BEFORE
        statement = _read_statement(query, index) if begins else None
        if statement is None:
            index += 1
            continue
        graph = around[-1][1] if around else ""
        # A blank node that is the subject of several patterns joins them.
        joined = statement.triples[0].subject.startswith(("_:", "[")) and len(statement.triples) > 1
        replaced = [] if joined else [replacements.of(triple, graph) for triple in statement.triples]
        if any(replaced):
            text = " . ".join(own or str(triple) for own, triple in zip(replaced, statement.triples, strict=True))
            yield Change(query.tokens[index].start, query.tokens[statement.end - 1].end, text)
        index = statement.end


class _TooManyError(Exception):
    """Too many terms would have to be looked up."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """The ends of a path: ``constant`` is not in the graph, ``other`` has to be equal to it."""

    constant: str
    other: str


class _Replacements:
    def __init__(self, query: TokenizedQuery, facts: DatasetFacts) -> None:
        self._facts = facts
        self._prologue = query.prologue
        self._labels = Counter(token.text for token in query.tokens if token.kind == "blank")
        self._known: dict[tuple[str, str], bool] = {}

    def of(self, triple: _Triple, graph: str) -> str:
        """Return the replacement of a triple pattern, nothing if it needs none."""
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
        """Return the replacement where the graph is a variable."""
        without = [f"<{iri}>" for iri in self._facts.graphs if not self._has(f"<{iri}>", ends.constant)]
        if not without or ends.other[1:] == graph[1:]:
            return ""
        named = f"VALUES {graph} {{ {' '.join(without)} }} {_same(ends)}"
        return f"{{ {triple} }} UNION {{ {named} }}"

    def _has(self, graph: str, term: str) -> bool:
        """Return whether a graph, or without a name the default graph, has a term as a subject or an object."""
        if (graph, term) not in self._known:
            if len(self._known) >= _MAX_LOOKUPS:
                raise _TooManyError
            as_subject = "" if _LITERAL.match(term) else f" UNION {{ {term} ?p ?o }}"
            pattern = f"{{ ?s ?p {term} }}{as_subject}"
            within = f"GRAPH {graph} {{ {pattern} }}" if graph else pattern
            self._known[graph, term] = self._facts.ask(f"{self._prologue}ASK {{ {within} }}")
        return self._known[graph, term]


def _same(ends: _Ends) -> str:
    """Return a pattern that matches if both ends are equal."""
    if ends.other[0] in "_[":
        return "{}"
    if ends.other[0] in "?$":
        return f"VALUES {ends.other} {{ {ends.constant} }}"
    return f"{{ FILTER sameTerm({ends.constant}, {ends.other}) }}"


REWRITE = Rewrite("zero_length_paths", ("*", "?"), _MARKS, _found)
