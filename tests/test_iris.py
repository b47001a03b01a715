"""Minting, parsing, expanding and shortening IRIs; language tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twingraph.errors import IriError
from twingraph.rdf.iris import IriKind, Iris, ParsedIri, canonical_language, resolve

BASE = "https://kg.test/"
IRIS = Iris(
    BASE, {"ex": BASE + "ontology#", "thing": BASE + "id/thing/", "skos": "http://www.w3.org/2004/02/skos/core#"}
)


@pytest.mark.parametrize("reference", ["ontology#", "http://www.w3.org/2002/07/owl#"])
def test_resolving_keeps_the_empty_fragment_of_a_hash_namespace(reference):
    assert resolve(BASE, reference).endswith("#")
    assert not resolve(BASE, reference).endswith("##")


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("thing:a-1", BASE + "id/thing/a-1"),
        ("<id/thing/a>", BASE + "id/thing/a"),
        ("https://elsewhere.test/x", "https://elsewhere.test/x"),
        ("urn:isbn:1", "urn:isbn:1"),
    ],
)
def test_a_name_expands_to_its_iri(name, iri):
    assert IRIS.expand(name) == iri


@pytest.mark.parametrize("name", ["nothing", "a b", "http://x/{y}", ""])
def test_what_is_no_iri_is_refused(name):
    with pytest.raises(IriError):
        IRIS.expand(name)


@pytest.mark.parametrize(
    ("path", "parsed"),
    [
        ("id/thing/a-1", ParsedIri(IriKind.THING, "a-1", "thing")),
        ("ontology#Thing", ParsedIri(IriKind.TERM, "Thing")),
        ("ontology", ParsedIri(IriKind.ONTOLOGY)),
        ("graph/source/000", ParsedIri(IriKind.GRAPH, "source/000")),
        ("release/20260101T000000Z-0a1b", ParsedIri(IriKind.RELEASE, "20260101T000000Z-0a1b")),
        ("id/thing/Gävle", None),
        ("id/thing/a_b", None),
        ("id/thing", None),
        ("elsewhere", None),
    ],
)
def test_an_own_iri_is_parsed_by_its_form(path, parsed):
    assert IRIS.parse(BASE + path) == parsed


def test_an_iri_is_shortened_by_the_longest_namespace():
    assert IRIS.shorten(BASE + "id/thing/a-1") == "thing:a-1"
    assert IRIS.shorten("https://elsewhere.test/x") == "https://elsewhere.test/x"


@given(st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True))
def test_expanding_undoes_shortening(slug):
    iri = BASE + "id/thing/" + slug
    assert IRIS.expand(IRIS.shorten(iri)) == iri


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("zh-hans", "zh-Hans"),
        ("EN-gb", "en-GB"),
        ("sv", "sv"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("x-AB-latn", "x-ab-latn"),
    ],
)
def test_a_language_tag_gets_its_canonical_case(tag, canonical):
    assert canonical_language(tag) == canonical
