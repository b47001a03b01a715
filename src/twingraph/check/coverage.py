"""How much of each source document is covered by passages: measured, as text, and as one self-contained HTML page.

The page marks gaps by colour, underline and words, so that they can be found without seeing colours.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import pyoxigraph as ox

from twingraph.check.statements import Statements
from twingraph.publication.evidence import Coverage, Document, Passage, SourceArchive, coverage, documents, passages
from twingraph.rdf.iris import Iris, canonical_language
from twingraph.rdf.terms import text
from twingraph.settings import EvidenceTerms
from twingraph.tables import plural, render_table

_COLUMNS = ("document", "covered", "characters", "passages", "gaps")


@dataclass(frozen=True)
class DocumentCoverage:
    """A document's passages and its text; ``text`` and ``coverage`` are None when the archive does not have it.

    ``supported`` maps the IRI of each passage to the labels of the things that cite it; ``language`` is that of most
    quotes.
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
    by_document: dict[str, list[Passage]] = defaultdict(list)
    for passage in passages(statements.lines, terms, statements.iris):
        by_document[passage.document].append(passage)
    supported = _supported(statements, statements.iris.expand(terms.supports))
    languages = _quote_languages(statements, statements.iris.expand(terms.quote))
    coverages = []
    for document in documents(statements.lines, terms, statements.iris):
        own = tuple(by_document[document.iri])
        body = archive.text(document)
        length = len(body or "")
        spans = [(passage.start, passage.end) for passage in own if passage.start < passage.end <= length]
        tags = Counter(languages[passage.iri] for passage in own if passage.iri in languages)
        coverages.append(
            DocumentCoverage(
                document,
                label=statements.labels.get(document.iri, document.file_name),
                passages=own,
                supported={passage.iri: supported.get(passage.iri, ()) for passage in own},
                text=body,
                coverage=None if body is None else coverage(body, spans),
                language=tags.most_common(1)[0][0] if tags else None,
            )
        )
    return tuple(coverages)


def _quote_languages(statements: Statements, predicate: str) -> dict[str, str]:
    """Return the language tag of each passage's quote, for quotes that have one."""
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


def coverage_text(coverages: Iterable[DocumentCoverage], width: int | None = None) -> str:
    """Return a table of the documents and, below it, each gap with its offsets and text."""
    listed = tuple(coverages)
    blocks = [render_table(_COLUMNS, [_text_row(document) for document in listed], width)]
    for document in listed:
        if lines := list(_gaps(document)):
            blocks.append("\n".join((f"{document.label}: {plural(len(lines), 'gap')}", *lines)) + "\n")
    return "\n".join(blocks)


def percent(share: float) -> str:
    """Return a share as a percentage, rounded down so that 100.0 % means all."""
    return f"{int(share * 1000) / 10:.1f} %"


def _text_row(document: DocumentCoverage) -> tuple[str, ...]:
    count, measured = f"{len(document.passages):,}", document.coverage
    if measured is None:
        return document.label, "not in the archive", "", count, ""
    return document.label, percent(measured.share), f"{measured.total:,}", count, f"{len(measured.gaps):,}"


def _gaps(document: DocumentCoverage) -> Iterator[str]:
    if document.coverage is None or document.text is None:
        return
    for start, end in document.coverage.gaps:
        yield f"  {start}-{end}  {' '.join(document.text[start:end].split())}"


_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1b1b; --quiet: #595959; --line: #c8c8c8;
  --passage: #e3eefb; --nested: #c5dcf6; --edge: #3b6ea5; --gap: #ffd9cc; --gap-edge: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e8e6e3; --quiet: #a8a8a8; --line: #44484d;
    --passage: #1d3148; --nested: #2a4767; --edge: #7fb0e6; --gap: #5a231b; --gap-edge: #ff8a7a; } }
