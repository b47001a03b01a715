"""How deeply a query nests: the engine evaluates it recursively, and a stack overflow ends its process.

Not only brackets count: ``?a + ?b + ?c`` and a group with many OPTIONAL are trees as deep as they are long.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from twingraph.errors import QueryError
from twingraph.sparql.tokens import Token, keyword, place

# KiB of the engine's stack, measured with pyoxigraph 0.5.13 and rounded up: 8 to 16 for a call within a call (STR, IF,
# COALESCE) or an EXISTS within an EXISTS, 2 to 4 for each OPTIONAL, MINUS or BIND in a group, 1 to 2 for each operator
# of an expression or path.
_BRACKET, _PATTERN, _OPERATOR = 16, 4, 2
# KiB that a query may take, less than the 8 MiB that the main thread of a process has by default.
MAX_STACK = 6 * 1024
_PATTERNS = {"OPTIONAL", "MINUS", "UNION", "FILTER", "BIND", "VALUES", "GRAPH", "SELECT"}
_SIGNS_OF_OPERATORS = "+-*/|&!=<>^?"
_OPERATORS, _SEPARATORS = set(_SIGNS_OF_OPERATORS), set(",;.")
_OPENING, _CLOSING = set("({["), set(")}]")


@dataclass(slots=True)
class _Level:
    """KiB of stack for what has been read of a bracketed part; operators are counted anew after a separator."""

    is_data: bool
    patterns: int = 0
    operators: int = 0

    @property
    def stack(self) -> int:
        return _BRACKET + self.patterns + self.operators


def refuse_deep_nesting(text: str, tokens: Iterable[Token]) -> None:
    """Raise QueryError, with line and column, if a query nests too deeply for the engine's stack."""
    nesting = _Nesting()
    for token in tokens:
        nesting.read(token)
        if nesting.stack > MAX_STACK:
            raise QueryError("the query nests too deeply here", *place(text, token.start))


def may_nest_deeply(text: str) -> bool:
    """Return whether a query may nest too deeply, from counting characters, also those in names and strings."""
    # Every keyword of a pattern comes with a bracket after or around it.
    brackets = (_BRACKET + 2 * _PATTERN) * sum(map(text.count, "({["))
    if brackets + _OPERATOR * len(text) <= MAX_STACK:
        return False
    return brackets + _OPERATOR * sum(map(text.count, _SIGNS_OF_OPERATORS)) > MAX_STACK


class _Nesting:
    def __init__(self) -> None:
        self._levels = [_Level(is_data=False)]
        self._around, self._after_values = 0, False

    @property
    def stack(self) -> int:
        """KiB of stack at the last token read."""
        return self._around + self._levels[-1].stack

    def read(self, token: Token) -> None:
        """Count the next token."""
        level = self._levels[-1]
        if token.kind == "word":
            word = keyword(token)
            self._after_values = self._after_values or word == "VALUES"
            if word in _PATTERNS:
                level.patterns, level.operators = level.patterns + _PATTERN, 0
            elif word == "AS" and len(self._levels) > 1:
                # Each expression of a SELECT clause nests within the one before it, although each has brackets.
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
        # Data of VALUES do not nest, however long they are.
        self._levels.append(_Level(is_data=level.is_data or (sign == "{" and self._after_values)))
        if sign == "{":
            self._after_values = False
