"""Building a release with its report, for the commands that need one."""

from collections.abc import Callable
from functools import partial

import typer

from twingraph.check.reports.text_report import report_text
from twingraph.check.run import CheckResult
from twingraph.cli.options import print_note
from twingraph.cli.progress import progress
from twingraph.release.build import Built, as_found, build
from twingraph.settings import Settings


def build_with_report(
    context: typer.Context, publication: Settings, judge: Callable[[CheckResult], CheckResult] = as_found
) -> Built:
    """Build a release, printing the findings of the check, if any, on stderr."""
    with progress(context, "Building a release") as observer:
        return build(publication, partial(_print_findings, context, publication), observer, judge)


def _print_findings(context: typer.Context, publication: Settings, result: CheckResult) -> None:
    if result.findings:
        print_note(context, report_text(result, publication.iris))
