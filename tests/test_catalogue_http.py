"""The catalogue, its dumps and what crawlers look for, over HTTP."""

import base64
import gzip
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import HTTPConnection
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from rdflib import DCAT, DCTERMS, Graph, Literal, Namespace, URIRef
from rdflib.compare import to_isomorphic

from catalogues import graph_of, offer_of
from running import client, serving, twingraph
from twingraph.catalogue.profiles import DCAT_AP
from twingraph.rdf.formats import GRAPHS
from twingraph.release.archive import Archive

SPDX = Namespace("http://spdx.org/rdf/terms#")
BASE = "https://lights.example/"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def http(address):
    with client(address) as http:
        yield http


@pytest.fixture(scope="module")
def offer(release):
    return offer_of(release.directory)


@pytest.fixture(scope="module")
def paths(offer):
    return [offer.dump_url(dump).removeprefix(offer.root) for dump in offer.manifest.dumps]


PARSERS = {"text/turtle": "turtle", "application/rdf+xml": "xml", "application/n-triples": "nt"}


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [
        ("/catalog", "*/*", "text/turtle"),
        ("/catalog", "application/rdf+xml", "application/rdf+xml"),
        ("/catalog", "application/n-triples;q=0.9, text/turtle;q=0.1", "application/n-triples"),
        ("/catalog.ttl", "application/rdf+xml", "text/turtle"),
        ("/catalog.rdf", "*/*", "application/rdf+xml"),
        ("/catalog.nt", "text/html", "application/n-triples"),
        ("/catalog?format=rdfxml", "text/turtle", "application/rdf+xml"),
        ("/catalog?profile=dcat-ap-se", "*/*", "application/rdf+xml"),
        ("/catalog.ttl?profile=dcat-ap-se", "*/*", "text/turtle"),
    ],
)
def test_a_catalogue_is_negotiated_by_type_and_by_extension(http, path, accept, media_type):
    answer = http.get(path, headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media_type
    graph = Graph().parse(data=answer.content, format=PARSERS[media_type])
    assert len(list(graph.objects(URIRef(f"{BASE}catalog"), DCAT.dataset))) == 1
    assert answer.headers["vary"] == "Accept, Accept-Profile"


@pytest.mark.parametrize(
    ("query", "field", "profile"),
    [
        ("", None, "http://data.europa.eu/r5r/"),
        ("?profile=schema.org", None, "https://schema.org/"),
        ("?_profile=dcat-ap-se", None, "https://docs.dataportal.se/dcat/3.0.1/en/"),
        ("?profile=http://schema.org/", None, "https://schema.org/"),
        ("", "<https://schema.org/>", "https://schema.org/"),
        ("", "<https://schema.org/>;q=0.5, <http://data.europa.eu/r5r/>;q=0.7", "http://data.europa.eu/r5r/"),
        ("", "<https://other.example/>, <https://schema.org>;q=0.1", "https://schema.org/"),
        ("", "<https://schema.org/>;q=0", "http://data.europa.eu/r5r/"),
        ("", '<<<,;;q=,"', "http://data.europa.eu/r5r/"),
        ("", "<https://schema.org/>," * 900, "http://data.europa.eu/r5r/"),
        ("?profile=dcat-ap", "<https://schema.org/>", "http://data.europa.eu/r5r/"),
    ],
)
def test_a_profile_is_negotiated(http, query, field, profile):
    answer = http.get(f"/catalog{query}", headers={"Accept-Profile": field} if field else {})
    assert answer.status_code == 200
    assert f'<{profile}>; rel="profile"' in answer.headers["link"]


def test_the_link_field_leads_to_each_profile_in_each_format(http):
    field = http.get("/catalog").headers["link"]
    targets = re.findall(r'<([^>]*)>; rel="(?:alternate|canonical)"', field)
    assert len(targets) == 4 + 4 + 1 + 1
    for target in targets:
        assert http.get(target.removeprefix(BASE)).status_code == 200


def test_void_is_described_at_its_own_address(http):
    answer = http.get("/catalog?profile=void")
    assert (answer.status_code, answer.headers["location"]) == (303, ".well-known/void")


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/catalog?profile=other", "*/*", 406),
        ("/catalog", "image/png", 406),
        ("/catalog.jsonld?profile=schema.org", "*/*", 200),
        ("/catalog.ttl?profile=schema.org", "*/*", 406),
        ("/catalog.exe", "*/*", 404),
        ("/prefixes.exe", "*/*", 404),
    ],
)
def test_what_is_not_offered_is_said(http, path, accept, status):
    answer = http.get(path, headers={"Accept": accept})
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_strangers_host_is_in_no_link(http):
    hostile = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for path in ("/catalog", "/catalog.rdf?profile=dcat-ap-se", "/sitemap.xml", "/robots.txt", "/dumps/all.ttl",
                 "/.well-known/api-catalog", "/catalog?profile=void", "/prefixes"):  # fmt: skip
        answer = http.get(path, headers=hostile)
        assert answer.status_code < 400
        assert "evil" not in answer.text + str(answer.headers)


