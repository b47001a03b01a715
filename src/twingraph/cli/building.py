"""Building a release with its report, for the commands that need one."""

from collections.abc import Callable
from functools import partial

import typer

from twingraph.check.reports.text_report import report_summary
from twingraph.check.run import CheckResult
from twingraph.cli.options import print_note
from twingraph.cli.progress import progress
from twingraph.release.build import Built, as_found, build
from twingraph.settings import Settings


def build_with_report(
    context: typer.Context, publication: Settings, judge: Callable[[CheckResult], CheckResult] = as_found
) -> Built:
    """Build a release, printing the counts of the check's findings, if any, on stderr."""
    with progress(context, "Building a release") as observer:
        return build(publication, partial(_print_findings, context), observer, judge)


def _print_findings(context: typer.Context, result: CheckResult) -> None:
    if result.findings:
        print_note(context, report_summary(result) + "`twingraph check` lists the findings.")
