"""Files and folders without ``twingraph.toml``: their settings, and what of a check concerns them."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn

import typer

from twingraph.check.run import CheckResult
from twingraph.cli.building import build_with_report
from twingraph.cli.options import print_note
from twingraph.findings import Finding, Severity
from twingraph.publication.loose_files import UNKNOWN_BASE, settings_of_files
from twingraph.settings import Settings
from twingraph.settings.layers import FILE_NAME

# What a publication agrees with itself: nobody has agreed on anything for files alone.
_CONVENTIONS = ("iri/", "personal-data", "shape/none")
_UNKNOWN_TERM = "term/unknown"
# What does not keep files from being served and queried as they are.
_ADVICE = ("literal/", "date/", "shape/", "check/", "query/")


def has_settings(directory: Path) -> bool:
    """Return whether a directory is a publication."""
    return (directory / FILE_NAME).exists()


def loose_settings(
    context: typer.Context, paths: Sequence[Path], shapes: Sequence[Path] = (), **options: object
) -> Settings:
    """Return settings for files and folders, and say on stderr which base IRI they have.

    Raises PublicationError for a path that is not there or is not a file of RDF, and SettingsError for options that
    cannot be used.
    """
    publication, is_guessed = settings_of_files(paths, shapes, **options)
    origin = "as given"
    if is_guessed:
        is_known = publication.base_iri != UNKNOWN_BASE
        origin = f"{'guessed from the data' if is_known else 'since the data suggest none'}; --base-iri sets it"
    print_note(context, f"Base IRI <{publication.base_iri}>, {origin}.")
    return publication


def judged_by_shapes(result: CheckResult) -> CheckResult:
    """Return a result without what concerns a publication's own conventions only, which loose files have not."""
    return replace(result, findings=tuple(filter(_concerns_loose_files, result.findings)))


def _concerns_loose_files(finding: Finding) -> bool:
    # A violation is a term of one's own that no ontology here defines; a warning, a misspelt one of a standard.
    is_own_term = finding.rule == _UNKNOWN_TERM and finding.severity is Severity.VIOLATION
    return not (is_own_term or finding.rule.startswith(_CONVENTIONS))


def judged_by_syntax(result: CheckResult) -> CheckResult:
    """Return a result in which only what could not be read is a violation."""
    findings = (
        replace(finding, severity=Severity.WARNING)
        if finding.rule.startswith(_ADVICE) and finding.severity is Severity.VIOLATION
        else finding
        for finding in judged_by_shapes(result).findings
    )
    return replace(result, findings=tuple(findings))


@contextmanager
def temporary_release(context: typer.Context, publication: Settings) -> Iterator[Settings]:
    """Build a release of loose files, yield the settings that name its directory, and remove it at the end."""
    with TemporaryDirectory(prefix="twingraph-") as directory, _removed_on_termination():
        folders = publication.folders.model_copy(update={"releases": directory})
        there = publication.model_copy(update={"folders": folders})
        build_with_report(context, there, judged_by_syntax)
        yield there


@contextmanager
def _removed_on_termination() -> Iterator[None]:
    """Have SIGTERM end the process as an exception does, so that what is temporary is removed."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
