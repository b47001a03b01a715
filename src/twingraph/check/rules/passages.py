"""Evidence: offsets, quotes and hashes, verified against the texts that the source archive has."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from twingraph.check.statements import Statements
from twingraph.errors import PublicationError
from twingraph.findings import Finding, Severity
from twingraph.publication.evidence import Document, Passage, SourceArchive, documents, passages, verify
from twingraph.settings import EvidenceTerms

# A word too long to be an abbreviation, the end of a sentence, and the beginning of the next; or a Chinese full stop.
_SENTENCE_END = re.compile(r"\w{4,}[.!?][\"')\]]?\s+(?P<next>\w)|[。！？]\s*(?P<following>\w)")


@dataclass(frozen=True, slots=True)
class PassagesResult:
    """What is wrong with the passages, and how many were and were not verified against their document's text."""

    findings: tuple[Finding, ...]
    verified: int
    not_verified: int


def check_passages(statements: Statements, terms: EvidenceTerms, archive: SourceArchive) -> PassagesResult:
    """Verify every passage against the text of its document."""
    complete = passages(statements.lines, terms, statements.iris)
    known = {document.iri: document for document in documents(statements.lines, terms, statements.iris)}
    by_document: dict[str, list[Passage]] = defaultdict(list)
    for passage in complete:
        by_document[passage.document].append(passage)
    findings = list(_incomplete(statements, terms, {passage.iri for passage in complete}))
    verified = 0
    for iri in sorted({*by_document, *known}):
        found = by_document.get(iri, [])
        problems = _against_text(statements, terms, archive, known.get(iri), found)
        findings += problems
        verified += 0 if any(finding.focus == iri for finding in problems) else len(found)
    return PassagesResult(tuple(findings), verified, len(complete) - verified)


def second_sentence(body: str) -> str | None:
    """Return the words around the first sentence boundary within a passage, or None if there is none."""
    for match in _SENTENCE_END.finditer(body):
        # Only scripts with capitals mark the beginning of a sentence; Chinese is recognised by its full stop.
        if match["following"] or match["next"].isupper():
            return " ".join(body[match.start() : match.end() + 20].split())
    return None


def _against_text(
    statements: Statements,
    terms: EvidenceTerms,
    archive: SourceArchive,
    document: Document | None,
    found: list[Passage],
) -> list[Finding]:
    """Return what is wrong with the passages of one document, or why they were not verified."""
    if document is None:
        iri = found[0].document
        return [_not_verified(statements, iri, "the document names no file", len(found))]
    try:
        text = archive.text(document)
    except PublicationError as error:
        return [_mismatch(statements, terms.file_name, document, str(error), len(found))]
    if text is None:
        reason = f"the source archive has no file {document.file_name}"
        return [_not_verified(statements, document.iri, reason, len(found))] if found else []
    digest = archive.digest(document)
    if digest != document.sha256.lower():
        reason = f"{document.file_name} has the SHA-256 {digest}, but the data has {document.sha256}"
        return [_mismatch(statements, terms.sha256, document, reason, len(found))]
    return [finding for passage in found for finding in _text_problems(statements, terms, passage, text)]


def _text_problems(statements: Statements, terms: EvidenceTerms, passage: Passage, text: str) -> Iterator[Finding]:
    for problem in verify(passage, text, terms.max_quote):
        name = problem.term
        value = passage.quote if name == "quote" else str(passage.start if name == "start" else passage.end)
        path = statements.iris.expand(getattr(terms, name))
        yield statements.finding(problem.rule, problem.message, problem.remedy, passage.iri, path, value)
    if words := second_sentence(text[passage.start : passage.end]):
        message = f"the passage crosses a sentence boundary: {words!r}"
        remedy = "make one passage of each sentence, so that it is clear which one supports the statement"
        end = statements.iris.expand(terms.end)
        yield statements.finding(
            "evidence/sentence", message, remedy, passage.iri, end, str(passage.end), severity=Severity.WARNING
        )


def _incomplete(statements: Statements, terms: EvidenceTerms, complete: set[str]) -> Iterator[Finding]:
    kind = statements.iris.expand(terms.passage)
    names = ", ".join((terms.document, terms.start, terms.end, terms.quote))
    for iri in sorted(iri for iri, types in statements.types.items() if kind in types and iri not in complete):
        message = "the passage is incomplete: it lacks a property, or an offset is not a non-negative integer"
        yield statements.finding("evidence/incomplete", message, f"give it exactly one of each of {names}", iri)


def _not_verified(statements: Statements, iri: str, reason: str, count: int) -> Finding:
    message = f"{_passages(count)} not verified: {reason}"
    remedy = "set TWINGRAPH_SOURCES to the directory of the source archive"
    return statements.finding("evidence/archive", message, remedy, iri, severity=Severity.INFO)


def _mismatch(statements: Statements, term: str, document: Document, reason: str, count: int) -> Finding:
    message = f"{reason}; its {_passages(count)} not verified"
    remedy = "find out whether the archive has another edition of the document, or the data another hash"
    return statements.finding("evidence/hash", message, remedy, document.iri, statements.iris.expand(term))


def _passages(count: int) -> str:
    return "1 passage was" if count == 1 else f"{count} passages were"
