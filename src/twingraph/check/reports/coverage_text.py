"""The coverage of the source documents for people: a line for each, then the stretches that no passage covers."""

from collections.abc import Iterable, Iterator

from twingraph.check.coverage import DocumentCoverage
from twingraph.check.reports.tables import render_table
from twingraph.check.reports.text import count

_COLUMNS = ("document", "covered", "characters", "passages", "gaps")


def coverage_text(documents: Iterable[DocumentCoverage], width: int | None = None) -> str:
    """Return a table of the documents and, below it, each gap with its offsets and words."""
    covers = tuple(documents)
    blocks = [render_table(_COLUMNS, [_row(cover) for cover in covers], width)]
    for cover in covers:
        lines = list(_gaps(cover))
        if lines:
            blocks.append("\n".join((f"{cover.label}: {count(len(lines), 'gap')}", *lines)) + "\n")
    return "\n".join(blocks)


def percent(share: float) -> str:
    """Return a share as a percentage, rounded down so that 100.0 % means all."""
    return f"{int(share * 1000) / 10:.1f} %"


def _row(cover: DocumentCoverage) -> tuple[str, ...]:
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
