"""Findings that follow from others: what is set apart, or left out, so that the causes are seen."""

from collections.abc import Iterable

from twingraph.findings import Finding, Severity, violations

# From the most severe on
_SEVERITIES = tuple(Severity)


def split(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return causes and consequences.

    A consequence is a result of a shape about a statement that another check reports at least as severely.
    """
    given = list(findings)
    explained = {(*_about(finding), finding.severity) for finding in given if not _is_of_shape(finding)}
    causes: list[Finding] = []
    consequences: list[Finding] = []
    for finding in given:
        about, severities = _about(finding), _SEVERITIES[: _SEVERITIES.index(finding.severity) + 1]
        is_explained = None not in about and any((*about, severity) in explained for severity in severities)
        (consequences if _is_of_shape(finding) and is_explained else causes).append(finding)
    return causes, consequences


def without_row_counts(findings: list[Finding]) -> list[Finding]:
    """Drop missing rows of saved queries while there are other violations, which may be the cause."""
    counted = [finding for finding in findings if finding.rule != "query/rows"]
    if len(counted) == len(findings) or not violations(counted):
        return findings
    message = "missing rows of saved queries are not reported while there are other violations"
    return [*counted, Finding("left-out", message, "fix the violations first, then check again", Severity.INFO)]


def _about(finding: Finding) -> tuple[str | None, str | None, str | None]:
    return finding.focus, finding.path, finding.value


def _is_of_shape(finding: Finding) -> bool:
    return finding.rule.startswith("shape/")
