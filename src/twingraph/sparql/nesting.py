"""How deeply a query nests: the engine follows it by recursion, and its process ends when the stack does.

Not only brackets count. ``?a + ?b + ?c``, and a group with many OPTIONAL, are trees as deep as they are long.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from twingraph.errors import QueryError
from twingraph.sparql.tokens import Token, keyword, place

# KiB of stack that the engine takes for each, measured with pyoxigraph 0.5.13 and rounded up: a call in a call (STR,
# IF, COALESCE) or an EXISTS in another took 8 to 16, a further OPTIONAL, MINUS or BIND of a group 2 to 4, a further
# operator of an expression or path 1 to 2.
_BRACKET, _PATTERN, _OPERATOR = 16, 4, 2
# What a query may take in all: less than the 8 MiB that the first thread of a process has by default.
MOST_STACK = 6 * 1024
_PATTERNS = {"OPTIONAL", "MINUS", "UNION", "FILTER", "BIND", "VALUES", "GRAPH", "SELECT"}
_SIGNS_OF_OPERATORS = "+-*/|&!=<>^?"
_OPERATORS, _SEPARATORS = set(_SIGNS_OF_OPERATORS), set(",;.")
_OPENING, _CLOSING = set("({["), set(")}]")


@dataclass(slots=True)
class _Level:
    """What stands between two brackets so far, as KiB of stack; operators begin anew after a separator."""

    is_data: bool
    patterns: int = 0
    operators: int = 0

    @property
    def stack(self) -> int:
        return _BRACKET + self.patterns + self.operators


def refuse_deep_nesting(text: str, tokens: Iterable[Token]) -> None:
    """Raise QueryError, with its place, where a query nests more deeply than the engine's stack allows."""
    nesting = _Nesting()
    for token in tokens:
        nesting.read(token)
        if nesting.stack > MOST_STACK:
            raise QueryError("the query nests too deeply here", *place(text, token.start))


def may_nest_deeply(text: str) -> bool:
    """Tell whether a query must be read to know; letters in names and strings are taken for more than they are."""
    # Every pattern's keyword has a bracket after or around it.
    brackets = (_BRACKET + 2 * _PATTERN) * sum(map(text.count, "({["))
    if brackets + _OPERATOR * len(text) <= MOST_STACK:
        return False
    return brackets + _OPERATOR * sum(map(text.count, _SIGNS_OF_OPERATORS)) > MOST_STACK


class _Nesting:
    def __init__(self) -> None:
        self._levels = [_Level(is_data=False)]
        self._around, self._after_values = 0, False

    @property
    def stack(self) -> int:
        """KiB of stack at the last token."""
        return self._around + self._levels[-1].stack

    def read(self, token: Token) -> None:
        """Take the next token."""
        level = self._levels[-1]
        if token.kind == "word":
            word = keyword(token)
            self._after_values = self._after_values or word == "VALUES"
            if word in _PATTERNS:
                level.patterns, level.operators = level.patterns + _PATTERN, 0
            elif word == "AS" and len(self._levels) > 1:
                # A column nests in the one before it, though each has its brackets.
                self._levels[-2].patterns += _PATTERN
                self._around += _PATTERN
        elif token.kind == "sign":
            if token.text in _OPENING:
                self._open(token.text)
            elif token.text in _CLOSING and len(self._levels) > 1:
                self._levels.pop()
                self._around -= self._levels[-1].stack
            elif token.text in _SEPARATORS:
                level.operators = 0
            elif token.text in _OPERATORS and not level.is_data:
                level.operators += _OPERATOR

    def _open(self, sign: str) -> None:
        level = self._levels[-1]
        level.patterns += _PATTERN if sign == "{" else 0
        self._around += level.stack
        # A table of values is data, and may be as long as it likes.
        self._levels.append(_Level(is_data=level.is_data or (sign == "{" and self._after_values)))
        if sign == "{":
            self._after_values = False
