"""Coverage of the source documents: the figures, the text, the page, and tables with wide characters."""

from html.parser import HTMLParser

import pytest
from rich.cells import cell_len

from twingraph.check.coverage import coverage_html, coverage_text, document_coverages, percent, segments
from twingraph.check.statements import Statements
from twingraph.publication.evidence import Passage, SourceArchive
from twingraph.publication.files import Publication
from twingraph.publication.reading import read
from twingraph.tables import plural, render_table


def covers(tiny):
    settings = tiny.settings
    reading = read(Publication(settings))
    statements = Statements(tuple(reading.lines), reading.locations, settings.iris, settings.languages)
    return document_coverages(statements, settings.evidence, SourceArchive(settings.source_archive))


def page(tiny):
    return coverage_html(covers(tiny), tiny.settings.iris, "Lights & <more>")


class Reader(HTMLParser):
    """Reads a page: open tags must be closed in order; text outside the head is kept, with the titles met."""

    def __init__(self, text):
        super().__init__()
        self.open, self.said, self.titles, self.marks, self.ids, self.links = [], [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        if tag != "meta":
            self.open.append(tag)
        if "title" in facts:
            self.titles.append(facts["title"])
        self.ids += [facts["id"]] if "id" in facts else []
        self.links += [facts["href"]] if "href" in facts else []
        if tag == "mark" and "title" in facts:
            self.marks.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.said.append(data)
        if self.marks and "mark" in self.open:
            self.marks[-1] += data


def test_coverage_of_each_document_leaves_out_white_space(tiny):
    almanac, pilot = covers(tiny)
    assert (pilot.label, almanac.label) == ("The pilot book", "The almanac")
    # What is left of the pilot book is five full stops.
    assert pilot.coverage.total - pilot.coverage.covered == 5
    assert [almanac.text[start:end] for start, end in almanac.coverage.gaps] == [
        ".",
        ".\nMariners are asked to report lights that fail.",
    ]


def test_passages_name_the_things_that_they_support(tiny):
    _, pilot = covers(tiny)
    holm = tiny.settings.iris.expand("excerpt:pilot-holm")
    assert pilot.supported[holm] == ("Holm light",)


def test_text_shows_shares_and_gaps_with_their_offsets(tiny):
    text = coverage_text(covers(tiny))
    assert text.splitlines()[0].split() == ["document", "covered", "characters", "passages", "gaps"]
    assert "The almanac: 2 gaps" in text
    assert "  99-147  . Mariners are asked to report lights that fail." in text


def test_text_without_archive_says_so(tiny):
    tiny.remove("sources")
    text = coverage_text(covers(tiny))
    assert text.count("not in the archive") == 2
    assert "gaps" not in text.splitlines()[-1]


def test_page_is_well_formed_and_holds_each_text_whole(tiny):
    reader = Reader(page(tiny))
    assert reader.open == []
    said = "".join(reader.said)
    for cover in covers(tiny):
        assert all(line in said.replace("[not covered: ", "").replace("]", "") for line in cover.text.splitlines())


def test_page_marks_gaps_in_words_and_titles(tiny):
    reader = Reader(page(tiny))
    assert "[not covered: .\nMariners are asked to report lights that fail.]" in reader.marks
    assert "not covered: 99-147" in reader.titles


def test_page_names_passages_and_what_they_support(tiny):
    titles = Reader(page(tiny)).titles
    assert "excerpt:pilot-holm (27-53) supports: Holm light" in titles


def test_page_needs_nothing_from_elsewhere(tiny):
    reader = Reader(page(tiny))
    assert "script" not in page(tiny)
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)


def test_page_escapes_what_texts_and_titles_hold(tiny):
    text = page(tiny)
    assert "Lights &amp; &lt;more&gt;" in text
    assert "<more>" not in text


def test_page_fits_light_and_dark_and_says_its_language(tiny):
    text = page(tiny)
    assert '<html lang="en">' in text
    assert "prefers-color-scheme: dark" in text


def test_page_says_in_which_language_a_text_is(tiny):
    assert page(tiny).count('<div class="text" lang="en">') == 2


def test_page_without_archive_says_so(tiny):
    tiny.remove("sources")
    assert page(tiny).count("The source archive does not have this document.") == 2


def passage(iri, start, end):
    return Passage(iri, "urn:d", start, end, "q")


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], [(0, 10, "")]),
        ([(2, 4)], [(0, 2, ""), (2, 4, "a"), (4, 10, "")]),
        ([(0, 10), (2, 4)], [(0, 2, "a"), (2, 4, "ab"), (4, 10, "a")]),
        ([(0, 6), (4, 10)], [(0, 4, "a"), (4, 6, "ab"), (6, 10, "b")]),
        ([(2, 4), (2, 4)], [(0, 2, ""), (2, 4, "ab"), (4, 10, "")]),
        ([(5, 20)], [(0, 10, "")]),
    ],
)
def test_text_is_cut_where_passages_begin_and_end(spans, expected):
    found = [passage(name, *span) for name, span in zip("ab", spans, strict=False)]
    cut = [(start, end, "".join(one.iri for one in inside)) for start, end, inside in segments(found, 10)]
    assert cut == expected


def test_percentage_is_rounded_down_so_that_all_means_all():
    assert percent(0.9999) == "99.9 %"
    assert percent(1) == "100.0 %"


def test_table_counts_wide_characters_as_two_cells():
    text = render_table(("city", "n"), [("珠海", "1"), ("Gävle", "22"), ("上海市浦东", None)])
    lines = text.splitlines()
    places = {cell_len(line[: line.rindex(line.split()[-1])]) + len(line.split()[-1]) for line in (lines[2], lines[3])}
    assert len(places) == 1
    assert all(line == line.rstrip() for line in lines)


def test_table_is_folded_to_the_width_and_whole_without_one():
    rows = [("word " * 40, "x")]
    assert max(map(len, render_table(("a", "b"), rows, 40).splitlines())) <= 40
    assert len(render_table(("a", "b"), rows).splitlines()) == 3


def test_table_shows_markup_as_it_is():
    assert "[bold]x[/bold] :smile:" in render_table(("a",), [("[bold]x[/bold] :smile:",)])


def test_table_without_rows_has_its_head():
    assert render_table(("a", "b"), []).split()[:2] == ["a", "b"]


@pytest.mark.parametrize(("number", "text"), [(1, "1 query"), (0, "0 queries"), (1234, "1,234 queries")])
def test_numbers_have_their_noun_in_singular_or_plural(number, text):
    assert plural(number, "query", "queries") == text
