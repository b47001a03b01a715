"""The report of a check as JSON, for programs; its keys are a contract."""

import json

from twingraph.check.run import CheckResult
from twingraph.findings import Finding
from twingraph.rdf.iris import Iris


def report_json(result: CheckResult, iris: Iris) -> str:
    """Return the verdict, how far the check looked, and every finding with full IRIs."""
    report = {
        "conforms": result.conforms,
        "base": iris.base,
        "checked": {
            "files": result.files,
            "quads": result.quads,
            "derived": result.derived,
            "focusNodes": dict(sorted(result.focus_nodes.items())),
            "passagesVerified": result.passages_verified,
            "passagesNotVerified": result.passages_not_verified,
            "checks": result.checks,
            "queries": result.queries,
            "examples": result.examples,
        },
        "findings": [_finding(finding) for finding in result.findings],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    place = finding.location
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "remedy": finding.remedy,
        "location": {"path": place.path, "line": place.line, "column": place.column} if place else None,
        "focus": finding.focus,
        "label": finding.label,
        "path": finding.path,
        "value": finding.value,
        "shape": finding.shape,
    }
