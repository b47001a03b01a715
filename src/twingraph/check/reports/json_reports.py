"""The report of a check in JSON: in our own format, whose keys are a contract, and as SARIF.

Code hosts and editors show SARIF 2.1.0 (OASIS 2020) beside the lines of a file.
"""

import hashlib
import json
from collections import Counter
from urllib.parse import quote

from twingraph import __version__
from twingraph.check.run import CheckResult
from twingraph.findings import RULES, Finding, Location, Severity
from twingraph.rdf.iris import Iris


def report_json(result: CheckResult, iris: Iris) -> str:
    """Return the verdict, the counts of what was checked, and every finding with full IRIs."""
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
        "notChecked": list(result.not_checked),
        "unlisted": dict(sorted(Counter(finding.rule for finding in result.unlisted).items())),
        "findings": [_json_finding(finding) for finding in result.findings],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _json_finding(finding: Finding) -> dict[str, object]:
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


_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.VIOLATION: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "PUBLICATION"


def report_sarif(result: CheckResult, iris: Iris) -> str:
    """Return a log with one run: the rules that have findings, and each finding as a result."""
    rules = sorted({finding.rule for finding in result.findings})
    run = {
        "tool": {
            "driver": {"name": "twingraph", "version": __version__, "rules": [_rule(rule) for rule in rules]},
        },
        "invocations": [{"executionSuccessful": True}],
        "properties": {
            "notChecked": list(result.not_checked),
            "unlisted": dict(sorted(Counter(finding.rule for finding in result.unlisted).items())),
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The publication's directory"}}},
        "results": [_result(finding, rules, iris) for finding in result.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(rule: str) -> dict[str, object]:
    kind, _, name = rule.partition("/")
    known = RULES.get(rule) or RULES.get({"check": "check/<check>", "shape": "shape/<component>"}.get(kind, ""))
    words = f"{kind}: {name}" if name else kind
    facts: dict[str, object] = {"id": rule, "shortDescription": {"text": words}}
    return facts | {"fullDescription": {"text": known.meaning}, "help": {"text": known.remedy}} if known else facts


def _result(finding: Finding, rules: list[str], iris: Iris) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding, iris)},
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }
    if place := _place(finding):
        result["locations"] = [place]
    return result


def _message(finding: Finding, iris: Iris) -> str:
    subject = finding.label or (iris.shorten(finding.focus) if finding.focus else "")
    path = iris.shorten(finding.path) if finding.path else ""
    text = ": ".join(part for part in (subject, path, finding.message) if part)
    return f"{text}. To do: {finding.remedy}."


def _place(finding: Finding) -> dict[str, object]:
    place: dict[str, object] = {}
    if finding.location:
        place["physicalLocation"] = _physical(finding.location)
    if finding.focus:
        place["logicalLocations"] = [{"fullyQualifiedName": finding.focus, "kind": "resource"}]
    return place


def _physical(location: Location) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": quote(location.path), "uriBaseId": _ROOT}}
    region = {"startLine": location.line, "startColumn": location.column if location.line else None}
    if location.line:
        physical["region"] = {name: number for name, number in region.items() if number}
    return physical


def _fingerprint(finding: Finding) -> str:
    """Return a digest that does not depend on the line, so that tools recognise a finding that has moved."""
    facts = (finding.rule, finding.focus, finding.path, finding.value)
    return hashlib.sha256("\0".join(fact or "" for fact in facts).encode()).hexdigest()[:32]
