"""Which findings a report lists: those of some rules, and so many of each at most; the verdict is of all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from twingraph.check.run import CheckResult
from twingraph.errors import UnknownNameError
from twingraph.findings import RULES, Finding

# How many findings of each rule the report for people lists, unless told otherwise.
TEXT_LIMIT = 3


def select(result: CheckResult, rules: Iterable[str] = (), limit: int | None = None) -> CheckResult:
    """Return the result with only the findings of these rules listed, at most ``limit`` of each; the rest is unlisted.

    A rule is named in full, or by its first part: ``shape`` for ``shape/MinCountConstraintComponent``. Without names
    all rules are meant. Raises UnknownNameError for one that does not exist.
    """
    names = tuple(rules)
    _refuse_unknown(names, (*result.findings, *result.consequences))
    seen: Counter[str] = Counter()
    listed: list[Finding] = []
    unlisted: list[Finding] = []
    for finding in result.findings:
        is_meant = not names or any(_is_named(finding.rule, name) for name in names)
        seen[finding.rule] += is_meant
        is_listed = is_meant and (limit is None or seen[finding.rule] <= limit)
        (listed if is_listed else unlisted).append(finding)
    return replace(result, findings=tuple(listed), unlisted=(*result.unlisted, *unlisted))


def _is_named(rule: str, name: str) -> bool:
    return rule == name or rule.startswith(f"{name}/")


def _refuse_unknown(names: Iterable[str], findings: Iterable[Finding]) -> None:
    # The names of checks and of constraint components are not in the list.
    known = {rule for rule in RULES if "<" not in rule} | {finding.rule for finding in findings}
    kinds = {rule.partition("/")[0] for rule in RULES}
    for name in names:
        kind, _, rest = name.partition("/")
        is_open = kind in ("check", "shape") and rest
        if name not in known | kinds and not is_open:
            raise UnknownNameError("rule", name, known)
