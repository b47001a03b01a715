"""The interface of rewrites, and their tools: a query with its tokens and brackets, and changes of its text."""

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from twingraph.sparql.tokens import keyword, tokens_of

FORMS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
_BRACKETS = {"(": ")", "{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What rewrites may find out about the dataset of a query.

    ``graphs`` are its named graphs, ``tags`` the language tags that are not lower-case. ``ask`` runs an ASK query,
    ``columns`` returns the variables in scope in a SELECT query, and ``values`` the values of its first variable as
    strings; all raise SyntaxError for a malformed query. ``merged`` if the default graph is the union of the named
    ones. ``known`` is a cache of facts about the dataset.
    """

    graphs: Sequence[str]
    tags: Sequence[str]
    ask: Callable[[str], bool]
    columns: Callable[[str], Sequence[str]]
    values: Callable[[str], Sequence[str]]
    merged: bool = False
    known: MutableMapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A replacement of the text from ``start`` to ``end``."""

    start: int
    end: int
    text: str


class TokenizedQuery:
    """A query's text, its tokens and matching brackets; raises QueryError for text without tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tuple(tokens_of(text))

    @cached_property
    def closing(self) -> Mapping[int, int]:
        """The index of each opening bracket -> that of the bracket that closes it."""
        found: dict[int, int] = {}
        opened: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.text in _BRACKETS:
                opened.append(index)
            elif opened and token.text == _BRACKETS[self.tokens[opened[-1]].text]:
                found[opened.pop()] = index
        return found

    @cached_property
    def opening(self) -> Mapping[int, int]:
        """The index of each closing bracket -> that of the bracket that it closes."""
        return {closing: opening for opening, closing in self.closing.items()}

    @cached_property
    def words(self) -> Mapping[str, Sequence[int]]:
        """The indexes of each bare word, which is in capitals."""
        found: dict[str, list[int]] = {}
        for index, token in enumerate(self.tokens):
            if token.kind == "word":
                found.setdefault(token.text.upper(), []).append(index)
        return found

    @cached_property
    def form(self) -> int | None:
        """The index of the keyword of the query form, None if there is none."""
        return min((self.words[word][0] for word in FORMS & self.words.keys()), default=None)

    @cached_property
    def prologue(self) -> str:
        """The declarations before the query form, without comments, for use in another query."""
        return "".join(f"{token.text} " for token in self.tokens[: self.form])

    def declared(self, name: str) -> str:
        """Return only the declarations that a name needs: more queries have them in common."""
        if "BASE" in self.words:
            return self.prologue
        prefix = f"{name.partition(':')[0]}:"
        indexes = (index + 1 for index in self.words.get("PREFIX", ()) if self.text_at(index + 1) == prefix)
        return "".join(f"PREFIX {prefix} {self.text_at(index + 1)} " for index in indexes)

    def keyword(self, index: int) -> str:
        """Return the keyword at an index in capitals, an empty string if there is none."""
        return keyword(self.tokens[index]) if 0 <= index < len(self.tokens) else ""

    def text_at(self, index: int) -> str:
        """Return the text of the token at an index, an empty string if there is none."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def arguments(self, index: int) -> tuple[int, int] | None:
        """Return the indexes of the brackets after the name of a function, None if one is missing."""
        if self.text_at(index + 1) != "(" or index + 1 not in self.closing:
            return None
        return index + 1, self.closing[index + 1]

    def fresh(self, stem: str) -> str:
        """Return a name that does not occur in the text."""
        name, number = stem, 0
        while name in self.text:
            number += 1
            name = f"{stem}{number}"
        return name


def applied(text: str, changes: Iterable[Change], begin: int = 0, end: int | None = None) -> str:
    """Return part of a text with changes in it, which are sorted and do not overlap."""
    parts, stop = [], len(text) if end is None else end
    for change in changes:
        parts += [text[begin : change.start], change.text]
        begin = change.end
    return "".join((*parts, text[begin:stop]))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A workaround for one deviation of the engine.

    ``rewrite`` returns the new text, or the old one if nothing needs to be changed or cannot be changed exactly. It is
    called only for texts that contain one of the lower-case ``words`` and match ``pattern``, be it in a string or
    comment.
    """

    name: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    rewrite: Callable[[TokenizedQuery, DatasetFacts], str]
    ignores_case: bool = True

    def may_change(self, text: str, lower: str) -> bool:
        """Return whether a text, also passed in lower case, may have to be rewritten."""
        for word in self.words:
            if word in lower:
                return self.pattern.search(lower if self.ignores_case else text) is not None
        return False
