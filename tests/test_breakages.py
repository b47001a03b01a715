"""Ten ways to break a file: each gives one clear message with the file and the line.

The same breakages are made in the tiny publication, where every check runs, and in a copy of the real one.
"""

import re
from dataclasses import dataclass

import pytest

from conftest import REPOSITORY, EditablePublication, copy_publication
from twingraph.check.run import check
from twingraph.findings import Finding, Severity
from twingraph.publication.assembly import assemble


@dataclass(frozen=True)
class Breakage:
    """An edit, and the finding that it must give: its rule, words of its message, words of its remedy."""

    name: str
    path: str
    old: str
    new: str
    rule: str
    message: str
    remedy: str
    lines_below: int = 0

    def apply(self, publication: EditablePublication) -> int:
        """Break the publication; return the line on which the finding must stand."""
        if not self.old:
            text = publication.text(self.path)
            publication.append(self.path, self.new)
            return text.count("\n") + 1 + self.lines_below
        return publication.edit(self.path, self.old, self.new) + self.lines_below


_PILOT, _ALMANAC = "data/books/pilot/lights.ttl", "data/books/almanac/lights.ttl"
TINY = [
    Breakage(
        "bad Turtle",
        _PILOT,
        "l:height 21 ;",
        'l:height "21 ;',
        "syntax",
        "Line jumps are not allowed in string literals",
        "fix the syntax",
    ),
    Breakage(
        "unknown term",
        _PILOT,
        "l:height 21",
        "l:heigth 21",
        "term/unknown",
        "l:heigth is not defined in the ontology",
        "did you mean l:height",
    ),
    Breakage(
        "missing label",
        _PILOT,
        'a l:Light ;\n    rdfs:label "Ness light"@en ;',
        "a l:Light ;",
        "shape/QualifiedMinCountConstraintComponent",
        "there is no English label",
        "add rdfs:label",
    ),
    Breakage(
        "wrong quote",
        _PILOT,
        '"a fixed red light"',
        '"a fixed green light"',
        "evidence/quote",
        "the words 'a fixed green light' are not at 214-240",
        "are nowhere in the document",
    ),
    Breakage(
        "wrong offset",
        _PILOT,
        "l:from 90 ; l:to 126",
        "l:from 129 ; l:to 165",
        "evidence/quote",
        "are not at 129-165, where the text is 'Ness light was first lit",
        "they are at 99-126",
        1,
    ),
    Breakage(
        "impossible date",
        _ALMANAC,
        '"1790~/1871"',
        '"1790~/1871-02-30"',
        "date/edtf",
        "'1871-02-30' is not a calendar date",
        "write the date as EDTF",
    ),
    Breakage(
        "dangling IRI",
        _PILOT,
        "l:stands island:holm",
        "l:stands island:hulm",
        "iri/dangling",
        "l:stands points to island:hulm, which is not defined",
        "did you mean island:holm",
    ),
    Breakage(
        "e-mail address in a literal",
        _PILOT,
        '"The pilot book"@en',
        '"The pilot book, ask pilot@lights.example"@en',
        "personal-data",
        "rdfs:label contains 'pilot@lights.example'",
        "remove the e-mail address or telephone number",
    ),
    Breakage(
        "light without character",
        _PILOT,
        "    l:stands island:holm ;\n    l:character character:flashing ;\n",
        "    l:stands island:holm ;\n",
        "shape/MinCountConstraintComponent",
        "a light has exactly one character",
        "add l:character",
        -2,
    ),
    Breakage(
        "duplicate IRI",
        _PILOT,
        "",
        "\nlight:angso-beacon a l:Beacon .\n",
        "iri/duplicate",
        "light:angso-beacon is defined twice: here and in data/books/almanac/lights.ttl",
        "give one of them another IRI",
        1,
    ),
]


def _found(publication: EditablePublication) -> list[Finding]:
    result = check(assemble(publication.settings))
    assert not result.conforms
    return [finding for finding in result.findings if finding.severity is not Severity.INFO]


@pytest.mark.parametrize("breakage", TINY, ids=lambda breakage: breakage.name)
def test_breakage_of_tiny_publication_gives_one_clear_message_with_file_and_line(breakage, tiny):
    line = breakage.apply(tiny)
    found = _found(tiny)
    assert [finding.rule for finding in found] == [breakage.rule]
    [finding] = found
    assert breakage.message in finding.message
    assert breakage.remedy in finding.remedy
    assert (finding.location.path, finding.location.line) == (breakage.path, line)


