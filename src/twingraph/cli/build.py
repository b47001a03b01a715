"""``twingraph build``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from twingraph.check.reports.text_report import plural, report_text
from twingraph.check.run import CheckResult
from twingraph.cli.options import progress, say, settings
from twingraph.release.build import Built, build
from twingraph.settings import Settings

BaseIri = Annotated[
    str | None, typer.Option("--base-iri", metavar="IRI", help="Put every IRI of the publication under this base.")
]


def build_command(
    context: typer.Context,
    base_iri: BaseIri = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Directory of the releases.")
    ] = None,
) -> None:
    """Check the publication and, when it conforms, write a release and make it the current one.

    Example: twingraph build --base-iri http://127.0.0.1:8000/
    """
    folders = str(output.resolve()) if output else None
    built = build_with_report(settings(context, base_iri=base_iri, folders__releases=folders))
    state = "Wrote the release" if built.new else "Nothing has changed; the release was there already"
    say(f"{state}, {plural(built.release.manifest.quads, 'quad')}; it is the current one:")
    typer.echo(built.release.directory)


def build_with_report(chosen: Settings) -> Built:
    """Build, and print on stderr what the check found when it found something."""
    with progress("Building a release"):
        return build(chosen, partial(_report, chosen))


def _report(chosen: Settings, result: CheckResult) -> None:
    if result.findings:
        say(report_text(result, chosen.iris))
