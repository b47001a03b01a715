"""``twingraph coverage`` and ``twingraph locate``: how much of the source documents is cited, and where words stand."""

from pathlib import Path
from typing import Annotated

import typer

from twingraph.check.coverage import DocumentCoverage, document_coverages
from twingraph.check.reports.coverage import coverage_html, coverage_text
from twingraph.check.statements import Statements
from twingraph.cli.options import progress, settings
from twingraph.errors import PublicationError, SettingsError, UnknownNameError
from twingraph.publication.evidence import SourceArchive, locate
from twingraph.publication.files import Publication, read
from twingraph.settings import FILE_NAME, Settings

_FORMATS = ("text", "html")


def coverage_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[DOCUMENT]...", help="Slugs or file names; all without any.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help=f"One of {', '.join(_FORMATS)}.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Show how much of each source document lies in some passage, and the stretches that do not.

    Example: twingraph coverage --format html --output coverage.html
    """
    if format_ not in _FORMATS:
        raise UnknownNameError("format", format_, _FORMATS)
    chosen = settings(context)
    with progress("Reading the passages"):
        covers = find_coverages(chosen, names or [])
    title = chosen.title.get("en") or next(iter(chosen.title.values()), "")
    report = coverage_text(covers) if format_ == "text" else coverage_html(covers, chosen.iris, title)
    if output:
        output.write_text(report, encoding="utf-8")
    else:
        typer.echo(report.rstrip("\n"))


def locate_command(
    context: typer.Context,
    document: Annotated[str, typer.Argument(help="The document's slug, prefixed name or file name.")],
    words: Annotated[str, typer.Argument(help="Words of the document; white space may differ.")],
) -> None:
    """Print start and end of each place where words stand in a source document.

    Example: twingraph locate 001 "signed an agreement"
    """
    chosen = settings(context)
    cover = find_coverages(chosen, [document])[0]
    name = cover.document.file_name
    if cover.text is None:
        raise PublicationError(str(chosen.source_archive / name), "the source archive does not hold it")
    places = locate(words, cover.text)
    if not places:
        raise PublicationError(name, f"does not hold {words!r}")
    for start, end in places:
        typer.echo(f"{start} {end}")


def find_coverages(chosen: Settings, names: list[str]) -> tuple[DocumentCoverage, ...]:
    """Return the coverage of the documents called ``names`` by slug, prefixed name or file name, all without names.

    Raises UnknownNameError for a name that no document has, SettingsError when the publication has no evidence.
    """
    if chosen.evidence is None:
        raise SettingsError(FILE_NAME, "evidence", "is not set, so this publication has no passages")
    reading = read(Publication(chosen))
    statements = Statements(tuple(reading.lines), reading.locations, chosen.iris, chosen.languages)
    covers = document_coverages(statements, chosen.evidence, SourceArchive(chosen.source_archive))
    return tuple(_named(chosen, covers, name) for name in names) if names else covers


def _named(chosen: Settings, covers: tuple[DocumentCoverage, ...], name: str) -> DocumentCoverage:
    for cover in covers:
        iri = cover.document.iri
        if name in (iri, cover.document.file_name, chosen.iris.shorten(iri), iri.rpartition("/")[2]):
            return cover
    raise UnknownNameError("document", name, (cover.document.iri.rpartition("/")[2] for cover in covers))