@dataclass(frozen=True)
class RealBreakage:
    """The first place in a file of the real publication where ``pattern`` fits, what to put there, and the finding.

    The finding stands on the line where the pattern's group ``here`` begins.
    """

    name: str
    path: str
    pattern: str
    new: str
    rule: str
    message: str

    def apply(self, publication: EditablePublication) -> int:
        text = publication.text(self.path)
        match = re.search(self.pattern, text)
        assert match, f"{self.path} does not hold {self.pattern}"
        publication.write(self.path, text[: match.start()] + match.expand(self.new) + text[match.end() :])
        return text.count("\n", 0, match.start("here")) + 1


_ACTIVITIES, _PASSAGES = "data/sources/000/activities.ttl", "data/sources/000/passages.ttl"
# No two of them meet in one statement, so all are made in one copy: all problems are reported at once.
REAL = [
    RealBreakage(
        "unknown term",
        "data/sources/004/activities.ttl",
        r"(?P<here>)tw:theme ",
        "tw:thmee ",
        "term/unknown",
        "tw:thmee is not defined in the ontology",
    ),
    RealBreakage(
        "missing label",
        "data/sources/003/activities.ttl",
        r"(?P<start>\nactivity:[\w-]+\s+)(?P<here>)(?P<type>a tw:Activity ;)\s+rdfs:label [^;]*;",
        r"\g<start>\g<type>",
        "shape/QualifiedMinCountConstraintComponent",
        "label",
    ),
    RealBreakage(
        "wrong quote",
        _PASSAGES,
        r'(?P<here>)tw:quote "',
        'tw:quote "Nobody says ',
        "evidence/quote",
        "the words 'Nobody says ",
    ),
    RealBreakage(
        "wrong offset",
        "data/sources/002/passages.ttl",
        r"(?P<here>)tw:end (?P<end>\d+)",
        r"tw:end 9\g<end>999",
        "evidence/offset",
        "is not a range in a text of",
    ),
    RealBreakage(
        "impossible date",
        "data/sources/000/time-spans.ttl",
        r'(?P<here>)"(?P<year>\d{4})-\d\d"\^\^edtf:EDTF',
        r'"\g<year>-13"^^edtf:EDTF',
        "date/edtf",
        "-13' is not a calendar date",
    ),
    RealBreakage(
        "dangling IRI",
        _ACTIVITIES,
        r"(?P<here>)tw:theme theme:",
        "tw:theme theme:no-such-",
        "iri/dangling",
        "tw:theme points to theme:no-such-",
    ),
    RealBreakage(
        "e-mail address in a literal",
        "data/sources/001/activities.ttl",
        r'(?P<here>)dcterms:description "',
        'dcterms:description "Ask somebody@example.org. ',
        "personal-data",
        "dcterms:description contains 'somebody@example.org'",
    ),
    RealBreakage(
        "planned action without mark",
        "data/sources/003/plan.ttl",
        r"(?P<start>\nplanned-action:[\w-]+\s+)(?P<here>)(?P<type>a tw:PlannedAction ;(?:(?!\n\n)[\s\S])*?)"
        r'tw:mark "[^"]*" ;',
        r"\g<start>\g<type>",
        "shape/MinCountConstraintComponent",
        "mark",
    ),
    RealBreakage(
        "duplicate IRI",
        _ACTIVITIES,
        r"\n(?P<thing>activity:[\w-]+)(?P<between>[\s\S]*\n)(?P<here>)\Z",
        r"\n\g<thing>\g<between>\g<thing> a tw:Activity .\n",
        "iri/duplicate",
        "is defined twice: here and in data/sources/000/activities.ttl",
    ),
]


@pytest.fixture(scope="module")
def broken_real(tmp_path_factory: pytest.TempPathFactory, real) -> tuple[dict[str, int], list[Finding]]:
    """The line of each breakage, and all findings of the one check that sees them all."""
    if not real.source_archive.is_dir():
        pytest.skip("the source archive is not here, so no quote can be compared")
    publication = copy_publication(REPOSITORY, tmp_path_factory.mktemp("real") / "copy", real.source_archive)
    lines = {breakage.name: breakage.apply(publication) for breakage in REAL}
    return lines, _found(publication)


@pytest.mark.parametrize("breakage", REAL, ids=lambda breakage: breakage.name)
def test_breakage_of_real_publication_gives_a_message_with_file_and_line(breakage, broken_real):
    lines, found = broken_real
    [finding] = [finding for finding in found if finding.rule == breakage.rule]
    assert breakage.message in finding.message
    assert finding.remedy
    assert (finding.location.path, finding.location.line) == (breakage.path, lines[breakage.name])


def test_bad_turtle_in_real_publication_gives_one_message_and_no_cascade(copy_of_real):
    path = "data/sources/004/activities.ttl"
    line = copy_of_real.edit(path, " ;\n", " :\n")
    [finding] = _found(copy_of_real)
    assert finding.rule == "syntax"
    assert (finding.location.path, finding.location.line) in {(path, line), (path, line + 1)}
