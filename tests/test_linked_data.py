"""Every IRI of a publication leads to a document about it: where, in which representation, and what it holds.

The publication here has what the other two have not: a hash namespace, names beyond ASCII, blank nodes, things without
the folder `id/`, a thing with many links to it, and one that has been withdrawn.
"""

import gzip
import json
import re
from urllib.parse import quote, urljoin

import pyoxigraph as ox
import pytest
import rdflib

from running import client, serving, twingraph
from twingraph.linked_data.addresses import Addresses, relative, root_of
from twingraph.linked_data.compact_json_ld import Context, compact_json_ld
from twingraph.rdf.formats import GRAPHS

BASE = "https://things.example/"
HUB_LINKS = 250
SETTINGS = f"""
base_iri = "{BASE}"
languages = ["en", "sv"]
licence = "https://creativecommons.org/publicdomain/zero/1.0/"
[title]
en = "Things"
[prefixes]
t = "vocabulary#"
x = "https://elsewhere.example/"
owl = "http://www.w3.org/2002/07/owl#"
rdfs = "http://www.w3.org/2000/01/rdf-schema#"
xsd = "http://www.w3.org/2001/XMLSchema#"
[policy]
blank_nodes = "allow"
[descriptions]
forward = ["t:evidence"]
backward = ["t:about"]
"""
DATA = f"""
BASE <{BASE}>
PREFIX t: <vocabulary#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
<vocabulary#Thing> a owl:Class ; rdfs:label "thing"@en, "ting"@sv .
<vocabulary#evidence> a owl:ObjectProperty ; rdfs:label "evidence"@en .
<vocabulary#size> a owl:DatatypeProperty ; rdfs:range xsd:integer .
<id/one> a t:Thing ; rdfs:label "One"@en, "Ett"@sv, "一"@zh-Hans ;
  t:evidence <id/proof> ; t:size 01, 7, "many" ; t:when "2020-01-01T00:00:00.000+00:00"^^xsd:dateTime ;
  t:part [ t:size 3 ; t:part [ t:size 4 ] ] ; t:list ( 1 "two" <id/hub> ) ; t:flag true .
<id/proof> t:quote "so it is <&>"@en ; t:in <id/hub> .
<id/claim> t:about <id/one> ; t:says "otherwise" .
<id/åäö> a t:Thing ; rdfs:label "Beyond ASCII"@en .
<id/a%20b> a t:Thing ; rdfs:label "Encoded"@en .
<deep/er/thing> a t:Thing ; rdfs:label "Deep"@en .
<id/hub> a t:Thing ; rdfs:label "Hub"@en .
<id/gone> a <https://www.w3.org/ns/activitystreams#Tombstone> ; dcterms:isReplacedBy <id/one> .
<id/lost> a <https://www.w3.org/ns/activitystreams#Tombstone> .
<id/script> rdfs:label "</script><script>alert(1)</script>"@en .
<https://elsewhere.example/it> t:size 9 .
""" + "".join(f"<id/link/{number:03}> <vocabulary#to> <id/hub> .\n" for number in range(HUB_LINKS))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("things")
    (directory / "twingraph.toml").write_text(SETTINGS, encoding="utf-8")
    (directory / "data").mkdir()
    (directory / "data" / "things.ttl").write_text(DATA, encoding="utf-8")
    ran = twingraph(directory, "build")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return directory


@pytest.fixture(scope="module")
def http(directory):
    with serving(directory) as address, client(address) as http:
        yield http


@pytest.fixture(scope="module")
def quads(directory):
    with gzip.open(directory / "releases" / "current" / "quads.nq.gz") as file:
        return list(ox.parse(file.read(), format=ox.RdfFormat.N_QUADS))


def documents_of(http, path, format_name="nquads"):
    """Return the statements of the document at a path."""
    response = http.get(path, params={"format": format_name})
    assert response.status_code == 200, response.text
    return list(ox.parse(response.content, format=ox.RdfFormat.N_QUADS))


def test_a_thing_leads_to_its_document(http):
    response = http.get("/id/one")
    assert (response.status_code, response.headers["location"]) == (303, "../doc/one")
    assert urljoin(str(response.url), response.headers["location"]).endswith("/doc/one")
    assert response.headers["link"] == '<../doc/one>; rel="describedby"'


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/id/%C3%A5%C3%A4%C3%B6", "../doc/%C3%A5%C3%A4%C3%B6"),
        ("/id/a%20b", "../doc/a%20b"),
        ("/deep/er/thing", "../../doc/deep/er/thing"),
    ],
)
def test_names_of_any_form_lead_to_a_document_that_is_there(http, path, location):
    response = http.get(path)
    assert (response.status_code, response.headers["location"]) == (303, location)
    document = http.get(urljoin(str(response.url), location), headers={"Accept": "text/turtle"})
    assert document.status_code == 200
    assert "Thing" in document.text


def test_a_namespace_is_answered_with_its_terms_at_once(http):
    response = http.get("/vocabulary", headers={"Accept": "application/n-triples"})
    assert response.status_code == 200
    for term in ("Thing", "evidence", "size"):
        assert f"<{BASE}vocabulary#{term}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>" in response.text


