"""The tokens of a query, read in linear time however hostile the text is."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from twingraph.errors import QueryError


class Token(NamedTuple):
    """A token: its ``kind`` (the names of the groups of the pattern below), its text, and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the token."""
        return self.start + len(self.text)


_IRI = r"<[^<>\"{}|^`\\\x00-\x20]*>"
# Every quantifier is possessive or bounded by its neighbours: hostile text is read in linear time.
_TOKENS = re.compile(
    rf"""
    (?P<space>\s+|\#[^\n\r]*)
  | (?P<iri>{_IRI})
  | (?P<string>\'\'\'(?:\'{{0,2}}+(?:[^'\\]|\\.))*+\'\'\'|\"\"\"(?:\"{{0,2}}+(?:[^"\\]|\\.))*+\"\"\"
      |'(?!'')(?:[^'\\\n\r]|\\.)*+'|"(?!"")(?:[^"\\\n\r]|\\.)*+")
  | (?P<unended>['"])
  | (?P<variable>[?$][\w\u00b7\u0300-\u036f\u203f\u2040]+)
  | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<name>(?:[^\W\d_][\w.-]*+)?:(?:[\w:-]|\.(?=[\w:.%\\-])|%[0-9A-Fa-f]{{2}}|\\[^\w\s])*+)
  | (?P<blank>_:\w(?:[\w.-]*[\w-])?)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d_][\w.-]*+|\w+)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of a query, without spaces and comments; raises QueryError for a string that does not end."""
    for match in _TOKENS.finditer(text):
        kind = match.lastgroup
        if kind == "unended":
            raise QueryError("a string begins here and does not end", *place(text, match.start()))
        if kind and kind != "space":
            yield Token(kind, match.group(), match.start())


def keyword(token: Token) -> str:
    """Return a token in capitals when it is a bare word, as keywords are, else nothing."""
    return token.text.upper() if token.kind == "word" else ""


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column, both from 1, of an offset in a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
