"""What a publication refuses, warns of and lets pass: the part ``[policy]`` of its settings.

Every rule of `twingraph.findings.RULES` has a level, and exceptions by property, class, file and datatype. What needs
more than a level has a setting of its own: blank nodes, forms of IRIs, what a definition is, patterns of personal data.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from twingraph.findings import RULES
from twingraph.rdf.iris import FormPattern, IriKind, resolve
from twingraph.settings.sections import Section


class Level(StrEnum):
    """What becomes of the findings of a rule: they are dropped, or have this severity."""

    OFF = "off"
    INFO = "info"
    WARNING = "warning"
    VIOLATION = "violation"


class BlankNodes(StrEnum):
    """What becomes of blank nodes.

    ``refuse``: each is a finding; ``allow``: they are published with canonical labels, except as graph names;
    ``skolemise``: each is replaced by an IRI (RDF 1.1 Concepts, section 3.5).
    """

    REFUSE = "refuse"
    ALLOW = "allow"
    SKOLEMISE = "skolemise"


class Definition(StrEnum):
    """What defines a thing or a term: an ``rdf:type``, or any statement about it."""

    CLASS = "class"
    STATEMENT = "statement"


_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_ANY_SEGMENT = "[^/#?]+"


class PolicyException(Section):
    """The level of a rule for some findings: those that fit every criterion given, by one of its values."""

    rule: str
    """The rule, or the part before `/` for all rules of a kind."""
    level: Level = Level.OFF
    """The level of these findings."""
    properties: tuple[str, ...] = ()
    """Properties of the statement, as names with prefixes or IRIs."""
    classes: tuple[str, ...] = ()
    """Classes of the focus node, their subclasses included."""
    files: tuple[str, ...] = ()
    """Patterns of paths, as in `graphs`."""
    datatypes: tuple[str, ...] = ()
    """Datatypes of the value."""

    @model_validator(mode="after")
    def _is_usable(self) -> "PolicyException":
        _check_level(self.rule, self.level)
        if not (self.properties or self.classes or self.files or self.datatypes):
            criteria = "properties, classes, files or datatypes"
            raise ValueError(f"needs one of {criteria}; for all findings of a rule there is [policy.levels]")
        return self


class IriForm(Section):
    """A form of the publication's own IRIs."""

    form: str
    """The IRI, absolute or relative to the base, with parts in braces; `{folder}` is looked up in `iri_types`."""
    kind: IriKind = IriKind.THING
    """What IRIs of this form denote: a `thing`, a `term`, a `graph` or something `other`."""
    parts: dict[str, str] = Field({})
    """A regular expression for each part; others have any characters but `/`, `#` and `?`."""

    @model_validator(mode="after")
    def _is_usable(self) -> "IriForm":
        if self.kind is IriKind.FREE:
            raise ValueError("kind is thing, term, graph or other; without any form, IRIs are free")
        names = _PLACEHOLDER.findall(self.form)
        if wrong := next((name for name in names if not name.isidentifier() or names.count(name) > 1), None):
            raise ValueError(f"{{{wrong}}} in {self.form!r} is no name, or stands there twice")
        if unused := next((name for name in self.parts if name not in names), None):
            raise ValueError(f"{self.form!r} has no part {{{unused}}}{_similar(unused, names)}")
        for pattern in self.parts.values():
            _compiled(pattern)
        return self

    def compiled(self, base: str) -> FormPattern:
        """Return the form as a pattern of absolute IRIs."""
        pieces = _PLACEHOLDER.split(resolve(base, self.form))
        groups = (f"(?P<{name}>{self.parts.get(name, _ANY_SEGMENT)})" for name in pieces[1::2])
        parts = [piece for pair in zip(map(re.escape, pieces[::2]), (*groups, ""), strict=True) for piece in pair]
        return FormPattern(self.form, self.kind, re.compile("".join(parts)))


