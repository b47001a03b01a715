"""Building a release with its report, for the commands that need one."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import typer

from twingraph.check.reports.selection import select
from twingraph.check.reports.text_report import report_summary, report_text
from twingraph.check.run import CheckResult
from twingraph.cli.options import print_note
from twingraph.cli.progress import progress
from twingraph.findings import violations
from twingraph.release.build import Built, as_found, build
from twingraph.settings import Settings

# How many violations of each rule are listed.
_LISTED = 10


def build_with_report(
    context: typer.Context, publication: Settings, judge: Callable[[CheckResult], CheckResult] = as_found
) -> Built:
    """Build a release, printing the counts of the check's findings, if any, on stderr.

    Of files without settings, which are often checked by no other command, violations are listed.
    """
    with progress(context, "Building a release") as observer:
        return build(publication, partial(_print_findings, context, publication), observer, judge)


def _print_findings(context: typer.Context, publication: Settings, result: CheckResult) -> None:
    if publication.data_files and not result.conforms:
        listed = select(replace(result, findings=violations(result.findings)), limit=_LISTED)
        print_note(context, report_text(listed, publication.iris) + "`twingraph check` lists all findings.")
    elif result.findings:
        print_note(context, report_summary(result) + "`twingraph check` lists the findings.")