def test_every_distribution_downloads_parses_and_matches_its_checksum(http, offer):
    graph = graph_of(offer)
    found = set(graph.objects(None, DCAT.distribution))
    formats = {one.media_type: one for one in GRAPHS}
    checked = 0
    for one in found:
        url = graph.value(one, DCAT.downloadURL)
        if url is None:
            continue
        answer = http.get(str(url).removeprefix(BASE))
        assert answer.status_code == 200
        assert len(answer.content) == int(graph.value(one, DCAT.byteSize)) == int(answer.headers["content-length"])
        digest = hashlib.sha256(answer.content)
        checksum = graph.value(one, SPDX.checksum)
        assert digest.hexdigest() == str(graph.value(checksum, SPDX.checksumValue))
        assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
        media_type = str(graph.value(one, DCAT.mediaType)).partition("media-types/")[2]
        content = gzip.decompress(answer.content) if str(url).endswith(".gz") else answer.content
        assert list(ox.parse(content, format=formats[media_type].engine))
        checked += 1
    assert checked == len(found) - 1


def test_a_dump_is_led_to_in_one_step(http, paths):
    for path in paths:
        name = path.partition("/")[2].partition("/")[2]
        answer = http.get(f"/dumps/{name}")
        assert answer.status_code == 307
        assert str(answer.url.join(answer.headers["location"])).endswith(f"/{path}")
    assert http.get("/dumps/none.ttl").status_code == 404


@pytest.mark.parametrize(
    ("field", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=5-", 206, 5, None),
        ("bytes=-7", 206, -7, None),
        ("BYTES = 3-3", 206, 3, 4),
        ("bytes=10-999999999999999999", 206, 10, None),
        ("bytes=-999999999", 206, 0, None),
        ("bytes=9-3", 200, 0, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("lines=0-1", 200, 0, None),
        ("bytes=a-b", 200, 0, None),
        ("bytes=" + "9" * 3000 + "-", 200, 0, None),
    ],
)
def test_one_range_of_bytes_is_sent(http, paths, field, status, first, last):
    whole = http.get(paths[0]).content
    answer = http.get(paths[0], headers={"Range": field})
    assert (answer.status_code, answer.content) == (status, whole[first:last])
    assert answer.headers["accept-ranges"] == "bytes"
    if status == 206:
        start = first if first >= 0 else len(whole) + first
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(whole)}"


