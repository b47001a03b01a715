"""Passages of source documents that support statements, and whether their quotes are where they claim to be.

Offsets count Unicode code points from 0, the end is exclusive (Web Annotation Data Model, section 4.2.4); the text
is the document's file decoded as UTF-8, unchanged.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from twingraph.errors import PublicationError
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import XSD, Term, is_lexical_form
from twingraph.settings import EvidenceTerms

_WHITE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """The characters ``start`` to ``end`` of a document, and a quote from them; ``iri`` may be a blank node's label."""

    iri: str
    document: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Document:
    """A source document: its file in the source archive, and the SHA-256 of that in hexadecimal."""

    iri: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a passage is wrong; ``rule`` is the rule of the finding, ``term`` the evidence setting that it is about."""

    rule: str
    term: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many characters of a text, without white space, are in a passage, and the ranges that are in none."""

    covered: int
    total: int
    gaps: tuple[tuple[int, int], ...]

    @property
    def share(self) -> float:
        """The share that is covered, from 0 to 1; 1 for an empty text."""
        return self.covered / self.total if self.total else 1.0


def passages(lines: NQuads, terms: EvidenceTerms, iris: Iris) -> tuple[Passage, ...]:
    """Return the complete passages, sorted by document and offset; shapes report the incomplete ones."""
    names = {iris.expand(getattr(terms, name)): name for name in ("document", "start", "end", "quote")}
    found = []
    for iri, facts in _facts(lines, names).items():
        start, end = facts.get("start", ""), facts.get("end", "")
        if len(facts) == len(names) and _is_offset(start) and _is_offset(end):
            found.append(Passage(iri, facts["document"], int(start), int(end), facts["quote"]))
    return tuple(sorted(found, key=lambda passage: (passage.document, passage.start, passage.end, passage.iri)))


def _is_offset(text: str) -> bool:
    return is_lexical_form(text, XSD + "nonNegativeInteger")


def documents(lines: NQuads, terms: EvidenceTerms, iris: Iris) -> tuple[Document, ...]:
    """Return the documents that have a file name and a hash, sorted by IRI."""
    names = {iris.expand(terms.file_name): "file_name", iris.expand(terms.sha256): "sha256"}
    rows = _facts(lines, names).items()
    return tuple(sorted((Document(iri, **facts) for iri, facts in rows if len(facts) == 2), key=lambda doc: doc.iri))


def verify(passage: Passage, text: str, max_quote: int) -> tuple[Problem, ...]:
    """Return what is wrong with a passage of ``text``: its offsets, its quote, the length of that."""
    if not 0 <= passage.start < passage.end <= len(text):
        place = f"{passage.start}-{passage.end} is not a range in a text of {len(text)} characters"
        return (Problem("evidence/offset", "end", place, _where(passage.quote, text)),)
    return tuple(_problems(passage, text, max_quote))


def coverage(text: str, spans: Iterable[tuple[int, int]]) -> Coverage:
    """Return how much of ``text`` the spans cover; overlaps count once."""
    marks = bytearray(len(text))
    for start, end in spans:
        marks[start:end] = b"\1" * (min(end, len(text)) - start)
    solid = [position for position, char in enumerate(text) if not char.isspace()]
    gaps = [(match.start(), match.end()) for match in re.finditer(rb"\0+", bytes(marks))]
    trimmed = [_trim(text, start, end) for start, end in gaps if text[start:end].strip()]
    return Coverage(sum(marks[position] for position in solid), len(solid), tuple(trimmed))


def locate(words: str, text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of all occurrences of ``words`` in ``text``; any white space matches any other."""
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    return tuple((match.start(), match.end()) for match in re.finditer(pattern, text)) if pattern else ()


def _problems(passage: Passage, text: str, max_quote: int) -> Iterable[Problem]:
    body = text[passage.start : passage.end]
    if len(passage.quote) > max_quote:
        length = f"the quote has {len(passage.quote)} characters, at most {max_quote} are allowed"
        yield Problem("evidence/length", "quote", length, "quote only the phrase that matters")
    if not passage.quote.strip() or not locate(passage.quote, body):
        words = (
            f"the words {passage.quote!r} are not at {passage.start}-{passage.end}, where the text is {_start(body)!r}"
        )
        yield Problem("evidence/quote", "quote", words, _where(passage.quote, text))
    elif body != body.strip() or _cuts_word(text, passage.start) or _cuts_word(text, passage.end):
        edges = f"{passage.start}-{passage.end} does not begin and end with a whole word: {_start(body)!r}"
        yield Problem("evidence/offset", "start", edges, "move the start and the end to the edges of words")


def _cuts_word(text: str, offset: int) -> bool:
    return 0 < offset < len(text) and text[offset - 1].isalnum() and text[offset].isalnum()


def _where(quote: str, text: str) -> str:
    places = locate(quote, text)
    if not places:
        return "these words are nowhere in the document: copy them from it"
    return "they are at " + ", ".join(f"{start}-{end}" for start, end in places[:5])


def _start(body: str) -> str:
    folded = _WHITE.sub(" ", body).strip()
    return folded if len(folded) <= 60 else folded[:57] + "..."


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), end - len(body) + len(body.rstrip())


def _facts(lines: NQuads, names: dict[str, str]) -> dict[str, dict[str, str]]:
    facts: dict[str, dict[str, str]] = defaultdict(dict)
    for quad in lines.with_predicates(names):
        facts[_text(quad.subject)].setdefault(names[quad.predicate.value], _text(quad.object))
    return facts


def _text(term: Term) -> str:
    return str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value


@dataclass(frozen=True, slots=True)
class SourceArchive:
    """The source documents under ``directory``, which need not all be there."""

    directory: Path

    def digest(self, document: Document) -> str | None:
        """Return the SHA-256 of a document's file in hexadecimal, or None when it is not in the archive."""
        content = self._content(document)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def text(self, document: Document) -> str | None:
        """Return a document's text with its ends of lines unchanged, or None when it is not in the archive.

        Raises PublicationError when the file is not UTF-8.
        """
        content = self._content(document)
        try:
            return None if content is None else content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise PublicationError(document.file_name, f"not UTF-8 at byte {error.start}") from error

    def _content(self, document: Document) -> bytes | None:
        path = (self.directory / document.file_name).resolve()
        inside = path.is_relative_to(self.directory.resolve())
        return path.read_bytes() if inside and path.is_file() else None
