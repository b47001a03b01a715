"""The tokens of a query, in time linear in its length even for hostile text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from twingraph.errors import QueryError, QueryTooLongError

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_LETTER = re.compile(r"[\w\u00b7\u0300-\u036f\u203f\u2040-]")
# A hundred times as many as in queries that people write; tokenizing them takes a quarter of a second.
MAX_TOKENS = 250_000


class Token(NamedTuple):
    """A token: its ``kind`` (the name of a group in the pattern below), its text, and the offset of its start."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset of its end, exclusive."""
        return self.start + len(self.text)


_IRI = r"<(?:[^<>\"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>"
# Every quantifier is possessive or bounded by its neighbours, so that matching takes linear time.
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
    """Yield the tokens of a query, without white space and comments.

    Raises QueryError for an unterminated string, and QueryTooLongError after ``MAX_TOKENS``.
    """
    for number, match in enumerate(_TOKENS.finditer(text)):
        if number >= MAX_TOKENS:
            raise QueryTooLongError(MAX_TOKENS, "tokens")
        kind = match.lastgroup
        if kind == "unended":
            raise QueryError("the string that begins here is not terminated", *place(text, match.start()))
        if kind and kind != "space":
            yield Token(kind, match.group(), match.start())


def unescaped(text: str) -> str:
    r"""Return text with its code point escapes replaced (SPARQL 1.1, section 19.2): ``\u0041`` -> ``A``."""
    return _ESCAPE.sub(lambda match: _character(match) or match[0], text)


def without_escaped_letters(text: str) -> str:
    r"""Return a query in which names and keywords have no code point escapes: ``\u0053ELECT`` -> ``SELECT``.

    They are allowed anywhere (SPARQL 1.1, section 19.2), but the engine knows them only in strings and IRIs. Escapes of
    anything but letters, digits and hyphens of names are kept, because they must not become brackets or quotes.
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
    """Return the character of an escape, nothing for a surrogate or a number that is not a code point."""
    code = int(match[1] or match[2], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""


def keyword(token: Token) -> str:
    """Return a bare word, as keywords are, in capitals, and an empty string for any other token."""
    return token.text.upper() if token.kind == "word" else ""


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column, both from 1, of an offset in a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
