"""The catalogue as a graph: what the official shapes say, what it tells of each release, and what it never contains."""

import gzip
import json

import pytest
from rdflib import DCAT, DCTERMS, FOAF, RDF, BNode, Graph, Literal, Namespace, URIRef

from catalogues import focus_nodes, graph_of, offer_of, results
from running import ENVIRONMENT, twingraph
from twingraph.catalogue.authorities import language_code, licence_type
from twingraph.catalogue.discovery import page_of
from twingraph.catalogue.profiles import DCAT_AP, DCAT_AP_SE, PROFILES, SCHEMA_ORG
from twingraph.catalogue.schema_org import embedded
from twingraph.rdf.canonical import write_canonical
from twingraph.rdf.nquads import NQuads
from twingraph.release.archive import Archive
from twingraph.release.build import build
from twingraph.release.coverage import coverage
from twingraph.release.dumps import Order
from twingraph.release.sitemap import write_sitemap
from twingraph.settings import Catalogue, Dumps, load_settings

SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
# A publisher that is none of the bodies of the EU gets this warning, whoever it is.
NO_EU_BODY = ("Warning", "publisher", "NodeConstraintComponent")


@pytest.fixture(scope="module")
def tiny_offer(release):
    return offer_of(release.directory)


@pytest.fixture(scope="module")
def real_offer(built_real):
    return offer_of(Archive(built_real / "releases").current().directory)


@pytest.mark.parametrize(("name", "least"), [("tiny_offer", 40), ("real_offer", 80)])
def test_the_official_shapes_find_nothing_that_a_publisher_could_mend(name, least, request):
    graph = graph_of(request.getfixturevalue(name))
    assert results(graph) == {NO_EU_BODY}
    assert focus_nodes(graph) > least


def test_a_publisher_that_is_a_body_of_the_eu_gets_no_warning(tiny_offer):
    body = "http://publications.europa.eu/resource/authority/corporate-body/PUBL"
    catalogue = tiny_offer.manifest.catalogue.model_copy(update={"publisher_iri": body})
    assert results(graph_of(offer_of(tiny_offer.manifest.model_copy(update={"catalogue": catalogue})))) == set()


