"""What a check finds: plain data, ordered by location, the same for every kind of check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """The severity of a finding (SHACL, section 2.1.4)."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Location:
    """A location in a file: ``path`` is relative to the publication, ``line`` and ``column`` count from 1."""

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
class ResultTerms:
    """The parts of a SHACL validation result (SHACL, section 3.6.2) as Turtle writes them."""

    focus: str
    path: str | None
    value: str | None
    component: str
    shape: str
    severity: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with everything that is needed to fix it.

    ``rule`` is a key of `RULES` (``syntax``, ``shape/MinCountConstraintComponent``, ``evidence/quote``...), ``message``
    says what is wrong and ``remedy`` what to do; ``focus``, ``path`` (the property) and ``shape`` are IRIs, ``label``
    is the focus node's label, ``value`` the offending value as text, ``terms`` those of a SHACL validation result.
    ``subject`` is the focus node also when it is a blank node, by its identifier in this run.
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
    terms: ResultTerms | None = None
    subject: str | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> tuple[object, ...]:
        """The key that sorts findings by location, then rule, focus node, path, value and message."""
        place = self.location.order if self.location else ("", 0, 0)
        facts = (self.focus, self.path, self.value, self.message)
        return *place, self.rule, *(fact or "" for fact in facts)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by location and drop duplicates."""
    return tuple(sorted(set(findings), key=lambda finding: finding.order))


def violations(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of severity violation."""
    return tuple(finding for finding in findings if finding.severity is Severity.VIOLATION)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the findings of a rule mean, and what to do about them.

    ``level`` is their severity unless the settings or the finding say otherwise; a ``fixed`` one cannot be lowered.
    """

    meaning: str
    remedy: str
    level: Severity = Severity.VIOLATION
    fixed: bool = False


# All rules; the part in angle brackets stands for the name of a check or of a SHACL constraint component.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "syntax": Rule(
            "A file does not parse.", "Correct it at the line given; the rest of the file was not read.", fixed=True
        ),
        "file/unreadable": Rule(
            "A file cannot be read: the system reports an error, its compression is damaged, or it is a broken link.",
            "Restore the file, or exclude it under `[files]`.",
            fixed=True,
        ),
        "file/encoding": Rule(
            "A file is not in UTF-8, or is not what its suffix says: a page of HTML, OWL in XML.",
            "Save it as UTF-8, or in the syntax of its suffix.",
            fixed=True,
        ),
        "file/limit": Rule(
            "A file exceeds a limit of `[files]`, so none of it was read.",
            "Raise the limit if the file is as it should be.",
            fixed=True,
        ),
        "file/context": Rule(
            "A document in JSON-LD refers to a context that has no local file; contexts are never fetched.",
            "Save the context in the publication and name its file under `[files.contexts]`.",
            fixed=True,
        ),
        "file/graph": Rule(
            "No pattern under `[[graphs]]` matches a file, so it was not read; or there is none, so a default applies.",
            "Add a pattern, or exclude the file under `[files]`.",
            fixed=True,
        ),
        "file/ignored": Rule(
            "A document in JSON-LD has properties or IRIs that no context defines, or that are malformed.",
            "Define them in the context, or correct the IRIs.",
            level=Severity.WARNING,
        ),
        "file/not-read": Rule(
            "Files in the publication's folders are not read, because of their suffixes.",
            "Rename those that should be read; exclude the others under `[files]`.",
            level=Severity.INFO,
        ),
        "file/variants": Rule(
            "Files differ in nothing but their suffix, and may state the same twice.",
            "List the suffixes under `files.prefer`, best first.",
            level=Severity.INFO,
        ),
        "left-out": Rule(
            "Checks were skipped, because other findings would have misled them.",
            "Fix those first, then check again.",
            level=Severity.INFO,
        ),
        "iri/policy": Rule(
            "An IRI of one's own has none of the forms, or its folder does not fit the class of the thing.",
            "Rename the thing, or move it to the folder named; forms are declared under `[[policy.iri_forms]]`, "
            "folders under `[policy.iri_types]`.",
        ),
        "iri/blank-node": Rule(
            "A subject, value or graph name is a blank node, although `policy.blank_nodes` is `refuse`.",
            "Give it an IRI.",
        ),
        "iri/blank-graph": Rule(
            "A graph name is a blank node, so that the graph could not be addressed.",
            "Give it an IRI, or set `policy.blank_nodes` to `skolemise`.",
            fixed=True,
        ),
        "iri/dangling": Rule(
            "A statement or a query refers to a thing that is not defined.",
            "Define it, or correct its IRI.",
            level=Severity.WARNING,
        ),
        "iri/duplicate": Rule(
            "A thing has the same class stated twice, or classes stated in two files.",
            "State its class once, in one file.",
            level=Severity.INFO,
        ),
        "term/unknown": Rule(
            "A term of one's own is not defined (see `policy.dangling`).",
            "Correct its name, or define it.",
            level=Severity.WARNING,
        ),
        "term/vocabulary": Rule(
            "A term is not defined in its standard vocabulary.", "Correct its name.", level=Severity.WARNING
        ),
        "literal/unknown-datatype": Rule(
            "A datatype is not defined by XML Schema or RDF.", "Correct its name.", level=Severity.WARNING
        ),
        "literal/language": Rule(
            "A language tag is malformed, or a label is in a language that `languages` does not list.",
            "Correct the tag, or add the language to `languages`.",
            level=Severity.WARNING,
        ),
        "literal/datatype": Rule(
            "A literal is not in the lexical space of its XML Schema datatype.",
            "Correct the value or the datatype.",
            level=Severity.WARNING,
        ),
        "date/edtf": Rule(
            "A date is not in EDTF.", "Write it as 2010, 2010-04, 2012-23 (autumn) or 1998~.", level=Severity.WARNING
        ),
        "personal-data": Rule(
            "A statement contains an e-mail address or a telephone number.",
            "Remove it; link to a page instead.",
            level=Severity.WARNING,
        ),
        "evidence/archive": Rule(
            "The source archive lacks a document, so its passages were not verified.",
            "Set `TWINGRAPH_SOURCES` to the archive.",
            level=Severity.INFO,
        ),
        "evidence/hash": Rule(
            "A document in the archive is not the one that the data describes.",
            "Find out which edition is right, the one in the archive or the one with the hash.",
        ),
        "evidence/incomplete": Rule(
            "A passage lacks its document, offsets or quote.", "Give it exactly one of each, offsets as whole numbers."
        ),
        "evidence/offset": Rule(
            "The offsets of a passage are outside the text or within a word.", "Move them to the edges of words."
        ),
        "evidence/quote": Rule("The quote is not in its passage.", "Copy the words, or correct the offsets."),
        "evidence/length": Rule(
            "A quote is longer than allowed.", "Quote only the phrase that supports the statement."
        ),
        "evidence/sentence": Rule("A passage crosses a sentence boundary.", "Make one passage of each sentence."),
        "query/header": Rule("The header of a saved query cannot be read.", "Correct the lines that begin with `#+`."),
        "query/name": Rule("Two saved queries have the same name.", "Rename one of the files."),
        "query/syntax": Rule("A check or a saved query is malformed, or fails.", "Correct the query."),
        "query/rule": Rule("A rule is malformed or is not a CONSTRUCT query.", "Correct the rule.", fixed=True),
        "query/limit": Rule(
            "A rule, a check or a saved query exceeded a limit under `[check_limits]`, so it was not evaluated.",
            "Make it cheaper, or raise the limit.",
            fixed=True,
        ),
        "query/parameter": Rule(
            "The default of a parameter is not of its type.", "Correct the default or the type in the header."
        ),
        "query/rows": Rule(
            "A saved query returns fewer rows than its header requires.", "Find what is missing, or lower `rows`."
        ),
        "check/<check>": Rule("A check in SPARQL returned a row.", "Follow the remedy in its header (see Checks)."),
        "shape/<component>": Rule(
            "A node violates a constraint of a shape.", "Change the data as the message of the shape says."
        ),
        "shape/none": Rule(
            "There are no shapes, or a file in their folder defines none.",
            "Write shapes, or correct `folders.shapes`; remove a file that is none of shapes.",
            level=Severity.WARNING,
        ),
        "shape/no-focus-node": Rule(
            "A shape has no focus node, so it checks nothing.", "Correct its target.", level=Severity.WARNING
        ),
        "shape/malformed": Rule(
            "A shape is not well-formed, as SHACL-SHACL (SHACL, appendix C) finds.",
            "Correct the shape.",
            level=Severity.WARNING,
        ),
        "shape/recursive": Rule(
            "A shape refers to itself, which SHACL leaves undefined (section 3.4.3).",
            "Break the cycle.",
            level=Severity.WARNING,
        ),
        "shape/failure": Rule(
            "A constraint cannot be evaluated, for one node or for all of them.",
            "Correct the constraint, or the value that it cannot deal with.",
            fixed=True,
        ),
        "shape/limit": Rule(
            "A shape exceeded the limit of time under `[check_limits]`, so it was not evaluated for all focus nodes.",
            "Make it cheaper, or raise the limit.",
            fixed=True,
        ),
        "example/wrong": Rule(
            "An example of a shape, check or rule does not show what it states.",
            "Correct the example, or what it is an example of.",
        ),
        "example/missing": Rule("A shape, check or rule lacks an example.", "Add one in the folder of examples."),
    }
)


def default_severity(rule: str) -> Severity:
    """Return the severity of a rule's findings unless the settings or the finding say otherwise."""
    return RULES[rule].level if rule in RULES else Severity.VIOLATION
