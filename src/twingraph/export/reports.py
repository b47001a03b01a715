"""The formats in which the report of a check can be written."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from twingraph.export.report_json import report_json
from twingraph.export.report_sarif import report_sarif
from twingraph.export.report_text import report_text
from twingraph.export.report_turtle import report_turtle
from twingraph.iris import Iris
from twingraph.release.pipeline import CheckResult

REPORTS: Mapping[str, Callable[[CheckResult, Iris], str]] = MappingProxyType(
    {"text": report_text, "json": report_json, "sarif": report_sarif, "turtle": report_turtle}
)
