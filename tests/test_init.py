"""`twingraph init`: what it writes checks, builds and answers; it overwrites nothing."""

import os
import pty
import subprocess
import sys

import pytest

from running import ENVIRONMENT, twingraph
from twingraph.check.run import check
from twingraph.errors import PublicationError
from twingraph.publication.assembly import assemble
from twingraph.publication.files import Publication
from twingraph.publication.reading import read
from twingraph.rdf.iris import Iris
from twingraph.settings import load_settings
from twingraph.starter.drafting import drafted_shapes, observed
from twingraph.starter.writing import Answers, starter_files, write_files

DATA = """@prefix ex: <https://data.test/id/lamp/> .
@prefix o: <https://data.test/ontology#> .
ex:desk a o:Lamp ; o:watts 9 ; o:name "Desk"@en, "Skrivbord"@sv ; o:near ex:hall .
ex:hall a o:Lamp ; o:watts 12.5 ; o:name "Hall"@en ; o:seen [ o:on "x" ] .
"""


@pytest.mark.parametrize("languages", ["en", "sv,en", "zh-Hans"])
def test_what_init_writes_conforms_with_its_examples(tmp_path, languages):
    done = twingraph(
        tmp_path, "init", "--yes", "--languages", languages, "--title", 'A "title"', "--licence", "cc0-1.0"
    )
    assert done.returncode == 0, done.stderr
    settings = load_settings(tmp_path)
    assert settings.licence == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert settings.title == {languages.split(",")[0]: 'A "title"'}
    result = check(assemble(settings), examples=True)
    assert result.findings == ()
    assert (result.examples, result.focus_node_count, result.derived) == (6, 3, 1)


def test_init_prints_the_files_and_the_next_steps(tmp_path):
    done = twingraph(tmp_path, "init", str(tmp_path / "trees"), "--yes")
    assert str(tmp_path / "trees/twingraph.toml") in done.stdout.splitlines()
    assert f"twingraph -C {tmp_path}/trees check --examples" in done.stderr


def test_init_overwrites_nothing(tmp_path):
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries/tallest.rq").write_text("mine")
    done = twingraph(tmp_path, "init", "--yes")
    assert (done.returncode, "queries/tallest.rq: exists already; nothing was written" in done.stderr) == (3, True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["tallest.rq"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--base-iri", "ftp://x/", "base_iri: must begin with http"),
        ("--licence", "GPL?", "licence: must be an absolute IRI"),
        ("--languages", "english!", "languages: 'english!' is not a language tag"),
        ("--languages", " , ", "languages: name at least one"),
    ],
)
def test_an_answer_that_no_setting_may_have_is_refused(tmp_path, option, value, message):
    done = twingraph(tmp_path, "init", "--yes", option, value)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_asks_on_a_terminal(tmp_path):
    leader, follower = pty.openpty()
    with os.fdopen(follower, "rb") as terminal:
        os.write(leader, b"https://asked.test\nAsked\nsv\n\n")
        subprocess.run(
            [sys.executable, "-m", "twingraph", "-C", str(tmp_path), "init"], stdin=terminal, capture_output=True,
            env=ENVIRONMENT, check=True, timeout=60,
        )  # fmt: skip
    os.close(leader)
    settings = load_settings(tmp_path)
    assert (settings.base_iri, settings.title, settings.languages) == ("https://asked.test/", {"sv": "Asked"}, ("sv",))


def test_nothing_is_written_where_one_file_exists(tmp_path):
    write_files(tmp_path, {"a/b": b"1"})
    with pytest.raises(PublicationError, match="exists already"):
        write_files(tmp_path, {"a/a": b"2", "a/b": b"2"})
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b"]


def test_every_starting_file_says_what_it_is_for():
    files = starter_files(Answers("https://x.test/", "X", ("en",), None))
    assert len(files) == 13
    assert [path for path, content in files.items() if b"#" not in content.splitlines()[0]] == []
    assert [path for path, content in files.items() if b"{{" in content] == []


@pytest.fixture
def started(tmp_path):
    (tmp_path / "lamps.ttl").write_text(DATA)
    done = twingraph(tmp_path, "init", "out", "--from", str(tmp_path / "lamps.ttl"), "--yes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "out"


def test_init_from_data_takes_them_as_they_are(started):
    assert (started / "data/lamps.ttl").read_text() == DATA
    assert load_settings(started).base_iri == "https://data.test/id/lamp/"


def test_data_conform_to_the_shapes_that_are_drafted_from_them(started):
    result = check(assemble(load_settings(started)))
    assert [finding for finding in result.findings if finding.rule.startswith("shape/")] == []
    assert result.focus_node_count == 2


def test_what_a_subclass_has_counts_for_the_class_as_it_does_in_shacl(tmp_path):
    ontology = "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\no:Lamp rdfs:subClassOf o:Thing, o:Lamp .\n"
    (tmp_path / "lamps.ttl").write_text(DATA + ontology + "ex:door a o:Thing .\n")
    twingraph(tmp_path, "init", "out", "--from", str(tmp_path / "lamps.ttl"), "--yes", cwd=tmp_path)
    assert "# 3 seen." in (tmp_path / "out/shapes/drafts.ttl").read_text()
    result = check(assemble(load_settings(tmp_path / "out")))
    assert [finding for finding in result.findings if finding.rule.startswith("shape/")] == []


def test_drafted_shapes_say_what_was_seen(started):
    quads = list(read(Publication(load_settings(started))).lines)
    text = drafted_shapes(observed(quads), Iris("https://data.test/", {"o": "https://data.test/ontology#"}))
    assert "# Drafts" in text
    assert "o:LampShape a sh:NodeShape" in text
    assert (
        'sh:path o:name ; sh:minCount 1 ; sh:datatype rdf:langString ; sh:languageIn ( "en" "sv" ) ] ;'
        "  # 2 of 2 have it, 2 at most each"
    ) in text
    assert "sh:path o:near ; sh:maxCount 1 ; sh:nodeKind sh:IRI ; sh:class o:Lamp" in text
    assert "sh:path o:seen ; sh:maxCount 1 ; sh:nodeKind sh:BlankNode ]" in text
    assert "sh:or ( [ sh:datatype <http://www.w3.org/2001/XMLSchema#decimal> ]" in text


def test_init_from_what_does_not_parse_names_the_line_and_writes_nothing(tmp_path):
    (tmp_path / "lamps.ttl").write_text(DATA + "nonsense")
    done = twingraph(tmp_path, "init", "out", "--from", str(tmp_path / "lamps.ttl"), "--yes", cwd=tmp_path)
    assert (done.returncode, "lamps.ttl:5" in done.stderr, (tmp_path / "out").exists()) == (3, True, False)
