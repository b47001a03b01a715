"""``twingraph coverage`` and ``locate``: what passages say of the source documents."""

from pathlib import Path
from typing import Annotated

import typer

from twingraph.check.coverage import DocumentCoverage, coverage_html, coverage_text, document_coverages
from twingraph.check.statements import Statements
from twingraph.cli.config import settings
from twingraph.cli.progress import progress
from twingraph.errors import PublicationError, SettingsError, UnknownNameError
from twingraph.publication.evidence import SourceArchive, locate
from twingraph.publication.files import Publication
from twingraph.publication.reading import read
from twingraph.settings import Settings
from twingraph.settings_layers import FILE_NAME

_COVERAGE_FORMATS = ("text", "html")


def coverage_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="DOCUMENT", help="Slugs or file names; all by default.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(_COVERAGE_FORMATS)}.")
    ] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Show how much of each source document is covered by passages, and the gaps between them.

    Example: twingraph coverage --format html --output coverage.html
    """
    if format_ not in _COVERAGE_FORMATS:
        raise UnknownNameError("format", format_, _COVERAGE_FORMATS)
    publication = settings(context)
    with progress(context, "Reading the passages"):
        coverages = find_coverages(publication, names or [])
    title = publication.title.get("en") or next(iter(publication.title.values()), "")
    report = coverage_text(coverages) if format_ == "text" else coverage_html(coverages, publication.iris, title)
    if output:
        output.write_text(report, encoding="utf-8")
    else:
        typer.echo(report.rstrip("\n"))


def locate_command(
    context: typer.Context,
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help="The document's slug, prefixed name or file name.")
    ],
    words: Annotated[str, typer.Argument(metavar="WORDS", help="Words of the document; white space may differ.")],
) -> None:
    """Print the start and end offset of each occurrence of some words in a source document.

    Example: twingraph locate 001 "signed an agreement"
    """
    publication = settings(context)
    found = find_coverages(publication, [document])[0]
    name = found.document.file_name
    if found.text is None:
        raise PublicationError(str(publication.source_archive / name), "is not in the source archive")
    occurrences = locate(words, found.text)
    if not occurrences:
        raise PublicationError(name, f"does not contain {words!r}")
    for start, end in occurrences:
        typer.echo(f"{start} {end}")


def find_coverages(publication: Settings, names: list[str]) -> tuple[DocumentCoverage, ...]:
    """Return the coverage of the documents with these slugs, prefixed names or file names, or of all without names.

    Raises UnknownNameError for a name that no document has, SettingsError when the publication has no evidence.
    """
    if publication.evidence is None:
        raise SettingsError(FILE_NAME, "evidence", "is not set, so this publication has no passages")
    reading = read(Publication(publication))
    statements = Statements(tuple(reading.lines), reading.locations, publication.iris, publication.languages)
    coverages = document_coverages(statements, publication.evidence, SourceArchive(publication.source_archive))
    return tuple(_named(publication, coverages, name) for name in names) if names else coverages


def _named(publication: Settings, coverages: tuple[DocumentCoverage, ...], name: str) -> DocumentCoverage:
    slugs = []
    for candidate in coverages:
        iri = candidate.document.iri
        slugs.append(iri.rpartition("/")[2])
        if name in (iri, candidate.document.file_name, publication.iris.shorten(iri), slugs[-1]):
            return candidate
    raise UnknownNameError("document", name, slugs)
