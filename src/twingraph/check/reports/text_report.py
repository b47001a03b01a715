"""The report of a check for people, grouped by file: what is wrong, where, and what to do about it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from twingraph.check.run import CheckResult
from twingraph.findings import Finding, Severity
from twingraph.rdf.iris import Iris
from twingraph.tables import plural

_NOUNS = {
    Severity.VIOLATION: ("violation", "violations"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("note", "notes"),
}
_MAX_VALUE = 120


def report_text(result: CheckResult, iris: Iris) -> str:
    """Return the findings, file by file, and the summary; the counts by rule first, unless all are listed."""
    ordered = sorted(result.findings, key=lambda finding: (finding.location is None, finding.order))
    groups = groupby(ordered, key=_file)
    blocks = ["\n".join((file, *_lines(findings, iris))) for file, findings in groups]
    if result.unlisted:
        blocks = [counts_by_rule(result), *blocks, _unlisted(result)]
    return "\n\n".join([*blocks, summary(result)]) + "\n"


def report_summary(result: CheckResult) -> str:
    """Return the counts by rule and the summary, without the findings."""
    blocks = [counts_by_rule(result)] if result.findings or result.unlisted else []
    return "\n\n".join([*blocks, summary(result)]) + "\n"


def counts_by_rule(result: CheckResult) -> str:
    """Return how many findings each rule has, the most severe and frequent first."""
    counts = Counter((finding.severity, finding.rule) for finding in (*result.findings, *result.unlisted))
    order = list(_NOUNS)
    ranked = sorted(counts.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0][1]))
    width = max(len(f"{count:,}") for _, count in ranked)
    lines = (f"  {count:>{width},} {plural_noun(severity, count)} [{rule}]" for (severity, rule), count in ranked)
    return "\n".join(("Findings by rule", *lines))


def plural_noun(severity: Severity, count: int) -> str:
    """Return what so many findings of a severity are called."""
    one, many = _NOUNS[severity]
    return one if count == 1 else many


def _unlisted(result: CheckResult) -> str:
    rules = sorted({finding.rule for finding in result.unlisted})
    hint = f"--rule {rules[0]} --all" if len(rules) == 1 else "--rule NAME --all, or --all"
    return f"{plural(len(result.unlisted), 'more finding is', 'more findings are')} not listed; to list them: {hint}"


def summary(result: CheckResult) -> str:
    """Return two sentences: what was checked, and the verdict.

    The number of focus nodes is part of it, because shapes that have none conform always.
    """
    checked = [
        plural(result.files, "file"),
        f"{plural(result.quads, 'statement')} and {plural(result.derived, 'derived one')}",
        f"{plural(result.focus_node_count, 'focus node')} of {plural(len(result.focus_nodes), 'shape')}",
        _passages(result),
        plural(result.checks, "check"),
        plural(result.queries, "saved query", "saved queries"),
    ]
    if result.examples:
        checked.append(plural(result.examples, "example"))
    return f"Checked {', '.join(part for part in checked if part)}.\n{_verdict(result)}"


def _verdict(result: CheckResult) -> str:
    counts = Counter(finding.severity for finding in (*result.findings, *result.unlisted))
    totals = [plural(counts[severity], *nouns) for severity, nouns in _NOUNS.items() if counts[severity]]
    verdict = "Conforms" if result.conforms else "Does not conform"
    not_checked = f" Not checked: {', '.join(result.not_checked)}." if result.not_checked else ""
    return f"{verdict}: {', '.join(totals) if totals else 'no findings'}.{not_checked}"


def _passages(result: CheckResult) -> str:
    verified = plural(result.passages_verified, "passage") + " verified"
    if not result.passages_not_verified:
        return verified if result.passages_verified else ""
    return f"{verified} and {result.passages_not_verified:,} not verified"


def _file(finding: Finding) -> str:
    return finding.location.path if finding.location else "The whole publication"


def _lines(findings: Iterable[Finding], iris: Iris) -> Iterator[str]:
    for finding in findings:
        noun = _NOUNS[finding.severity][0]
        yield f"  {finding.location or '-'}: {noun}{_subject(finding, iris)} [{finding.rule}]"
        path = f"{iris.shorten(finding.path)}: " if finding.path else ""
        yield f"      {path}{finding.message}"
        if finding.value is not None:
            yield f"      value: {_short(iris.shorten(finding.value))}"
        yield f"      to do: {finding.remedy}"


def _subject(finding: Finding, iris: Iris) -> str:
    if finding.focus is None:
        return f" in {finding.label}" if finding.label else ""
    name = iris.shorten(finding.focus)
    return f" in {finding.label} ({name})" if finding.label else f" in {name}"


def _short(value: str) -> str:
    folded = " ".join(value.split())
    return folded if len(folded) <= _MAX_VALUE else folded[: _MAX_VALUE - 3] + "..."
