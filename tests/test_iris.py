"""Minting, parsing, expanding and shortening IRIs; language tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twingraph.errors import IriError
from twingraph.rdf.iris import IriKind, Iris, ParsedIri, canonical_language, is_language_tag, resolve
from twingraph.settings.policy import IriForm

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


FORMS = (
    IriForm(form="id/{folder}/{slug}", parts={"folder": "[a-z]+", "slug": "[a-z0-9-]+"}),
    IriForm(form="ontology#{name}", kind="term"),
    IriForm(form="ontology", kind="other"),
    IriForm(form="graph/{name}", kind="graph", parts={"name": "[a-z0-9/]+"}),
    IriForm(form="https://other.test/{name}", kind="term"),
)
STRICT = Iris(BASE, {}, ("https://other.test/",), tuple(form.compiled(BASE) for form in FORMS))


@pytest.mark.parametrize(
    ("iri", "parsed"),
    [
        (BASE + "id/thing/a-1", ParsedIri(IriKind.THING, "id/{folder}/{slug}", "thing")),
        (BASE + "ontology#Thing", ParsedIri(IriKind.TERM, "ontology#{name}")),
        (BASE + "ontology", ParsedIri(IriKind.OTHER, "ontology")),
        (BASE + "graph/source/000", ParsedIri(IriKind.GRAPH, "graph/{name}")),
        ("https://other.test/x", ParsedIri(IriKind.TERM, "https://other.test/{name}")),
        (BASE + "id/thing/Gävle", None),
        (BASE + "id/thing/a_b", None),
        (BASE + "id/thing", None),
        (BASE + "elsewhere", None),
        ("https://nobody.test/x", None),
    ],
)
def test_an_own_iri_is_parsed_by_the_declared_forms(iri, parsed):
    assert STRICT.parse(iri) == parsed


def test_without_forms_every_own_iri_is_free():
    assert IRIS.parse(BASE + "Any_Thing/ö") == ParsedIri(IriKind.FREE)
    assert IRIS.parse("https://other.test/x") is None


@pytest.mark.parametrize(
    ("iri", "is_own"),
    [
        ("https://kg.test/gist#Thing", True),
        ("https://kg.test/gist", False),
        ("https://second.test/x", True),
        ("https://third.test/x", False),
        ("https://kg.test/.well-known/genid/0", False),
    ],
)
def test_own_is_what_is_under_the_base_or_another_namespace_and_replaces_no_blank_node(iri, is_own):
    assert Iris("https://kg.test/gist#", {}, ("https://second.test/",)).owns(iri) is is_own


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


@pytest.mark.parametrize(
    "tag",
    ["en", "pt-BR", "zh-Hans-CN", "sl-rozaj-biske", "de-CH-1901", "es-419", "x-klingon", "i-klingon", "en-a-bbb-x-a"],
)
def test_a_language_tag_is_well_formed(tag):
    assert is_language_tag(tag)


@pytest.mark.parametrize("tag", ["english!", "", "e", "en_GB", "en-", "en--GB", "123", "abcdefghi"])
def test_a_language_tag_is_malformed(tag):
    assert not is_language_tag(tag)
