"""Passages against the source archive, and what is said when the archive cannot be read."""

import pytest

from twingraph.check.rules.passages import check_passages, second_sentence
from twingraph.check.statements import Statements
from twingraph.findings import Severity
from twingraph.publication.evidence import SourceArchive
from twingraph.publication.files import Publication
from twingraph.publication.reading import read

PILOT = "data/books/pilot/lights.ttl"


def verify(tiny):
    settings = tiny.settings
    reading = read(Publication(settings))
    statements = Statements(tuple(reading.lines), reading.locations, settings.iris)
    return check_passages(statements, settings.evidence, SourceArchive(settings.source_archive))


def test_every_passage_of_the_tiny_publication_is_verified(tiny):
    result = verify(tiny)
    assert (result.findings, result.verified, result.not_verified) == ((), 8, 0)


def test_wrong_quote_says_what_stands_there_and_where_the_words_stand(tiny):
    line = tiny.edit(PILOT, '"lit in 1848"', '"a fixed red light"')
    [finding] = verify(tiny).findings
    assert finding.rule == "evidence/quote"
    assert "are not at 27-53, where the text is 'Holm light was lit in 1848'" in finding.message
    assert finding.remedy == "they are at 223-240"
    assert (finding.location.path, finding.location.line) == (PILOT, line)
    assert finding.path == tiny.settings.iris.expand("l:words")


def test_offset_beyond_the_end_is_found(tiny):
    line = tiny.edit(PILOT, "l:to 240", "l:to 2400")
    [finding] = verify(tiny).findings
    assert finding.rule == "evidence/offset"
    assert (finding.location.line, finding.value) == (line, "2400")


def test_offset_in_the_middle_of_a_word_is_found(tiny):
    tiny.edit(PILOT, "l:to 240", "l:to 239")
    tiny.edit(PILOT, '"a fixed red light"', '"a fixed red"')
    rules = [finding.rule for finding in verify(tiny).findings]
    assert rules == ["evidence/offset"]


def test_quote_longer_than_the_settings_allow_is_found(tiny):
    tiny.edit("twingraph.toml", "max_quote = 60", "max_quote = 30")
    assert {finding.rule for finding in verify(tiny).findings} == {"evidence/length"}


def test_passage_over_the_end_of_a_sentence_is_a_warning(tiny):
    line = tiny.edit(PILOT, "l:from 27 ; l:to 53", "l:from 27 ; l:to 88")
    [finding] = verify(tiny).findings
    assert (finding.rule, finding.severity) == ("evidence/sentence", Severity.WARNING)
    assert finding.location.line == line


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Holm light was built. Its tower is white", "built. Its"),
        ("The light was shown. Ängsö too", "shown. Ängsö too"),
        ("灯塔很高。它是白色的", "。它是白色的"),
        ("the light of St. Mary, i.e. Mary's, est. 1848", None),
        ("Shown at 10.30. it is", None),
        ("It shows one flash.", None),
    ],
)
def test_second_sentence_of_a_passage(body, words):
    found = second_sentence(body)
    assert found is None if words is None else words in (found or "none")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("l:of book:pilot ; l:from 27", "l:from 27"),
        ("l:from 27", "l:from -27"),
        ("l:from 27", 'l:from "²"'),
        ("l:from 27", 'l:from "٢٧"'),
    ],
)
def test_passage_that_cannot_be_found_is_said_to_be_incomplete(tiny, old, new):
    tiny.edit(PILOT, old, new)
    result = verify(tiny)
    [finding] = result.findings
    assert finding.rule == "evidence/incomplete"
    assert finding.focus.endswith("pilot-holm")
    assert result.verified == 7


def test_without_archive_the_check_says_how_many_passages_were_not_verified(tiny):
    tiny.remove("sources")
    result = verify(tiny)
    assert (result.verified, result.not_verified) == (0, 8)
    assert {finding.severity for finding in result.findings} == {Severity.INFO}
    assert sorted(finding.message for finding in result.findings) == [
        "2 passages were not verified: the source archive has no file almanac.txt",
        "6 passages were not verified: the source archive has no file pilot.txt",
    ]


def test_document_that_is_another_edition_is_one_finding_and_its_passages_are_not_compared(tiny):
    tiny.append("sources/pilot.txt", "More.\n")
    result = verify(tiny)
    [finding] = result.findings
    assert finding.rule == "evidence/hash"
    assert finding.severity is Severity.VIOLATION
    assert "its 6 passages were not verified" in finding.message
    assert finding.location.path == PILOT
    assert (result.verified, result.not_verified) == (2, 6)


def test_document_that_is_not_utf8_is_a_finding(tiny):
    (tiny.directory / "sources/pilot.txt").write_bytes(b"\xff\xfe")
    [finding] = verify(tiny).findings
    assert "not UTF-8" in finding.message


def test_passages_of_a_document_without_a_file_are_not_verified(tiny):
    tiny.edit("data/books/almanac/lights.ttl", '    l:file "almanac.txt" .', "    l:saidIn excerpt:almanac-holm .")
    result = verify(tiny)
    [finding] = result.findings
    assert finding.message == "2 passages were not verified: the document names no file"
    assert result.not_verified == 2


def test_offsets_count_code_points_not_bytes(tiny):
    # Ängsö, before the last passage of both texts, has two characters of two bytes each.
    text = (tiny.directory / "sources/pilot.txt").read_text(encoding="utf-8")
    assert text[214:240] == "It shows a fixed red light"
    assert text.encode()[214:240] != b"It shows a fixed red light"
    assert verify(tiny).findings == ()