@pytest.mark.parametrize("field", ["bytes=99999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_not_satisfiable(http, paths, field):
    answer = http.get(paths[0], headers={"Range": field})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(http.get(paths[0]).content)}"


def day(moment):
    return format_datetime(moment.astimezone(UTC), usegmt=True)


@pytest.mark.parametrize("kind", ["dump", "catalogue"])
def test_conditional_requests(http, paths, offer, kind):
    path = paths[0] if kind == "dump" else "/catalog"
    first = http.get(path)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    created = datetime.fromisoformat(offer.manifest.created)
    later, earlier = day(created + timedelta(days=1)), day(created - timedelta(days=1))
    table = [
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'W/{etag}, "x"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": later}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": later}, 304),
        ({"If-Modified-Since": earlier}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Mon, 32 Foo 99999 99:99:99 GMT"}, 200),
        ({"If-Match": etag}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-Unmodified-Since": later}, 200),
        ({"If-Unmodified-Since": earlier}, 412),
    ]
    for method in ("GET", "HEAD"):
        for headers, status in table:
            answer = http.request(method, path, headers=headers)
            assert answer.status_code == status, (method, headers)
            assert answer.headers.get("etag") == (etag if status != 412 else None)
            assert (method == "GET" and status == 200) == bool(answer.content) or status == 412


def test_if_range_sends_the_whole_of_what_has_changed(http, paths):
    etag, modified = (http.head(paths[0]).headers[name] for name in ("etag", "last-modified"))
    for value, status in ((etag, 206), (modified, 206), ('"x"', 200), (f"W/{etag}", 200), ("yesterday", 200)):
        answer = http.get(paths[0], headers={"Range": "bytes=0-0", "If-Range": value})
        assert answer.status_code == status, value


def test_head_says_what_get_would_send(http, paths):
    for path in (paths[0], "/catalog", "/sitemap.xml"):
        head, get = http.head(path), http.get(path)
        assert head.content == b""
        for name in ("content-length", "content-type", "etag", "last-modified"):
            assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("path", ["/release/{}/all.ttl", "/catalog", "/sitemap.xml", "/dumps/all.ttl"])
def test_other_methods_are_refused_and_scripts_of_any_origin_may_read(http, offer, path):
    path = path.format(offer.manifest.id)
    assert http.post(path).status_code == 405
    assert http.get(path).headers["access-control-allow-origin"] == "*"
    preflight = http.options(path, headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
    assert "Range" in preflight.headers["access-control-allow-headers"]
    assert "Content-Range" in http.get(path).headers["access-control-expose-headers"]


HOSTILE_PATHS = (
    "../../../etc/passwd", "..%2f..%2fmanifest.json", "manifest.json", "store/CURRENT", "quads.nq.gz", "dumps/all.ttl",
    "all.ttl%00", "%2e%2e/all.ttl", "./all.ttl", "graphs", "", "a" * 5000, "<script>", "%ff%fe", "all.ttl;x=1",
)  # fmt: skip
HOSTILE_RELEASES = ("{id}", "..", "%2e%2e", "%2e%2e%2f", "current", ".lock", "x" * 500, "<b>", "%00", "")


@pytest.mark.parametrize("identifier", HOSTILE_RELEASES)
def test_nothing_but_a_dump_is_a_file_of_a_release(address, offer, identifier):
    connection = HTTPConnection(address.removeprefix("http://"))
    for path in HOSTILE_PATHS:
        # Unlike other clients, this one sends a path as it is.
        connection.request("GET", f"/release/{identifier.format(id=offer.manifest.id)}/{path}")
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 404, (path, body)
        assert json.loads(body)["status"] == 404
        assert "/tmp" not in body
    connection.close()


def test_a_damaged_dump_is_not_sent(built):
    release = Archive(built.settings.releases).current()
    with serving(built.directory) as address, client(address) as http:
        file = release.directory / "dumps/all.ttl"
        file.write_bytes(file.read_bytes()[:-10])
        (release.directory / "dumps/all.rdf").unlink()
        for name in ("all.ttl", "all.rdf"):
            assert http.get(f"/release/{release.id}/{name}").status_code == 503
        assert http.get(f"/release/{release.id}/all.trig").status_code == 200


def test_an_older_release_keeps_its_dumps_until_it_is_removed(built):
    archive = Archive(built.settings.releases)
    old = archive.current()
    built.edit("data/islands.ttl", "Angso", "Angsoe")
    assert twingraph(built.directory, "build").returncode == 0
    with serving(built.directory) as address, client(address) as http:
        path = f"/release/{old.id}/all.ttl"
        assert b"Angsoe" not in http.get(path).content
        archive.remove(old.id)
        assert http.get(path).status_code == 404


def test_the_sitemap_lists_each_thing_once_with_the_day_of_its_last_change(http, offer):
    root = ElementTree.fromstring(http.get("/sitemap.xml").text)
    urls = [one.text for one in root.iter(f"{SITEMAP}loc")]
    assert f"{BASE}doc/island/holm" in urls
    assert f"{BASE}ontology" in urls
    assert len(urls) == len(set(urls))
    assert {one.text for one in root.iter(f"{SITEMAP}lastmod")} == {offer.manifest.created[:10]}


def test_a_large_sitemap_is_an_index(tmp_path):
    lines = "".join(
        f'<https://many.example/å{number}&> <http://purl.org/dc/terms/modified> "2020-01-0{number % 9 + 1}" .\n'
        for number in range(50_010)
    )
    (tmp_path / "many.nt").write_text(lines)
    ran = twingraph(tmp_path, "build", "many.nt", "-o", str(tmp_path / "many/releases"), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "many/twingraph.toml").write_text('base_iri = "https://many.example/"\n[title]\nen = "Many"\n')
    with serving(tmp_path / "many") as address, client(address) as http:
        index = ElementTree.fromstring(http.get("/sitemap.xml").text)
        parts = [one.text for one in index.iter(f"{SITEMAP}loc")]
        assert parts == [f"https://many.example/sitemap/{number}.xml" for number in (1, 2)]
        texts = [http.get(one.removeprefix("https://many.example")).text for one in parts]
        found = [ElementTree.fromstring(text) for text in texts]
        assert [len(list(one)) for one in found] == [50_000, 10]
        assert "<loc>https://many.example/doc/%C3%A50&amp;</loc><lastmod>2020-01-01</lastmod>" in texts[0]
        assert http.get("/sitemap/3.xml").status_code == 404
        assert http.get("/sitemap/01.xml").status_code == 404


def test_robots_txt_names_the_sitemap_and_leaves_queries_out(http):
    text = http.get("/robots.txt").text
    assert f"Sitemap: {BASE}sitemap.xml" in text
    assert "Disallow: /sparql?" in text


def test_the_list_of_apis_is_a_link_set(http):
    answer = http.get("/.well-known/api-catalog")
    assert answer.headers["content-type"].startswith("application/linkset+json")
    assert 'rel="api-catalog"' in http.head("/.well-known/api-catalog").headers["link"]
    first, *others = json.loads(answer.text)["linkset"]
    assert {one["href"] for one in first["item"]} == {one["anchor"] for one in others}
    for one in others:
        for link in one["service-desc"]:
            assert http.get(link["href"].removeprefix(BASE)).status_code == 200


def test_security_txt_is_there_when_the_settings_have_a_contact(http, built):
    assert http.get("/.well-known/security.txt").status_code == 404
    built.append(
        "twingraph.toml",
        '[security]\ncontact = ["https://lights.example/report", "mailto:security@lights.example"]\n'
        'expires = 2027-05-01T00:00:00+02:00\nlanguages = ["en", "sv"]\npolicy = "https://lights.example/policy"\n',
    )
    with serving(built.directory) as address, client(address) as other:
        assert other.get("/.well-known/security.txt").text.splitlines() == [
            "Contact: https://lights.example/report",
            "Contact: mailto:security@lights.example",
            "Expires: 2027-04-30T22:00:00Z",
            "Preferred-Languages: en, sv",
            "Policy: https://lights.example/policy",
            "Canonical: https://lights.example/.well-known/security.txt",
        ]


def test_prefixes_are_a_context_and_declarations(http, offer):
    prefixes = offer.manifest.iris.namespaces
    context = http.get("/prefixes", headers={"Accept": "application/ld+json"}).json()["@context"]
    assert {name: one["@id"] for name, one in context.items()} == prefixes
    graph = Graph().parse(data=http.get("/prefixes.ttl").content, format="turtle")
    sh = Namespace("http://www.w3.org/ns/shacl#")
    owner = URIRef(f"{BASE}prefixes")
    found = {
        str(graph.value(one, sh.prefix)): str(graph.value(one, sh.namespace))
        for one in graph.objects(owner, sh.declare)
    }
    assert found == prefixes
    assert Literal("l") in set(graph.objects(None, sh.prefix))


def test_the_shapes_that_the_catalogue_names_are_there(http, offer, publication):
    graph = graph_of(offer)
    assert URIRef(f"{BASE}shapes") in set(graph.objects(URIRef(offer.dataset), DCTERMS.conformsTo))
    files = Graph()
    for path in (publication.directory / "shapes").glob("*.ttl"):
        files.parse(path, publicID=BASE)
    for extension, name in (("ttl", "turtle"), ("rdf", "xml"), ("nt", "nt")):
        answer = http.get(f"/shapes.{extension}")
        assert to_isomorphic(Graph().parse(data=answer.content, format=name)) == to_isomorphic(files)


def test_the_home_page_has_the_description_for_search_engines(http):
    page = http.get("/", headers={"Accept": "text/html"}).text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(found)["@type"] == "Dataset"


def test_the_catalogue_over_http_is_that_of_the_manifest(http, offer):
    assert http.get("/catalog.ttl").content == DCAT_AP.write(offer, DCAT_AP.formats[0])


def test_the_server_has_an_address_of_its_own_in_links(built):
    built.append("twingraph.toml", '[server]\nurl = "https://mirror.example/å/"\n')
    with serving(built.directory) as address, client(address) as http:
        answer = http.get("/catalog")
        assert "https://mirror.example/%C3%A5/catalog.ttl" in answer.headers["link"]
        assert "https://mirror.example/å/release/" in answer.text
        assert "Sitemap: https://mirror.example/%C3%A5/sitemap.xml" in http.get("/robots.txt").text