def test_files_without_settings_have_a_catalogue_that_lacks_only_what_nobody_has_said(tmp_path):
    (tmp_path / "some.ttl").write_text("<https://kg.example/a> <https://kg.example/b> 1 .")
    ran = twingraph(tmp_path, "build", "some.ttl", "-o", str(tmp_path / "out"), env=ENVIRONMENT, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    graph = graph_of(offer_of(Archive(tmp_path / "out").current().directory))
    assert results(graph) == {
        NO_EU_BODY,
        *(("Warning", name, "MinCountConstraintComponent") for name in ("type", "license", "spatial", "temporal")),
    }


@pytest.mark.parametrize("name", ["tiny_offer", "real_offer"])
@pytest.mark.parametrize("profile", PROFILES[:2], ids=lambda one: one.token)
def test_a_catalogue_has_no_blank_nodes_and_only_absolute_iris(name, profile, request):
    graph = graph_of(request.getfixturevalue(name), profile)
    terms = {term for triple in graph for term in triple}
    assert not [term for term in terms if isinstance(term, BNode)]
    assert all(str(term).startswith(("http://", "https://", "mailto:")) for term in terms if isinstance(term, URIRef))


@pytest.mark.parametrize("profile", PROFILES[:2], ids=lambda one: one.token)
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_rdflib_reads_the_same_graph_from_each_syntax(real_offer, profile):
    expected = graph_of(real_offer, profile)
    names = {"turtle": "turtle", "rdfxml": "xml", "jsonld": "json-ld", "ntriples": "nt"}
    for format_ in profile.formats:
        graph = Graph().parse(data=profile.write(real_offer, format_), format=names[format_.name])
        assert set(graph) == set(expected), format_.name


def test_every_dump_and_the_endpoint_are_distributions(tiny_offer):
    graph, dumps = graph_of(tiny_offer), tiny_offer.manifest.dumps
    found = set(graph.objects(URIRef(tiny_offer.dataset), DCAT.distribution))
    assert len(found) == len(dumps) + 1
    urls = {str(url): one for one in found for url in graph.objects(one, DCAT.downloadURL)}
    assert set(urls) == {tiny_offer.dump_url(dump) for dump in dumps}
    for dump in dumps:
        one = urls[tiny_offer.dump_url(dump)]
        assert int(graph.value(one, DCAT.byteSize)) == dump.bytes
        checksum = graph.value(one, SPDX.checksum)
        assert str(graph.value(checksum, SPDX.checksumValue)) == dump.sha256


def test_coverage_comes_from_the_data(real_offer):
    graph, dataset = graph_of(real_offer), URIRef(real_offer.dataset)
    period = graph.value(dataset, DCTERMS.temporal)
    assert (str(graph.value(period, DCAT.startDate)), str(graph.value(period, DCAT.endDate)))  == (
        real_offer.manifest.coverage.earliest,
        real_offer.manifest.coverage.latest,
    )  # fmt: skip
    assert URIRef("https://sws.geonames.org/2712414") in set(graph.objects(dataset, DCTERMS.spatial))
    assert URIRef("https://twingraph.example/ontology") in set(graph.objects(dataset, DCTERMS.conformsTo))


def test_sweden_gets_its_forms_of_licences_formats_contacts_and_places(real_offer):
    graph = graph_of(real_offer, DCAT_AP_SE)
    licences = set(graph.objects(None, DCTERMS.license))
    assert licences == {URIRef("http://creativecommons.org/publicdomain/zero/1.0/")}
    assert Literal("text/turtle") in set(graph.objects(None, DCTERMS["format"]))
    assert all(isinstance(one, Literal) for one in graph.objects(None, DCTERMS["format"]))
    contact = graph.value(URIRef(real_offer.dataset), DCAT.contactPoint)
    assert set(graph.objects(contact, RDF.type)) == {VCARD.Organization}
    assert str(graph.value(contact, VCARD.hasEmail)).startswith("mailto:")
    assert URIRef("http://sws.geonames.org/2712414") in set(graph.objects(None, DCTERMS.spatial))
    assert {type(one) for one in graph.objects(None, DCTERMS.publisher)} == {URIRef}
    assert not list(graph.triples((None, RDF.type, VCARD.Kind)))


def test_schema_org_has_what_search_engines_for_datasets_require(real_offer):
    found = json.loads(SCHEMA_ORG.write(real_offer, SCHEMA_ORG.formats[0]))
    assert (found["@context"], found["@type"]) == ("https://schema.org/", "Dataset")
    assert 50 <= len(found["description"]) <= 5000
    assert found["temporalCoverage"] == f"{real_offer.manifest.coverage.earliest}/{real_offer.manifest.coverage.latest}"
    assert {one["contentUrl"] for one in found["distribution"]} >= {
        real_offer.url(f"release/{real_offer.manifest.id}/all.ttl")
    }
    assert found["creator"]["@type"] == "Organization"


def test_nothing_in_a_title_ends_the_element_that_has_the_description(tiny_offer):
    hostile = {"en": "</script><script>alert(1)</script><!-- & \u2028"}
    text = embedded(offer_of(tiny_offer.manifest.model_copy(update={"title": hostile, "description": hostile})))
    assert not set("<>&") & set(text)
    assert json.loads(text)["name"] == hostile["en"]


def test_links_lead_to_the_server_and_iris_stay(tiny_offer):
    offer = offer_of(tiny_offer.manifest, "https://mirror.example/lights")
    graph = graph_of(offer)
    assert (URIRef(tiny_offer.dataset), RDF.type, DCAT.Dataset) in graph
    for url in (*graph.objects(None, DCAT.downloadURL), *graph.objects(None, DCAT.endpointURL)):
        assert str(url).startswith("https://mirror.example/lights/")


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://x.example/", "https://x.example/"),
        ("https://x.example/kg/", "https://x.example/kg/"),
        ("https://x.example/onto#", "https://x.example/"),
        ("https://x.example/kg/onto#", "https://x.example/kg/"),
    ],
)
def test_the_server_is_where_the_base_iri_is(tiny_offer, base, root):
    assert offer_of(tiny_offer.manifest.model_copy(update={"base_iri": base})).root == root


