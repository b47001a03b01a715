"""The policy applied to findings: each rule's level, and the exceptions by property, class, file and datatype."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

import pyoxigraph as ox
from rdflib.namespace import SH

from twingraph.check.statements import Statements
from twingraph.errors import SettingsError
from twingraph.findings import RULES, Finding, Severity
from twingraph.publication.files import path_pattern
from twingraph.rdf.iris import namespace
from twingraph.rdf.terms import text
from twingraph.settings.layers import FILE_NAME
from twingraph.settings.policy import Level, Policy, PolicyException, is_fixed

# Findings of shapes shorten long values.
_COMPARED_CHARACTERS = 190


def with_levels(findings: Iterable[Finding], policy: Policy, statements: Statements) -> list[Finding]:
    """Return the findings with the severities that the policy gives them, without those of level ``off``.

    ``statements`` are asked for classes and datatypes, only if there is an exception that names some.
    """
    given = list(findings)
    exceptions = [_Exception.of(one, statements) for one in policy.exceptions]
    facts = _Facts(statements, given)
    return [changed for finding in given if (changed := _changed(finding, policy, exceptions, facts))]


def check_rule_names(policy: Policy, checks: Iterable[str], shapes: Statements) -> None:
    """Raise SettingsError when the policy names a check or a constraint component that does not exist."""
    declared = (iri for iri, types in shapes.types.items() if str(SH.ConstraintComponent) in types)
    components = (str(term) for term in dir(SH) if str(term).endswith("ConstraintComponent"))
    names = {f"shape/{iri.removeprefix(namespace(iri))}" for iri in (*components, *declared)}
    known = {*names, *(f"check/{name}" for name in checks), *RULES}
    for rule in (*policy.levels, *(exception.rule for exception in policy.exceptions)):
        if rule.startswith(("check/", "shape/")) and rule not in known:
            near = get_close_matches(rule, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SettingsError(FILE_NAME, "policy", f"there is no rule {rule!r}{hint}")


def _changed(finding: Finding, policy: Policy, exceptions: Iterable["_Exception"], facts: "_Facts") -> Finding | None:
    fitting = (one.level for one in exceptions if one.fits(finding, facts))
    level = next(fitting, None) or policy.level(finding.rule)
    if level is Level.OFF:
        return None
    return finding if level is None else replace(finding, severity=Severity(level))


@dataclass(frozen=True)
class _Exception:
    """An exception of the settings with absolute IRIs and compiled patterns; an empty criterion is fulfilled."""

    rule: str
    level: Level
    properties: frozenset[str]
    classes: frozenset[str]
    datatypes: frozenset[str]
    is_in_files: Callable[[str], bool] | None

    @classmethod
    def of(cls, exception: PolicyException, statements: Statements) -> "_Exception":
        properties, classes, datatypes = (
            frozenset(map(statements.iris.expand, names))
            for names in (exception.properties, exception.classes, exception.datatypes)
        )
        patterns = [path_pattern(glob) for glob in exception.files]
        is_in_files = (lambda path: any(pattern.fullmatch(path) for pattern in patterns)) if patterns else None
        return cls(exception.rule, exception.level, properties, classes, datatypes, is_in_files)

    def fits(self, finding: Finding, facts: "_Facts") -> bool:
        if self.rule != finding.rule and (self.rule != finding.rule.partition("/")[0] or is_fixed(finding.rule)):
            return False
        if self.properties and finding.path not in self.properties:
            return False
        if self.is_in_files and not (finding.location and self.is_in_files(finding.location.path)):
            return False
        if self.classes and not facts.is_instance(finding, self.classes):
            return False
        return not self.datatypes or bool(self.datatypes & facts.datatypes[_statement(finding)])


@dataclass(frozen=True)
class _Facts:
    """What exceptions ask of the focus nodes and values of ``findings``, looked up on first use."""

    statements: Statements
    findings: list[Finding]

    def is_instance(self, finding: Finding, classes: frozenset[str]) -> bool:
        """Return whether the focus node is an instance of one of the classes, or of a subclass."""
        found = level = self.statements.types.get(_subject(finding), set())
        while level := {above for name in level for above in self.statements.superclasses.get(name, ())} - found:
            found = found | level
        return bool(found & classes)

    @cached_property
    def datatypes(self) -> Mapping[tuple[str, str, str], set[str]]:
        """The datatypes of the values of the findings' statements."""
        wanted = {_statement(finding) for finding in self.findings}
        found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for quad in self.statements.lines.with_predicates({path for _, path, _ in wanted if path}):
            if isinstance(quad.object, ox.Literal):
                key = (text(quad.subject), quad.predicate.value, quad.object.value[:_COMPARED_CHARACTERS])
                if key in wanted:
                    found[key].add(quad.object.datatype.value)
        return found


def _subject(finding: Finding) -> str:
    return finding.subject or finding.focus or ""


def _statement(finding: Finding) -> tuple[str, str, str]:
    return _subject(finding), finding.path or "", (finding.value or "")[:_COMPARED_CHARACTERS]
