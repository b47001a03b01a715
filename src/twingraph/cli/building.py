"""Building a release with its report, for the commands that need one."""

from collections.abc import Callable
from functools import partial

import typer

from twingraph.check.reports.selection import TEXT_LIMIT, select
from twingraph.check.reports.text_report import report_summary, report_text
from twingraph.check.run import CheckResult
from twingraph.cli.options import print_note
from twingraph.cli.progress import progress
from twingraph.release.build import Built, as_found, build
from twingraph.settings import Settings


def build_with_report(
    context: typer.Context, publication: Settings, judge: Callable[[CheckResult], CheckResult] = as_found
) -> Built:
    """Build a release, printing on stderr the counts of the check's findings, if any.

    Where ``judge`` changes the result, `twingraph check` would give another, so the first findings are printed.
    """
    with progress(context, "Building a release") as observer:
        return build(publication, partial(_print_findings, context, publication, judge is as_found), observer, judge)


def _print_findings(context: typer.Context, publication: Settings, is_summary: bool, result: CheckResult) -> None:
    if result.findings and is_summary:
        print_note(context, report_summary(result) + "`twingraph check` lists the findings.")
    elif result.findings:
        print_note(context, report_text(select(result, limit=TEXT_LIMIT), publication.iris))
