"""The program knows no domain: nothing of the first publication's names and terms stands in its code."""

import re
from pathlib import Path

import pytest

import twingraph
from twingraph.publication.files import Publication
from twingraph.publication.reading import read
from twingraph.settings import load_settings

ROOT = Path(__file__).parents[1]
PACKAGE = Path(twingraph.__file__).parent
CODE = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".html", ".css", ".js"))
# Plain words, and countries with telephone prefixes, that the first publication's names happen to hold.
EVERYDAY = {
    "via",
    "denmark",
    "city",
    "group",
    "delegation",
    "network",
    "company",
    "reference",
    "document",
    "public",
    "follow",
}


@pytest.fixture(scope="module")
def iris():
    reading = read(Publication(load_settings(ROOT)))
    return {quad.subject.value for quad in reading.lines if hasattr(quad.subject, "value")}


def test_the_code_was_really_read():
    assert len(CODE) > 30


def test_no_place_or_actor_is_named_in_the_code(iris):
    slugs = {iri.rpartition("/")[2] for iri in iris if re.search(r"/id/(place|actor)/", iri)}
    words = {word for slug in slugs for word in slug.split("-") if len(word) > 4} - EVERYDAY
    assert len(words) > 100
    names = {"gävle", "gavle", "zhuhai", "bycirklen", "wuxi", "espoo", "shanghai", "icld", "fpx", "movexum"} | slugs
    for path in CODE:
        text = path.read_text(encoding="utf-8").lower()
        found = {name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}
        assert found <= EVERYDAY, f"{path.name} names {sorted(found)}"


def test_no_term_of_an_ontology_is_named_in_the_code(iris):
    terms = {iri.rpartition("#")[2] for iri in iris if "/ontology#" in iri}
    compound = {term for term in terms if re.search(r"[a-z][A-Z]", term)}  # single words are also plain English
    assert len(compound) > 40
    for path in CODE:
        found = {term for term in compound if re.search(rf"\b{term}\b", path.read_text(encoding="utf-8"))}
        assert not found, f"{path.name} names {sorted(found)}"
        assert not re.search(r"\btw:", path.read_text(encoding="utf-8")), path.name


def test_the_base_iri_is_written_in_the_settings_only():
    base = load_settings(ROOT).base_iri.removeprefix("https://").rstrip("/")
    folders = ("ontology", "data", "shapes", "queries", "src")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".ttl", ".rq", ".py")]
    assert len(files) > 100
    assert [path.name for path in files if base in path.read_text(encoding="utf-8")] == []
