"""Files without twingraph.toml: checked, built, served and queried as they are."""

import json
import signal
import subprocess
import sys

import pytest

from running import ENVIRONMENT, client, twingraph
from twingraph.errors import PublicationError, SettingsError
from twingraph.publication.files import Publication
from twingraph.publication.loose_files import UNKNOWN_BASE, declared_prefixes, guessed_base, settings_of_files

LAMPS = """@prefix ex: <http://ex.test/lamps/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:Desk a ex:Lamp ; rdfs:label "Desk lamp"@en ; ex:watts 9 .
ex:Hall a ex:Lamp ; rdfs:label "Hall lamp"@en ; ex:watts "many" .
"""
SHAPES = """@prefix ex: <http://ex.test/lamps/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
ex:LampShape a sh:NodeShape ; sh:targetClass ex:Lamp ; sh:property [ sh:path ex:watts ; sh:datatype xsd:integer ] .
"""
NAMES = "SELECT ?name { ?x a ex:Lamp ; rdfs:label ?name } ORDER BY ?name"


@pytest.fixture
def lamps(tmp_path, monkeypatch):
    (tmp_path / "lamps.ttl").write_text(LAMPS)
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes/lamps.ttl").write_text(SHAPES)
    # What stands beside the files is not read.
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries/broken.rq").write_text("nonsense")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(directory, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "twingraph", *arguments], cwd=directory, env=ENVIRONMENT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("subjects", "base"),
    [
        (["http://a.test/x/1", "http://a.test/x/2", "http://b.test/y"], "http://a.test/x/"),
        (["http://a.test/onto#A", "http://a.test/onto#B"], "http://a.test/"),
        (["http://b.test/1", "http://a.test/1"], "http://a.test/"),
        (["https://a.test"], "https://a.test/"),
        (["urn:a", "mailto:x", f"{UNKNOWN_BASE}x"], UNKNOWN_BASE),
        ([], UNKNOWN_BASE),
    ],
)
def test_the_base_is_the_commonest_namespace_of_subjects(subjects, base):
    assert guessed_base(subjects) == base


def test_prefixes_are_those_that_files_declare(tmp_path):
    turtle, xml = tmp_path / "a.ttl", tmp_path / "b.rdf"
    turtle.write_text("@prefix a: <http://a.test/> . PREFIX b: <http://b.test#>\n@prefix r: <relative> .")
    xml.write_text('<rdf:RDF xmlns:a="http://other.test/" xmlns:c="urn:c:">')
    assert declared_prefixes([turtle, xml]) == {"a": "http://a.test/", "b": "http://b.test#", "c": "urn:c:"}


def test_each_file_has_a_named_graph_of_its_own(lamps):
    (lamps / "sub").mkdir()
    (lamps / "sub/lamps.ttl").write_text(LAMPS)
    settings, is_guessed = settings_of_files([lamps / "lamps.ttl", lamps / "sub"])
    assert is_guessed
    assert [file.graph for file in Publication(settings).rdf_files] == [
        "http://ex.test/lamps/graph/lamps",
        "http://ex.test/lamps/graph/sub/lamps",
    ]


def test_a_base_that_is_given_is_no_guess(lamps):
    settings, is_guessed = settings_of_files([lamps / "lamps.ttl"], base_iri="https://own.test/")
    assert (settings.base_iri, is_guessed) == ("https://own.test/", False)


@pytest.mark.parametrize(
    ("name", "message"), [("none.ttl", "there is no such file or folder"), ("notes.txt", "ends in one of .ttl")]
)
def test_what_is_no_file_of_rdf_is_refused_by_name(lamps, name, message):
    (lamps / "notes.txt").write_text("x")
    with pytest.raises(PublicationError, match=f"{name}: .*{message}"):
        settings_of_files([lamps / name])


def test_a_folder_that_is_a_publication_is_not_read_without_its_settings(lamps):
    (lamps / "twingraph.toml").write_text("")
    with pytest.raises(SettingsError, match="is a publication: use `twingraph -C"):
        settings_of_files([lamps])


def test_check_of_a_file_says_the_base_first_and_conforms(lamps):
    done = run(lamps, "check", "lamps.ttl")
    assert done.stderr == "Base IRI <http://ex.test/lamps/>, guessed from the data; --base-iri sets it.\n"
    assert (done.returncode, "Conforms: no findings" in done.stdout) == (0, True)


def test_check_of_a_file_without_iris_of_http_says_so(lamps):
    (lamps / "lamps.ttl").write_text("<urn:a> <urn:b> <urn:c> .")
    said = run(lamps, "check", "lamps.ttl").stderr
    assert said == f"Base IRI <{UNKNOWN_BASE}>, since the data suggest none; --base-iri sets it.\n"


def test_check_by_shapes_names_file_and_line(lamps):
    done = run(lamps, "check", "lamps.ttl", "--shapes", "shapes")
    assert done.returncode == 1
    assert "lamps.ttl:4:" in done.stdout
    assert "[shape/DatatypeConstraintComponent]" in done.stdout


def test_check_of_a_file_that_does_not_parse_names_the_line(lamps):
    (lamps / "lamps.ttl").write_text(LAMPS.replace("ex:watts 9 .", "ex:watts 9"))
    done = run(lamps, "check", "lamps.ttl")
    assert (done.returncode, "lamps.ttl:4:1: violation [syntax]" in done.stdout) == (1, True)


def test_query_of_files_knows_their_prefixes(lamps):
    done = run(lamps, "query", NAMES, "lamps.ttl", "--format", "csv")
    assert done.stdout.splitlines() == ["name", "Desk lamp", "Hall lamp"]
    assert not (lamps / "releases").exists()


def test_query_of_a_file_that_does_not_parse_gives_no_part_of_an_answer(lamps):
    (lamps / "lamps.ttl").write_text(LAMPS + "nonsense")
    done = run(lamps, "query", NAMES, "lamps.ttl", "--format", "csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "lamps.ttl:5:" in done.stderr


def test_build_of_files_writes_to_the_directory_that_is_named(lamps):
    done = run(lamps, "build", "lamps.ttl", "--output", "out")
    assert done.returncode == 0, done.stderr
    assert json.loads((lamps / "out/current/manifest.json").read_bytes())["base_iri"] == "http://ex.test/lamps/"


def test_build_of_files_without_a_directory_is_wrong_usage(lamps):
    done = run(lamps, "build", "lamps.ttl")
    assert (done.returncode, "--output" in done.stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_of_files_answers_and_leaves_nothing_behind(lamps, tmp_path_factory, number):
    temporary = tmp_path_factory.mktemp("temporary")
    command = [sys.executable, "-m", "twingraph", "serve", "lamps.ttl", "shapes", "--port", "0"]
    with subprocess.Popen(
        command, cwd=lamps, env=ENVIRONMENT | {"TMPDIR": str(temporary)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as server:  # fmt: skip
        first = server.stdout.readline()
        address = first.split()[2].rstrip("/,")
        with client(address) as http:
            answer = http.get("/sparql", params={"query": NAMES}, headers={"Accept": "text/csv"})
        server.send_signal(number)
        _, said = server.communicate(timeout=30)
    assert answer.text.split() == ["name", "Desk", "lamp", "Hall", "lamp"]
    assert said.splitlines()[0].startswith("Base IRI <http://ex.test/lamps/>")
    assert (server.returncode, list(temporary.glob("twingraph-*"))) == (0, [])


def test_a_directory_without_settings_says_how_to_go_on(tmp_path):
    said = twingraph(tmp_path, "check").stderr
    assert "twingraph init" in said
    assert "take files without" in said
