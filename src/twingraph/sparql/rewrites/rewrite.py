"""What a rewrite is, and what it works on: a query's text with its tokens and brackets, and changes to it."""

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from twingraph.sparql.tokens import keyword, tokens_of

FORMS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
_BRACKETS = {"(": ")", "{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What rewrites may know of the data.

    ``graphs`` are the named ones of the dataset, ``tags`` the language tags with capitals. ``ask`` answers an ASK query
    over the dataset, ``columns`` gives the variables in scope of a SELECT query, ``values`` the text of what one finds
    for its first variable; all raise SyntaxError for what is no query. ``merged`` when the default graph holds what the
    named ones hold; ``known`` is what was found out about the dataset for earlier queries.
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
    """What stands from ``start`` to ``end`` in a text becomes ``text``."""

    start: int
    end: int
    text: str


class TokenizedQuery:
    """A query's text, its tokens, and which bracket closes which; raises QueryError as the tokens do."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tuple(tokens_of(text))

    @cached_property
    def closing(self) -> Mapping[int, int]:
        """The place of the bracket that closes the one at a place; none for a bracket that nothing closes."""
        found: dict[int, int] = {}
        opened: list[int] = []
        for place, token in enumerate(self.tokens):
            if token.text in _BRACKETS:
                opened.append(place)
            elif opened and token.text == _BRACKETS[self.tokens[opened[-1]].text]:
                found[opened.pop()] = place
        return found

    @cached_property
    def opening(self) -> Mapping[int, int]:
        """The place of the bracket that the one at a place closes."""
        return {closing: opening for opening, closing in self.closing.items()}

    @cached_property
    def words(self) -> Mapping[str, Sequence[int]]:
        """The places of each bare word, in capitals."""
        found: dict[str, list[int]] = {}
        for place, token in enumerate(self.tokens):
            if token.kind == "word":
                found.setdefault(token.text.upper(), []).append(place)
        return found

    @cached_property
    def form(self) -> int | None:
        """The place of the keyword that is the query's form, None when there is none."""
        return min((self.words[word][0] for word in FORMS & self.words.keys()), default=None)

    @cached_property
    def prologue(self) -> str:
        """The declarations before the form, without comments, to be put before another query."""
        return "".join(f"{token.text} " for token in self.tokens[: self.form])

    def declared(self, name: str) -> str:
        """Return those declarations before the form that a name needs, which many queries have in common."""
        if "BASE" in self.words:
            return self.prologue
        prefix = f"{name.partition(':')[0]}:"
        places = (place + 1 for place in self.words.get("PREFIX", ()) if self.text_at(place + 1) == prefix)
        return "".join(f"PREFIX {prefix} {self.text_at(place + 1)} " for place in places)

    def keyword(self, place: int) -> str:
        """Return the keyword at a place in capitals, nothing where another token or none stands."""
        return keyword(self.tokens[place]) if 0 <= place < len(self.tokens) else ""

    def text_at(self, place: int) -> str:
        """Return the text of the token at a place, nothing where none stands."""
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def arguments(self, place: int) -> tuple[int, int] | None:
        """Return the places of the brackets after the name of a function, None when they are not both there."""
        if self.text_at(place + 1) != "(" or place + 1 not in self.closing:
            return None
        return place + 1, self.closing[place + 1]

    def fresh(self, stem: str) -> str:
        """Return a name that stands nowhere in the text."""
        name, number = stem, 0
        while name in self.text:
            number += 1
            name = f"{stem}{number}"
        return name


def applied(text: str, changes: Iterable[Change], begin: int = 0, end: int | None = None) -> str:
    """Return a part of a text with changes, which lie within it in order and do not overlap."""
    parts, stop = [], len(text) if end is None else end
    for change in changes:
        parts += [text[begin : change.start], change.text]
        begin = change.end
    return "".join((*parts, text[begin:stop]))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One deviation of the engine, mended in the query's text.

    ``rewrite`` returns the new text, or the old one when it has nothing to do or cannot do it exactly. It is called
    only for texts that have one of ``words``, in small letters, and match ``pattern``; strings and comments may make
    a text match that has nothing to rewrite.
    """

    name: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    rewrite: Callable[[TokenizedQuery, DatasetFacts], str]
    ignores_case: bool = True

    def may_change(self, text: str, small: str) -> bool:
        """Tell whether a text, given also in small letters, may be concerned."""
        for word in self.words:
            if word in small:
                return self.pattern.search(small if self.ignores_case else text) is not None
        return False
