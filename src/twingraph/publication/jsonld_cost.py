"""How much work the contexts of a JSON-LD document make for the engine.

Wherever a context applies, its terms are added to a copy of the terms that apply already (JSON-LD 1.1 API, section
4.1.2). So a document of a megabyte with a context of thousands of terms, and thousands of nodes with contexts of their
own or in the scope of a term that has one, takes minutes.
"""

from dataclasses import dataclass, field

from twingraph.publication.jsonld_tokens import string, tokens


@dataclass(slots=True)
class _Container:
    """An object or list that has been opened, with the last key of an object.

    ``terms`` are those of the contexts of an object, ``uses`` the contexts that apply in it so far.
    """

    is_object: bool = False
    is_context: bool = False
    key: str = ""
    awaits_value: bool = False
    terms: int = 0
    uses: int = 0


def copied_terms(text: str, limit: int) -> int:
    """Return how many terms are copied at most, each counted every time; 0 when they are certainly below the limit.

    Of malformed JSON the number says nothing.
    """
    # A term is defined with a colon, and a context applies because of a string.
    if text.count(":") * (text.count('"') // 2) <= limit:
        return 0
    first = _Walk()
    first.run(text)
    second = _Walk(first.scoped)
    second.run(text)
    return second.copied


@dataclass
class _Walk:
    """One pass over the tokens; ``scoped`` are the terms that have contexts of their own (JSON-LD 1.1, section 4.1.8).

    Those that it finds are added.
    """

    scoped: set[str] = field(default_factory=set)
    copied: int = 0
    above: list[_Container] = field(default_factory=lambda: [_Container()])

    def run(self, text: str) -> None:
        for match in tokens(text):
            token, here = match[0], self.above[-1]
            if token in "{[":
                is_context = here.key == "@context" if here.is_object else here.is_context
                self.above.append(_Container(token == "{", is_context))
            elif token in "}]":
                self._close(here)
            elif token in ":,":
                here.awaits_value = token == ":"
            elif token.startswith('"'):
                self._string(string(token), here)

    def _close(self, here: _Container) -> None:
        self.copied += here.terms * here.uses
        if len(self.above) > 1:
            self.above.pop()
            self.above[-1].uses += here.uses
            self.above[-1].awaits_value = False

    def _string(self, name: str, here: _Container) -> None:
        is_key = here.is_object and not here.awaits_value
        if is_key:
            here.key = name
        if is_key and here.is_context:
            owner = next((each for each in reversed(self.above) if each.is_object and not each.is_context), here)
            owner.terms += 1
        elif is_key and name == "@context":
            here.uses += 1
            if len(self.above) > 1 and self.above[-2].is_context and self.above[-2].is_object:
                self.scoped.add(self.above[-2].key)
        elif name in self.scoped:
            here.uses += 1