body { background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; margin: 0 auto;
  max-width: 52rem; padding: 1rem 1.25rem 4rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
a { color: var(--edge); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; border-top: 1px solid var(--line); padding-top: 1rem; }
.passage { background: var(--passage); border-bottom: 2px solid var(--edge); }
.passage.nested { background: var(--nested); }
mark.gap { background: var(--gap); color: inherit; text-decoration: underline wavy var(--gap-edge); }
.legend { color: var(--quiet); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media print { .passage { background: none; } }
"""


def coverage_html(coverages: Iterable[DocumentCoverage], iris: Iris, title: str) -> str:
    """Return a page with a table of the documents, then each text with the passages and the gaps marked."""
    listed = tuple(coverages)
    rows = "\n".join(_html_row(document, number) for number, document in enumerate(listed, 1))
    sections = "\n".join(_section(document, number, iris) for number, document in enumerate(listed, 1))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coverage of the sources - {escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Coverage of the sources</h1>
<p>{escape(title)}</p>
</header>
<main>
<table>
<caption>The share of each document's characters, white space aside, that lie in a passage</caption>
<thead><tr><th scope="col">Document</th><th scope="col" class="number">Covered</th>
<th scope="col" class="number">Passages</th><th scope="col" class="number">Gaps</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p class="legend">In the texts: <span class="passage">in a passage</span>,
<span class="passage nested">in several passages</span>, <mark class="gap">in none</mark>.
Hover over a stretch to see which passages cover it and what they support.</p>
{sections}
</main>
</body>
</html>
"""


def _html_row(document: DocumentCoverage, number: int) -> str:
    name = f'<th scope="row"><a href="#document-{number}">{escape(document.label)}</a></th>'
    measured, count = document.coverage, f"{len(document.passages):,}"
    if measured is None:
        return f"<tr>{name}{_cells('not in the archive', count, '')}</tr>"
    return f"<tr>{name}{_cells(percent(measured.share), count, f'{len(measured.gaps):,}')}</tr>"


def _cells(*texts: str) -> str:
    return "".join(f'<td class="number">{text}</td>' for text in texts)


def _section(document: DocumentCoverage, number: int, iris: Iris) -> str:
    label = escape(document.label)
    head = f'<section aria-labelledby="document-{number}">\n<h2 id="document-{number}">{label}</h2>\n'
    if document.text is None or document.coverage is None:
        return head + "<p>The source archive does not have this document.</p>\n</section>"
    measured = document.coverage
    covered = f"{percent(measured.share)} of {plural(measured.total, 'character')}"
    count, gaps = plural(len(document.passages), "passage"), plural(len(measured.gaps), "gap")
    body = "".join(_marked(document, document.text, iris))
    language = f' lang="{escape(document.language)}"' if document.language else ""
    return f'{head}<p>{covered} in {count}; {gaps}.</p>\n<div class="text"{language}>{body}</div>\n</section>'


def _marked(document: DocumentCoverage, text: str, iris: Iris) -> Iterator[str]:
    for start, end, covering in segments(document.passages, len(text)):
        if covering:
            words = escape(text[start:end])
            kind = "passage nested" if len(covering) > 1 else "passage"
            yield f'<span class="{kind}" title="{escape(_title(document, covering, iris))}">{words}</span>'
        else:
            yield _gap(text[start:end], start)


def _gap(body: str, offset: int) -> str:
    """Mark a stretch that no passage covers, without the white space around it."""
    words = body.strip()
    if not words:
        return escape(body)
    before, _, after = body.partition(words)
    start = offset + len(before)
    place = f'<span class="unseen" lang="en">[not covered: </span>{escape(words)}<span class="unseen">]</span>'
    title = f"not covered: {start}-{start + len(words)}"
    return f'{escape(before)}<mark class="gap" title="{title}">{place}</mark>{escape(after)}'


def segments(own: Iterable[Passage], length: int) -> Iterator[tuple[int, int, tuple[Passage, ...]]]:
    """Split a text of ``length`` characters at the edges of passages; yield start, end and the passages around it."""
    valid = [passage for passage in own if passage.start < passage.end <= length]
    edges = sorted({0, length, *(passage.start for passage in valid), *(passage.end for passage in valid)})
    for start, end in pairwise(edges):
        yield start, end, tuple(passage for passage in valid if passage.start <= start and end <= passage.end)


def _title(document: DocumentCoverage, covering: tuple[Passage, ...], iris: Iris) -> str:
    return "\n".join(
        f"{iris.shorten(passage.iri)} ({passage.start}-{passage.end}) supports: "
        + ("; ".join(document.supported.get(passage.iri, ())) or "nothing")
        for passage in covering
    )
