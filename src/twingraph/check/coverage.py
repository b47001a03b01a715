"""How much of each source document lies in some passage."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyoxigraph as ox

from twingraph.check.statements import Statements, text
from twingraph.publication.evidence import Coverage, Document, Passage, SourceArchive, coverage, documents, passages
from twingraph.rdf.iris import canonical_language
from twingraph.settings import EvidenceTerms


@dataclass(frozen=True)
class DocumentCoverage:
    """A document's passages and its text; ``text`` and ``coverage`` are None when the archive does not hold it.

    ``supported`` names for each passage, by IRI, the things that point to it; ``language`` is that of most quotes.
    """

    document: Document
    label: str
    passages: tuple[Passage, ...]
    supported: dict[str, tuple[str, ...]]
    text: str | None
    coverage: Coverage | None
    language: str | None = None


def document_coverages(
    statements: Statements, terms: EvidenceTerms, archive: SourceArchive
) -> tuple[DocumentCoverage, ...]:
    """Return the coverage of each source document, in the order of their IRIs.

    Raises PublicationError when a document's file is not UTF-8.
    """
    found: dict[str, list[Passage]] = defaultdict(list)
    for passage in passages(statements.lines, terms, statements.iris):
        found[passage.document].append(passage)
    supported = _supported(statements, statements.iris.expand(terms.supports))
    spoken = _languages(statements, statements.iris.expand(terms.quote))
    covers = []
    for document in documents(statements.lines, terms, statements.iris):
        cover = _cover(statements, document, tuple(found[document.iri]), supported, archive.text(document))
        tags = Counter(spoken[passage.iri] for passage in cover.passages if passage.iri in spoken)
        covers.append(replace(cover, language=tags.most_common(1)[0][0] if tags else None))
    return tuple(covers)


def _cover(
    statements: Statements,
    document: Document,
    found: tuple[Passage, ...],
    supported: dict[str, tuple[str, ...]],
    body: str | None,
) -> DocumentCoverage:
    label = statements.labels.get(document.iri, document.file_name)
    own = {passage.iri: supported.get(passage.iri, ()) for passage in found}
    measured = None if body is None else coverage(body, _spans(found, len(body)))
    return DocumentCoverage(document, label, found, own, body, measured)


def _spans(found: Iterable[Passage], length: int) -> list[tuple[int, int]]:
    return [(passage.start, passage.end) for passage in found if passage.start < passage.end <= length]


def _languages(statements: Statements, predicate: str) -> dict[str, str]:
    """Return the language of each passage's quote, where it has one."""
    return {
        text(quad.subject): canonical_language(quad.object.language)
        for quad in statements.lines.with_predicates((predicate,))
        if isinstance(quad.object, ox.Literal) and quad.object.language
    }


def _supported(statements: Statements, predicate: str) -> dict[str, tuple[str, ...]]:
    things: dict[str, list[str]] = defaultdict(list)
    for subject, passage in statements.pairs(predicate):
        things[passage].append(statements.labels.get(subject, statements.short(subject)))
    return {passage: tuple(dict.fromkeys(names)) for passage, names in things.items()}