class PersonalData(Section):
    """What texts and IRIs are searched for; the patterns are regular expressions."""

    e_mail: str = r"(?i)(?<![a-z0-9._%+-])[a-z0-9._%+-]+\s?(?:@|\(at\)|\[at\])\s?(?:[a-z0-9-]+\.)+[a-z]{2,}(?![a-z0-9])"
    """E-mail addresses; an empty pattern finds none."""
    telephone: tuple[str, ...] = (
        r"(?<![\w.,+-])\+(?=[1-9])(?!\d{1,3}(?: 000)+(?!\d))"
        r"\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d(?:[ -]?\d){5,11}(?![\w.])",
    )
    """Telephone numbers, which are not looked for in URLs and numbers; by default those in international form."""
    other: tuple[str, ...] = ()
    """Anything else, such as the national numbers of persons."""
    allowed: tuple[str, ...] = (
        "example.com",
        "example.net",
        "example.org",
        "apache@apache.org",
        "abuse@",
        "info@",
        "postmaster@",
        "sales@",
        "security@",
        "support@",
        "webmaster@",
    )
    """E-mail addresses that are nobody's: domains with their subdomains, whole addresses, and local parts with `@`."""
    schemes: tuple[str, ...] = ("mailto:", "tel:", "sms:", "callto:")
    """How IRIs begin that are personal data."""

    @field_validator("e_mail", "telephone", "other")
    @classmethod
    def _are_patterns(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for pattern in (value,) if isinstance(value, str) else value:
            _compiled(pattern)
        return value


class Policy(Section):
    """What the publication refuses, warns of and lets pass."""

    levels: dict[str, Level] = Field({})
    """The level of each rule, or of all rules of a kind (`iri`): `off`, `info`, `warning` or `violation`."""
    exceptions: tuple[PolicyException, ...] = ()
    """Other levels for some findings of a rule; the first exception that fits decides."""
    blank_nodes: BlankNodes = BlankNodes.ALLOW
    """Whether blank nodes are refused (`refuse`), kept (`allow`) or replaced by IRIs (`skolemise`)."""
    dangling: Definition = Definition.STATEMENT
    """What defines a thing or a term of one's own: its `class`, or any `statement` about it."""
    iri_forms: tuple[IriForm, ...] = ()
    """The forms of the publication's own IRIs; without any, IRIs are free."""
    iri_types: dict[str, str] = Field({})
    """The class of the things in each `{folder}` of `iri_forms`; without any, folders are not checked."""
    personal_data: PersonalData = PersonalData()
    """What texts and IRIs are searched for."""

    @field_validator("levels")
    @classmethod
    def _are_rules(cls, value: dict[str, Level]) -> dict[str, Level]:
        for rule, level in value.items():
            _check_level(rule, level)
        return value

    def level(self, rule: str) -> Level | None:
        """Return the level that the settings give to a rule, None if they say nothing."""
        kind = rule.partition("/")[0]
        return self.levels.get(rule) or (None if is_fixed(rule) else self.levels.get(kind))

    def names(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the names of terms in these settings, each with the path of the setting that has it."""
        yield from ((("policy", "iri_types", folder), name) for folder, name in self.iri_types.items())
        for number, exception in enumerate(self.exceptions):
            for key in ("properties", "classes", "datatypes"):
                yield from ((("policy", "exceptions", number, key), name) for name in getattr(exception, key))

    def effective_levels(self) -> Iterator[tuple[str, Level]]:
        """Yield the rules that the settings do not name, each with its level."""
        for name, rule in RULES.items():
            if "<" not in name and name not in self.levels:
                yield name, self.level(name) or Level(rule.level)


def is_fixed(rule: str) -> bool:
    """Return whether a rule is always a violation, because a publication that breaks it would be incomplete."""
    return rule in RULES and RULES[rule].fixed


# Rules with a name for each check or constraint component.
_NAMED: Mapping[str, str] = {name.partition("/")[0]: name for name in RULES if "<" in name}
_KINDS = frozenset(name.partition("/")[0] for name in RULES if "/" in name)


def _check_level(rule: str, level: Level) -> None:
    """Raise ValueError when there is no such rule, or when its level cannot be lowered."""
    kind, _, name = rule.partition("/")
    is_named = bool(name) and kind in _NAMED and "<" not in rule
    known = [one for one in RULES if "<" not in one]
    if rule not in known and rule not in _KINDS and not is_named:
        raise ValueError(f"there is no rule {rule!r}{_similar(rule, [*known, *_KINDS])}")
    if is_fixed(rule) and level is not Level.VIOLATION:
        raise ValueError(f"{rule!r} is always a violation: what was published would be incomplete")


def _similar(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known))}" if known else ""


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
