"""The coverage of the source documents: as text for a terminal, or as one self-contained page of HTML.

What no passage covers is set off by colour, underline and words, so that it can be found without seeing colours.
"""

from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise

from twingraph.check.coverage import DocumentCoverage
from twingraph.check.reports.text_report import plural, render_table
from twingraph.publication.evidence import Passage
from twingraph.rdf.iris import Iris

_COLUMNS = ("document", "covered", "characters", "passages", "gaps")


def coverage_text(documents: Iterable[DocumentCoverage], width: int | None = None) -> str:
    """Return a table of the documents and, below it, each gap with its offsets and words."""
    covers = tuple(documents)
    blocks = [render_table(_COLUMNS, [_text_row(cover) for cover in covers], width)]
    for cover in covers:
        lines = list(_gaps(cover))
        if lines:
            blocks.append("\n".join((f"{cover.label}: {plural(len(lines), 'gap')}", *lines)) + "\n")
    return "\n".join(blocks)


def percent(share: float) -> str:
    """Return a share as a percentage, rounded down so that 100.0 % means all."""
    return f"{int(share * 1000) / 10:.1f} %"


def _text_row(cover: DocumentCoverage) -> tuple[str, ...]:
    passages = f"{len(cover.passages):,}"
    if cover.coverage is None:
        return cover.label, "not in the archive", "", passages, ""
    facts = cover.coverage
    return cover.label, percent(facts.share), f"{facts.total:,}", passages, f"{len(facts.gaps):,}"


def _gaps(cover: DocumentCoverage) -> Iterator[str]:
    if cover.coverage is None or cover.text is None:
        return
    for start, end in cover.coverage.gaps:
        yield f"  {start}-{end}  {' '.join(cover.text[start:end].split())}"


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


def coverage_html(documents: Iterable[DocumentCoverage], iris: Iris, title: str) -> str:
    """Return the page: a table of the documents, then each text with the passages and the gaps marked."""
    covers = tuple(documents)
    rows = "\n".join(_html_row(cover, number) for number, cover in enumerate(covers, 1))
    sections = "\n".join(_section(cover, number, iris) for number, cover in enumerate(covers, 1))
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
<caption>The share of each document's characters, white space aside, that lie in some passage</caption>
<thead><tr><th scope="col">Document</th><th scope="col" class="number">Covered</th>
<th scope="col" class="number">Passages</th><th scope="col" class="number">Gaps</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p class="legend">In the texts: <span class="passage">in a passage</span>,
<span class="passage nested">in several passages</span>, <mark class="gap">in none</mark>.
Point at a stretch to see which passages it is and what they support.</p>
{sections}
</main>
</body>
</html>
"""


def _html_row(cover: DocumentCoverage, number: int) -> str:
    name = f'<th scope="row"><a href="#document-{number}">{escape(cover.label)}</a></th>'
    if cover.coverage is None:
        return f'<tr>{name}<td class="number">not in the archive</td>{_number(len(cover.passages))}{_cell("")}</tr>'
    facts = cover.coverage
    return f"<tr>{name}{_cell(percent(facts.share))}{_number(len(cover.passages))}{_number(len(facts.gaps))}</tr>"


def _number(number: int) -> str:
    return _cell(f"{number:,}")


def _cell(text: str) -> str:
    return f'<td class="number">{text}</td>'


def _section(cover: DocumentCoverage, number: int, iris: Iris) -> str:
    head = f'<section aria-labelledby="document-{number}">\n<h2 id="document-{number}">{escape(cover.label)}</h2>\n'
    if cover.text is None or cover.coverage is None:
        return head + "<p>The source archive does not hold this document.</p>\n</section>"
    facts = f"{percent(cover.coverage.share)} of {plural(cover.coverage.total, 'character')}"
    gaps = plural(len(cover.coverage.gaps), "gap")
    body = "".join(_marked(cover, cover.text, iris))
    passages = plural(len(cover.passages), "passage")
    language = f' lang="{escape(cover.language)}"' if cover.language else ""
    return f'{head}<p>{facts} in {passages}; {gaps}.</p>\n<div class="text"{language}>{body}</div>\n</section>'


def _marked(cover: DocumentCoverage, text: str, iris: Iris) -> Iterator[str]:
    for start, end, inside in segments(cover.passages, len(text)):
        if inside:
            words = escape(text[start:end])
            kind = "passage nested" if len(inside) > 1 else "passage"
            yield f'<span class="{kind}" title="{escape(_title(cover, inside, iris))}">{words}</span>'
        else:
            yield _gap(text[start:end], start)


def _gap(body: str, offset: int) -> str:
    """Return a stretch that no passage covers, the white space around it left unmarked."""
    words = body.strip()
    if not words:
        return escape(body)
    before, _, after = body.partition(words)
    start = offset + len(before)
    place = f'<span class="unseen" lang="en">[not covered: </span>{escape(words)}<span class="unseen">]</span>'
    title = f"not covered: {start}-{start + len(words)}"
    return f'{escape(before)}<mark class="gap" title="{title}">{place}</mark>{escape(after)}'


def segments(found: Iterable[Passage], length: int) -> Iterator[tuple[int, int, tuple[Passage, ...]]]:
    """Cut a text of ``length`` characters where a passage begins or ends; yield start, end and the passages there."""
    whole = [passage for passage in found if passage.start < passage.end <= length]
    edges = sorted({0, length, *(passage.start for passage in whole), *(passage.end for passage in whole)})
    for start, end in pairwise(edges):
        yield start, end, tuple(passage for passage in whole if passage.start <= start and end <= passage.end)


def _title(cover: DocumentCoverage, inside: tuple[Passage, ...], iris: Iris) -> str:
    return "\n".join(_describe(cover, passage, iris) for passage in inside)


def _describe(cover: DocumentCoverage, passage: Passage, iris: Iris) -> str:
    supported = "; ".join(cover.supported.get(passage.iri, ())) or "nothing"
    return f"{iris.shorten(passage.iri)} ({passage.start}-{passage.end}) supports: {supported}"
