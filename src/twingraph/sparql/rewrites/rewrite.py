"""What a rewrite is: its name, a cheap look at the text for what is concerned, and the rewriting itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twingraph.sparql.rewrites.tokenized_query import DatasetFacts, TokenizedQuery


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