def test_a_title_in_chinese_script_keeps_its_tag(real_offer):
    turtle = DCAT_AP.write(real_offer, DCAT_AP.formats[0]).decode()
    assert "@zh-Hans" in turtle
    assert "@zh-hans" not in turtle


@pytest.mark.parametrize(
    ("tag", "code"), [("en", "ENG"), ("zh-Hans", "ZHO"), ("se", "SME"), ("gsw", "GSW"), ("pt-BR", "POR"), ("x-a", None)]
)
def test_language_tags_have_codes_of_the_authority(tag, code):
    assert language_code(tag) == code


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("https://creativecommons.org/publicdomain/zero/1.0/", "PublicDomain"),
        ("http://creativecommons.org/licenses/by/4.0/", "Attribution"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "ViralEffect-ShareAlike"),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/", "NoDerivativeWork"),
        ("https://example.org/licence", None),
    ],
)
def test_licences_of_creative_commons_have_a_type(licence, kind):
    assert licence_type(licence) == kind


def covered(tmp_path, text, iris, **options):
    (tmp_path / "some.nq").write_text(text)
    write_canonical(NQuads.in_file(tmp_path / "some.nq"), tmp_path / "canonical.nq")
    return coverage(NQuads.in_file(tmp_path / "canonical.nq"), Catalogue(**options), iris)


def dates(*pairs):
    xsd = "http://www.w3.org/2001/XMLSchema#"
    return "".join(
        f'<http://x/{number}> <http://x/p> "{text}"^^<{kind if "//" in kind else xsd + kind}> .\n'
        for number, (text, kind) in enumerate(pairs)
    )


EDTF = "http://id.loc.gov/datatypes/edtf/EDTF"


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("1999-02-03", "date"), ("2001", "gYear")], ("1999-02-03", "2001-12-31")),
        ([("2000-02", "gYearMonth")], ("2000-02-01", "2000-02-29")),
        ([("1999-02-03T10:00:00Z", "dateTime"), ("1998/2003-05", EDTF)], ("1998-01-01", "2003-05-31")),
        ([("-0300", "gYear"), ("12000", "gYear")], ("-0300-01-01", "12000-12-31")),
        ([("2010-13-45", "date"), ("soon", "gYear"), ("no", EDTF)], (None, None)),
        ([("0001-01-01", "date"), ("9999-12-31", "date"), ("2000", "gYear")], ("2000-01-01", "2000-12-31")),
        ([("2000", "integer")], (None, None)),
    ],
)
def test_times_are_those_of_literals_with_a_datatype_of_dates(tmp_path, tiny, pairs, expected):
    found = covered(tmp_path, dates(*pairs), tiny.settings.iris)
    assert (found.earliest, found.latest) == expected


def test_dates_of_records_count_only_when_the_settings_name_them(tmp_path, tiny):
    text = dates(("1999-02-03", "date")).replace("http://x/p", str(DCTERMS.modified))
    assert covered(tmp_path, text, tiny.settings.iris).earliest is None
    found = covered(tmp_path, text, tiny.settings.iris, temporal_properties=("dcterms:modified",))
    assert found.earliest == "1999-02-03"


GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"


def test_places_are_things_with_coordinates(tmp_path, tiny):
    same = "http://www.w3.org/2004/02/skos/core#exactMatch"
    text = f"""<http://x/a> <{GEO}lat> "10.5" .
<http://x/a> <{GEO}long> "-20" .
<http://x/a> <{same}> <https://sws.geonames.org/1> .
<http://x/a> <{same}> <https://elsewhere.example/1> .
<http://x/b> <http://www.opengis.net/ont/geosparql#asWKT> "POINT(30 40.25)" .
<http://x/c> <{GEO}lat> "910" .
<http://x/c> <{GEO}long> "nan" .
<http://x/d> <http://x/at> <http://x/a> .
"""
    found = covered(tmp_path, text, tiny.settings.iris)
    assert found.box.model_dump() == {"west": -20, "south": 10.5, "east": 30, "north": 40.25}
    assert [one.iri for one in found.places] == ["https://sws.geonames.org/1"]
    only = covered(tmp_path, text, tiny.settings.iris, spatial_properties=("http://x/at",))
    assert only.box.model_dump() == {"west": -20, "south": 10.5, "east": -20, "north": 10.5}


