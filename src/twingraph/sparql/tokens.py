"""The tokens of a query, read in linear time however hostile the text is."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from twingraph.errors import QueryError, QueryTooLongError

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_LETTER = re.compile(r"[\w\u00b7\u0300-\u036f\u203f\u2040-]")
# No query of a person's has a hundredth of it; a quarter of a second's reading.
MOST_TOKENS = 250_000


class Token(NamedTuple):
    """A token: its ``kind`` (the names of the groups of the pattern below), its text, and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the token."""
        return self.start + len(self.text)


_IRI = r"<(?:[^<>\"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>"
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
    """Yield the tokens of a query, without spaces and comments.

    Raises QueryError for a string that does not end, and QueryTooLongError after ``MOST_TOKENS``.
    """
    for number, match in enumerate(_TOKENS.finditer(text)):
        if number >= MOST_TOKENS:
            raise QueryTooLongError(MOST_TOKENS, "tokens")
        kind = match.lastgroup
        if kind == "unended":
            raise QueryError("a string begins here and does not end", *place(text, match.start()))
        if kind and kind != "space":
            yield Token(kind, match.group(), match.start())


def unescaped(text: str) -> str:
    r"""Return text with its code point escapes replaced (SPARQL 1.1, section 19.2): ``\u0041`` -> ``A``."""
    return _ESCAPE.sub(lambda match: _character(match) or match[0], text)


def without_escaped_letters(text: str) -> str:
    r"""Return a query in which names and keywords have no code point escapes: ``\u0053ELECT`` -> ``SELECT``.

    They may stand anywhere (SPARQL 1.1, section 19.2), and the engine knows them only in strings and IRIs. An escape of
    anything but a name's letters, digits and hyphens stays: a bracket or quote that appeared would be out of its place.
    """
    if "\\u" not in text and "\\U" not in text:
        return text
    parts, end = [], 0
    for token in tokens_of(text):
        if token.text == "\\" and (match := _ESCAPE.match(text, token.start)) and _LETTER.fullmatch(_character(match)):
            parts += [text[end : token.start], _character(match)]
            end = match.end()
    return "".join((*parts, text[end:]))


def _character(match: re.Match[str]) -> str:
    """Return what an escape stands for, nothing for half of a surrogate pair or a number that is no code point."""
    code = int(match[1] or match[2], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""


def keyword(token: Token) -> str:
    """Return a token in capitals when it is a bare word, as keywords are, else nothing."""
    return token.text.upper() if token.kind == "word" else ""


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column, both from 1, of an offset in a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
