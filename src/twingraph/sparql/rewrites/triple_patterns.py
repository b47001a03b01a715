"""Triple patterns and property paths, read from tokens (SPARQL 1.1, section 19.8, rules 75 and 88 to 96)."""

from dataclasses import dataclass

from twingraph.sparql.rewrites.rewrite import TokenizedQuery
from twingraph.sparql.tokens import Token

TERMS = frozenset({"iri", "name", "variable", "blank", "string", "number"})
# Nobody writes paths that nest deeper; hostile text does.
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Triple:
    """A triple pattern as it is written; ``nullable`` when its path may have no length."""

    subject: str
    path: str
    object: str
    nullable: bool

    def __str__(self) -> str:
        return f"{self.subject} {self.path} {self.object}"


@dataclass(frozen=True, slots=True)
class Statement:
    """The triple patterns of one subject; ``end`` is the place behind them."""

    triples: tuple[Triple, ...]
    end: int


def read_statement(query: TokenizedQuery, place: int) -> Statement | None:
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

    def statement(self) -> Statement:
        triples, subject = [], self._term()
        while True:
            path, nullable = self._verb()
            triples.append(Triple(subject, path, self._term(), nullable))
            while self._take(","):
                triples.append(Triple(subject, path, self._term(), nullable))
            if not self._take(";"):
                return Statement(tuple(triples), self._place)

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
        token = self._next("number") if signed else self._next(*TERMS)
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
            if self._depth > _DEEPEST:
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
