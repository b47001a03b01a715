"""The report of a check, in each of its formats."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from twingraph.check.reports.json_reports import report_json, report_sarif
from twingraph.check.reports.text_report import report_text
from twingraph.check.reports.turtle_report import report_turtle
from twingraph.check.run import CheckResult
from twingraph.rdf.iris import Iris

REPORTS: Mapping[str, Callable[[CheckResult, Iris], str]] = MappingProxyType(
    {"text": report_text, "json": report_json, "sarif": report_sarif, "turtle": report_turtle}
)
