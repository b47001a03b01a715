"""Contexts of JSON-LD that a document refers to, replaced by local files: nothing is fetched while files are read.

The reference is replaced in the text, by the context on one line, so that the lines of syntax errors stay true.
Contexts that refer to others are resolved too (JSON-LD 1.1, section 4.1.1).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from twingraph.errors import FileRefusedError
from twingraph.publication.jsonld_cost import copied_terms
from twingraph.publication.jsonld_tokens import string, tokens
from twingraph.publication.sources import Source
from twingraph.rdf.iris import resolve

# The most that a context may become when those that it refers to are written out, in characters.
_LONGEST_CONTEXT = 16_000_000


@dataclass
class _Container:
    """An object or list that has been opened; ``key`` is the last key of an object."""

    is_object: bool
    is_context_list: bool = False
    key: str | None = None
    awaits_value: bool = False


@dataclass(frozen=True, slots=True)
class _Reference:
    """A context's IRI in a text, with what it says and where it stands."""

    start: int
    end: int
    iri: str
    in_list: bool
    is_nested: bool


@dataclass
class ContextFiles:
    """The contexts that ``files`` names, relative to ``directory``; each is read once."""

    directory: Path
    files: Mapping[str, str]
    base: str
    _known: dict[str, Any] = field(default_factory=dict)

    def inlined(self, source: Source) -> bytes:
        """Return the document with its contexts written out.

        Raises FileRefusedError for a context that has no file, or whose file has no context, and for contexts that
        exceed a limit, and UnicodeDecodeError.
        """
        content = source.content()
        if b"context" not in content and b"\\u" not in content:
            return content
        text = content.decode()
        references = list(_references(text))
        text = self._written_out(source, text, references, source.allowance(len(content))) if references else text
        limit = source.limits.max_context_terms
        if copied_terms(text, limit) > limit:
            reason = f"its contexts apply so often that they take more than {limit:,} copies of terms"
            raise source.refused(reason, "max_context_terms")
        return text.encode() if references else content

    def _written_out(self, source: Source, text: str, references: list[_Reference], left: int) -> str:
        self._check(source, text, references)
        parts, end = [], 0
        for each in references:
            context = self._context(source, each.iri)
            written = json.dumps(context, separators=(",", ":"), ensure_ascii=True)
            if each.in_list and isinstance(context, list):
                written = written[1:-1] or "{}"
            left -= len(written)
            if left < 0:
                raise source.refused("it becomes too large when its contexts are written out", "max_expansion")
            parts += [text[end : each.start], written]
            end = each.end
        return "".join([*parts, text[end:]])

    def _check(self, source: Source, text: str, references: list[_Reference]) -> None:
        missing = [each for each in references if self._name(each.iri) is None]
        if missing:
            names = ", ".join(dict.fromkeys(f"<{each.iri}>" for each in missing))
            self._missing(source, names, missing[0].iri, *_place(text, missing[0].start))
        nested = next((each for each in references if each.is_nested), None)
        if nested and '"@json"' in text:
            reason = "it refers to a context inside another node and has values of the type @json"
            self._refused(source, reason, "write the context out", *_place(text, nested.start))

    def _name(self, iri: str) -> str | None:
        """Return the file of a context; relative references also stand in the settings as they are written."""
        return self.files.get(iri) or self.files.get(resolve(self.base, iri))

    def _context(self, source: Source, iri: str, above: tuple[str, ...] = ()) -> Any:
        name = self._name(iri)
        if name is None:
            self._missing(source, f"<{iri}>, to which <{above[-1]}> refers", iri)
        if name in self._known:
            return self._known[name]
        if iri in above:
            self._refused(source, f"the contexts <{iri}> and <{above[-1]}> refer to one another", "write them out")
        context = self._resolved(source, self._read(source, name, iri), iri, (*above, iri))
        if len(json.dumps(context)) > _LONGEST_CONTEXT:
            self._refused(source, f"the context <{iri}> is too large when those in it are written out", "shorten it")
        self._known[name] = context
        return context

    def _resolved(self, source: Source, context: Any, iri: str, above: tuple[str, ...]) -> Any:
        """Return a context in which every reference to another is replaced by that one."""
        if isinstance(context, str):
            return self._context(source, resolve(iri, context), above)
        if isinstance(context, list):
            resolved = [self._resolved(source, each, iri, above) for each in context]
            return [one for each in resolved for one in (each if isinstance(each, list) else [each])]
        if not isinstance(context, dict):
            return context
        if "@import" in context:
            self._refused(source, f"the context <{iri}> has @import", "write the imported context out")
        return {name: self._term(source, value, iri, above) for name, value in context.items()}

    def _term(self, source: Source, value: Any, iri: str, above: tuple[str, ...]) -> Any:
        if not isinstance(value, dict) or "@context" not in value:
            return value
        return value | {"@context": self._resolved(source, value["@context"], iri, above)}

    def _read(self, source: Source, name: str, iri: str) -> Any:
        try:
            document = json.loads((self.directory / name).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._refused(
                source, f"the file {name} of the context <{iri}> cannot be read: {reason}", "correct the file"
            )
        if not isinstance(document, dict) or "@context" not in document:
            self._refused(source, f"the file {name} of the context <{iri}> has no @context", "correct the file")
        return document["@context"]

    def _missing(
        self, source: Source, names: str, iri: str, line: int | None = None, column: int | None = None
    ) -> NoReturn:
        reason = f"there is no local file of the context {names}, and contexts are not fetched"
        remedy = (
            f'save it in the publication and name the file under [files.contexts]: "{iri}" = "contexts/name.jsonld"'
        )
        self._refused(source, reason, remedy, line, column)

    def _refused(
        self, source: Source, reason: str, remedy: str, line: int | None = None, column: int | None = None
    ) -> NoReturn:
        raise FileRefusedError(source.name, "file/context", reason, f"{remedy}; this file was ignored", line, column)


def _references(text: str) -> Iterator[_Reference]:
    """Yield the strings that are values of ``@context``, or of ``@import`` in a context, and in lists of contexts."""
    above: list[_Container] = []
    for match in tokens(text):
        token, here = match[0], above[-1] if above else None
        if token in "{[":
            is_contexts = token == "[" and here is not None and here.is_object and here.key == "@context"
            above.append(_Container(token == "{", is_contexts))
        elif token in "}]":
            del above[-1:]
            _end_value(above)
        elif token == ":" and here:
            here.awaits_value = True
        elif token == "," and here:
            here.awaits_value = False
        elif token.startswith('"') and here:
            if here.is_object and not here.awaits_value:
                here.key = string(token)
            elif here.is_context_list or (here.is_object and here.key == "@context"):
                is_nested = sum(each.is_object for each in above) > 1
                yield _Reference(*match.span(), string(token), here.is_context_list, is_nested)


def _end_value(above: list[_Container]) -> None:
    if above and above[-1].is_object:
        above[-1].awaits_value = False


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
