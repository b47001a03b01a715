"""The engine's syntax errors, in terms of the query that the user wrote."""

import re
from collections.abc import Collection
from itertools import pairwise

from twingraph.errors import QueryError
from twingraph.sparql.tokens import Token, keyword, place, tokens_of

_POSITION = re.compile(r"error at (?P<line>\d+):(?P<column>\d+): (?P<rest>.*)", re.DOTALL)
_EXPECTED = re.compile(r"expected (?:one of )?(?P<list>.*)", re.DOTALL)
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)+"')
# Among the tokens that it expected, the parser lists explanations.
_SENTENCES = re.compile(
    r"Prefix not found|Duplicated variable name in SELECT|[^,\[]*overrides an existing variable[^,]*"
    r"|[^,\[]*contains (?:a|an expression with a) variable that is unbound|[^,\[]*is not authorized[^,]*"
    r"|[^,\[]*(?:must|should|can't|cannot) [^,]*"
)
# Keywords are left out: the parser names those that it happened to try, rarely the one that is missing.
_LIKELY = ('"}"', '")"', '"]"', '"."', '";"', '"{"', '"("')
_MAX_EXPECTED = 6


def query_error(error: SyntaxError, text: str, prefixes: Collection[str] = ()) -> QueryError:
    """Translate the parser's error: line and column, what is there, and what was expected.

    Queries may use ``prefixes`` without declaring them.
    """
    match = _POSITION.match(str(error))
    if not match:
        return QueryError(str(error))
    line, column = int(match["line"]), int(match["column"])
    # The parser reports an undeclared prefix only in some places, and elsewhere what it expected instead.
    if name := _undeclared(text, prefixes):
        return QueryError(f"Prefix not found: {name.text.partition(':')[0]}:", *place(text, name.start))
    return QueryError(f"{_reason(match['rest'])}{_near(text, line, column)}", line, column)


def _reason(message: str) -> str:
    expected = _EXPECTED.match(message)
    if not expected:
        return message
    if sentence := _SENTENCES.search(expected["list"]):
        return sentence.group().strip()
    found = _LITERAL.findall(expected["list"])
    tokens = sorted(dict.fromkeys(token for token in found if token.isprintable()), key=_rank)[:_MAX_EXPECTED]
    return f"expected {' or '.join(tokens)}" if tokens else "not expected here"


def _undeclared(text: str, prefixes: Collection[str]) -> Token | None:
    """Return the first prefixed name with an undeclared prefix, None if there is none or the text has no tokens."""
    try:
        tokens = tuple(tokens_of(text))
    except QueryError:
        return None
    declared = {name.text for before, name in pairwise(tokens) if keyword(before) == "PREFIX"}
    known = declared | {f"{prefix}:" for prefix in prefixes}
    names = (token for token in tokens if token.kind == "name")
    return next((name for name in names if f"{name.text.partition(':')[0]}:" not in known), None)


def _rank(token: str) -> int:
    """Return the rank of a token by how likely it is to be missing: closing brackets come first."""
    return _LIKELY.index(token) if token in _LIKELY else len(_LIKELY)


def _near(text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    rest = lines[line - 1][column - 1 :].strip() if line <= len(lines) else ""
    if rest:
        return f", before {rest[:30]!r}"
    before = lines[line - 1][: column - 1].strip() if line <= len(lines) else ""
    return f", after {before[-30:]!r}" if before else ", at the end of the query"
