"""What a check finds: plain data, ordered by place, the same for every kind of check."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is (SHACL, section 2.1.4)."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file: ``path`` relative to the publication, ``line`` and ``column`` from 1."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)

    @property
    def order(self) -> tuple[str, int, int]:
        """The key that sorts locations by file, line and column."""
        return self.path, self.line or 0, self.column or 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with all that its reader needs to mend it.

    ``rule`` names the check (``syntax``, ``shape/MinCountConstraintComponent``, ``evidence/quote``...), ``message``
    says what is wrong, ``remedy`` what to do; ``focus``, ``path`` (the property) and ``shape`` are IRIs, ``label``
    is the focus node's label, ``value`` the offending value as text.
    """

    rule: str
    message: str
    remedy: str
    severity: Severity = Severity.VIOLATION
    location: Location | None = None
    focus: str | None = None
    label: str | None = None
    path: str | None = None
    value: str | None = None
    shape: str | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """The key that sorts findings by place, then rule, focus node, path, value and message."""
        place = self.location.order if self.location else ("", 0, 0)
        facts = (self.focus, self.path, self.value, self.message)
        return *place, self.rule, *(fact or "" for fact in facts)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by place and drop the ones that say exactly the same."""
    return tuple(sorted(set(findings), key=lambda finding: finding.order))


def violations(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of severity violation."""
    return tuple(finding for finding in findings if finding.severity is Severity.VIOLATION)