@pytest.mark.parametrize("format_", GRAPHS, ids=lambda one: one.name)
@pytest.mark.parametrize("path", ["/doc/one", "/vocabulary"])
def test_extension_and_accept_choose_the_same_representation(http, path, format_):
    by_extension = http.get(f"{path}.{format_.extension}")
    by_accept = http.get(path, headers={"Accept": format_.media_type})
    assert by_extension.status_code == 200
    assert by_extension.headers["content-type"] == by_accept.headers["content-type"] == format_.content_type
    assert by_extension.content == by_accept.content
    assert "Accept" in by_accept.headers["vary"]


@pytest.mark.parametrize("format_", GRAPHS, ids=lambda one: one.name)
def test_a_document_has_the_statements_of_its_thing_as_they_were_written(http, quads, format_):
    content = http.get(f"/doc/one.{format_.extension}").content
    if format_.name == "jsonld":
        document = json.loads(content)
        assert document["@context"] == f"{BASE}context.jsonld"
        document["@context"] = http.get("/context.jsonld").json()["@context"]
        content = json.dumps(document).encode()
    found = {
        (str(one.subject), str(one.predicate), str(one.object)) for one in ox.parse(content, format=format_.engine)
    }
    thing = ox.NamedNode(f"{BASE}id/one")
    wanted = {
        (str(one.subject), str(one.predicate), str(one.object))
        for one in quads
        if one.subject == thing and not isinstance(one.object, ox.BlankNode)
    }
    assert len(wanted) == 10
    assert wanted <= found
    assert any('"01"' in value for _, _, value in found)


def test_a_document_has_the_blank_nodes_below_its_thing(http, quads):
    found = documents_of(http, "/doc/one")
    blank = {one for one in quads if isinstance(one.subject, ox.BlankNode)}
    assert len(blank) == 9
    assert blank <= set(found)


def test_a_document_has_what_its_settings_lead_to_and_the_labels_of_all(http):
    found = {(str(one.subject), one.predicate.value.rpartition("#")[2]) for one in documents_of(http, "/doc/one")}
    assert (f"<{BASE}id/proof>", "quote") in found
    assert (f"<{BASE}id/claim>", "says") in found
    assert (f"<{BASE}id/hub>", "label") in found
    assert (f"<{BASE}vocabulary#evidence>", "label") in found


def test_a_document_says_what_it_is_about_and_under_which_licence(http, directory):
    manifest = json.loads((directory / "releases" / "current" / "manifest.json").read_bytes())
    about = {
        one.predicate.value.rpartition("/")[2]: one.object.value
        for one in documents_of(http, "/doc/one")
        if one.subject == ox.NamedNode(f"{BASE}doc/one")
    }
    assert about["primaryTopic"] == f"{BASE}id/one"
    assert about["license"] == manifest["licence"]
    assert about["isPartOf"] == f"{BASE}release/{manifest['id']}"
    assert about["modified"] == manifest["created"]


def test_rdflib_reads_a_thing_at_its_own_address(http):
    graph = rdflib.Graph().parse(f"{http.base_url}/id/one")
    assert (rdflib.URIRef(f"{BASE}id/one"), rdflib.RDFS.label, rdflib.Literal("One", lang="en")) in graph


def test_links_are_counted_and_paged(http):
    seen, path = set(), "/doc/hub.nq"
    for _ in range(10):
        response = http.get(path)
        quads = list(ox.parse(response.content, format=ox.RdfFormat.N_QUADS))
        seen |= {one.subject.value for one in quads if one.predicate.value.endswith("#to")}
        following = re.fullmatch(r'<([^>]*)>; rel="next"', response.headers.get_list("link")[-1])
        if not following:
            break
        path = urljoin(path, following[1])
    assert path == "/doc/hub.nq?page=3"
    assert len(seen) == HUB_LINKS
    total = next(one.object.value for one in quads if one.predicate.value.endswith("totalItems"))
    assert int(total) == HUB_LINKS + 2


@pytest.mark.parametrize(("page", "status"), [("4", 404), ("0", 400), ("x", 400), ("9" * 30, 400), ("²", 400)])
def test_a_page_that_is_not_there_is_an_error(http, page, status):
    assert http.get("/doc/hub", params={"page": page}).status_code == status


def test_what_was_withdrawn_is_gone_and_names_its_successor(http):
    for path in ("/id/gone", "/doc/gone", "/doc/gone.ttl"):
        response = http.get(path)
        assert response.status_code == 410
        assert response.headers["link"] == f'<{BASE}id/one>; rel="successor-version"'
    assert "link" not in http.get("/id/lost").headers


@pytest.mark.parametrize("path", ["/id/onne", "/doc/onne", "/doc/onne.ttl"])
def test_a_thing_that_is_unknown_is_404_with_the_nearest_name(http, path):
    response = http.get(path)
    assert response.status_code == 404
    assert f"did you mean {BASE}id/one" in response.json()["detail"]


