"""The catalogue as harvesters read it: CKAN, on which most portals run, and a reader of descriptions in pages."""

import pytest

from harvesters import ckan_datasets, embedded_json_ld
from running import client

FORMATS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld", "nt": "nt"}
BASE = "https://lights.example/"


@pytest.mark.parametrize(("extension", "profile"), [*((one, "dcat-ap") for one in FORMATS), ("rdf", "dcat-ap-se")])
def test_ckan_reads_the_dataset_with_all_its_resources(address, release, extension, profile):
    with client(address) as http:
        text = http.get(f"/catalog.{extension}?profile={profile}").text
    (dataset,) = ckan_datasets(text, FORMATS[extension])
    extras = {one["key"]: one["value"] for one in dataset["extras"]}
    assert dataset["title"] == "The lights of Skarn Sound"
    assert extras["publisher_name"] == "The Skarn Sound Lights Society"
    assert extras["uri"] == f"{BASE}.well-known/void#dataset"
    assert extras["contact_email"] == "office@lights.example"
    assert {one["name"] for one in dataset["tags"]} == {"lighthouses", "navigation", "fyrar"}
    resources = {one["url"]: one for one in dataset["resources"]}
    dumps = release.manifest.dumps
    assert len(resources) == len(dumps) + 1
    assert f"{BASE}sparql" in resources
    for dump in dumps:
        name = "all.nq.gz" if dump.name == "quads.nq.gz" else dump.name
        resource = resources[f"{BASE}release/{release.id}/{name}"]
        assert (int(resource["size"]), resource["hash"]) == (dump.bytes, dump.sha256)
        assert resource["mimetype"].endswith(dump.syntax.media_type)
        assert "creativecommons.org/publicdomain/zero/1.0/" in resource["license"]


def test_extruct_finds_the_dataset_in_the_home_page(address, release):
    with client(address) as http:
        page = http.get("/", headers={"Accept": "text/html"}).text
    (found,) = embedded_json_ld(page)
    assert (found["@type"], found["name"]) == ("Dataset", "The lights of Skarn Sound")
    assert found["version"] == release.id
    assert {one["encodingFormat"] for one in found["distribution"]} >= {"text/turtle", "application/ld+json"}