@pytest.mark.parametrize(
    ("base", "iri", "page"),
    [
        ("https://x.example/", "https://x.example/id/a/b", "https://x.example/doc/a/b"),
        ("https://x.example/kg/", "https://x.example/kg/id/å", "https://x.example/kg/doc/%C3%A5"),
        ("https://x.example/kg/", "https://x.example/kg/ontology#", "https://x.example/kg/ontology"),
        ("https://x.example/onto#", "https://x.example/onto#", "https://x.example/onto"),
        ("https://x.example/", "https://x.example/a%20b/%2F?q=1&r", "https://x.example/doc/a%20b/%2F?q=1&r"),
    ],
)
def test_the_page_of_an_iri(tiny_offer, base, iri, page):
    assert page_of(iri, offer_of(tiny_offer.manifest.model_copy(update={"base_iri": base}))) == page


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://x.example/", ["https://x.example/a#\t2020-01-02", "https://x.example/b", "https://x.example/onto#"]),
        ("https://x.example/onto#", ["https://x.example/onto#"]),
    ],
)
def test_a_sitemap_lists_the_documents_of_own_things(tmp_path, base, expected):
    text = """<https://other.example/> <https://x.example/p> "" .
<https://x.example/.well-known/genid/1> <https://x.example/p> "" .
<https://x.example/a> <http://purl.org/dc/terms/modified> "2019-01-01"^^<http://www.w3.org/2001/XMLSchema#date> .
<https://x.example/a#x> <http://purl.org/dc/terms/modified> "2020-01-02T00:00:00Z" .
<https://x.example/b> <https://x.example/p> "" .
<https://x.example/onto> <https://x.example/p> "" .
<https://x.example/onto#t> <https://x.example/p> "" .
"""
    (tmp_path / "lines.nq").write_text("".join(sorted(text.splitlines(keepends=True))))
    (tmp_path / "release").mkdir()
    order = Order(
        lines=tmp_path / "lines.nq", directory=tmp_path / "release/dumps", work=tmp_path, base=base, graphs={},
        prefixes={}, tags=(), dumps=Dumps(),
    )  # fmt: skip
    (name,) = write_sitemap(order)
    assert gzip.decompress((tmp_path / "release" / name).read_bytes()).decode().splitlines() == expected


def test_a_misspelt_property_of_the_coverage_is_an_error_with_its_place(tiny):
    tiny.edit("twingraph.toml", "[catalogue]\n", '[catalogue]\ntemporal_properties = ["lx:earliest"]\n')
    with pytest.raises(Exception, match=r"catalogue\.temporal_properties.*no declared prefix"):
        load_settings(tiny.directory)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('themes = ["Transport, etc"]', "must be a code such as GOVE"),
        ('contact_email = "office"', "is not an e-mail address"),
        ('conforms_to = ["ontology"]', "must be an absolute IRI"),
        ('version_notes = { english = "x" , "e n" = "y" }', "is not a language tag"),
    ],
)
def test_a_setting_of_the_catalogue_that_cannot_be_right_is_refused(tiny, line, reason):
    tiny.edit("twingraph.toml", '[catalogue]\nthemes = ["TRAN"]\npublisher_type = "NonProfitOrganisation"\n'
              'contact_email = "office@lights.example"\n', f"[catalogue]\n{line}\n")  # fmt: skip
    with pytest.raises(Exception, match=reason):
        load_settings(tiny.directory)


def test_the_publisher_and_the_contact_have_the_names_of_the_settings(tiny):
    graph = graph_of(offer_of(build(tiny.settings).release.manifest))
    names = {str(one) for name in (FOAF.name, VCARD.fn) for one in graph.objects(None, name)}
    assert names == {"The Skarn Sound Lights Society", "The society's contact page"}