def test_a_thing_elsewhere_is_described_by_its_iri_and_not_claimed(http):
    response = http.get("/doc", params={"iri": "https://elsewhere.example/it", "format": "ttl"})
    assert response.status_code == 200
    assert "x:it" in response.text
    assert f"<?iri={quote('https://elsewhere.example/it', safe='')}&format=trig>" in response.headers["link"]


def test_a_document_is_not_sent_again(http):
    first = http.get("/doc/one.ttl")
    again = http.get("/doc/one.ttl", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "last-modified" in first.headers
    head = http.head("/doc/one.ttl")
    assert (head.content, head.headers["content-length"]) == (b"", first.headers["content-length"])


def test_a_format_that_nobody_has_is_406_with_what_there_is(http):
    response = http.get("/doc/one", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert "text/turtle" in response.json()["detail"]
    assert "text/html" in response.json()["detail"]


def test_the_link_field_names_every_representation(http):
    links = http.get("/doc/one").headers["link"]
    for format_ in GRAPHS:
        assert f'<one.{format_.extension}>; rel="alternate"; type="{format_.media_type}"' in links
    assert f'<{BASE}doc/one>; rel="canonical"' in links
    assert 'rel="license"' in links
    assert 'rel="collection"' in links


def test_a_page_has_the_name_in_the_language_of_its_visitor(http):
    for language, name in {"sv": "Ett", "en": "One", "zh": "One"}.items():
        page = http.get("/doc/one", headers={"Accept": "text/html", "Accept-Language": language})
        assert f">{name}</h1>" in page.text
        assert "Accept-Language" in ", ".join(page.headers.get_list("vary"))


def test_markup_in_the_data_is_text_on_a_page(http):
    page = http.get("/doc/script", headers={"Accept": "text/html"}).text
    assert "<script>alert" not in page
    embedded = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(embedded[1])["label"] == {"en": "</script><script>alert(1)</script>"}


@pytest.mark.parametrize(
    "path",
    [
        "/id/..%2f..%2fetc/passwd",
        "/doc/..%2f..%2f..%2fetc%2fpasswd",
        "/doc/%00",
        "/doc/%ff%fe",
        "/id/%22%3E%3Cscript%3E",
        "/doc/" + "a/" * 3000,
        "/doc?iri=%00",
        "/doc?iri=javascript:alert(1)",
        "/doc?iri=%22%3E",
        "/doc?iri=",
        "/doc/.ttl",
        "/doc/",
        "/%EF%BF%BF",
    ],
)
def test_what_is_no_iri_is_not_found(http, path):
    response = http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_no_link_leads_to_the_host_of_a_stranger(http):
    for path in ("/id/one", "/doc/one", "/vocabulary"):
        response = http.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in response.text + str(response.headers)


def test_addresses_below_a_hash_namespace():
    addresses = Addresses(root_of("https://a.example/vocabulary#"))
    assert addresses.base == "https://a.example/"
    assert addresses.document("https://a.example/vocabulary#Term") == "vocabulary"
    assert addresses.meant("/vocabulary")[0] == "https://a.example/vocabulary"
    assert relative("/vocabulary", "doc/x") == "./doc/x"


LITERALS = (
    '"x"',
    '"x"@en',
    '"7"^^<http://www.w3.org/2001/XMLSchema#integer>',
    '"07"^^<http://www.w3.org/2001/XMLSchema#integer>',
    '"-0"^^<http://www.w3.org/2001/XMLSchema#integer>',
    '"12345678901234567890"^^<http://www.w3.org/2001/XMLSchema#integer>',
    '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>',
    '"1"^^<http://www.w3.org/2001/XMLSchema#boolean>',
    '"2020"^^<http://www.w3.org/2001/XMLSchema#gYear>',
    "<https://c.example/o>",
    "_:c14n0",
)


@pytest.mark.parametrize("coercion", [None, "@id", "http://www.w3.org/2001/XMLSchema#integer", "language", "prefix"])
def test_compact_json_ld_has_the_same_triples_whatever_the_context_coerces(coercion):
    definition = {"@id": "https://c.example/p"}
    if coercion == "language":
        definition["@container"] = "@language"
    elif coercion and coercion != "prefix":
        definition["@type"] = coercion
    context = {"@version": 1.1, "id": "@id", "type": "@type", "c": "https://c.example/"}
    if coercion != "prefix":
        context["p"] = definition
    lines = "".join(f"<https://c.example/s> <https://c.example/p> {value} .\n" for value in LITERALS)
    lines += "<https://c.example/other> <https://c.example/p> <https://c.example/s> .\n"
    lines += "_:c14n0 a <https://c.example/T> .\n".replace(" a ", " <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ")
    quads = list(ox.parse(lines, format=ox.RdfFormat.N_QUADS))
    written = json.loads(compact_json_ld("https://c.example/s", quads, Context("https://c.example/ctx", context)))
    assert "p" in written or "c:p" in written
    written["@context"] = context
    read = ox.Dataset(ox.parse(json.dumps(written), format=ox.RdfFormat.JSON_LD))
    expected = ox.Dataset(quads)
    for dataset in (read, expected):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    assert set(read) == set(expected)
