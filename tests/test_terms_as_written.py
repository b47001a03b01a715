"""Whoever downloads gets the terms as they were written, from a real server, in each syntax, read by two libraries."""

import gzip
import hashlib
import json
from textwrap import dedent

import httpx
import pyoxigraph as ox
import pytest

from conftest import EditablePublication
from reading_back import SYNTAXES, canonical, read, read_by_rdflib
from running import ENVIRONMENT, client, serving, twingraph
from twingraph.release.archive import Archive
from twingraph.store.exact import read_graphs

BASE = "https://kg.test/"
SETTINGS = """\
base_iri = "https://kg.test/"
[title]
en = "Terms"
[description]
en = "Terms that the engine's store would spell in another way."
[prefixes]
owl = "http://www.w3.org/2002/07/owl#"
xsd = "http://www.w3.org/2001/XMLSchema#"
"""
NUMBERS = ('"01"^^xsd:integer', '"1"^^xsd:integer', '"+1"^^xsd:integer', '"1"^^xsd:nonNegativeInteger',
    '"00012"^^xsd:positiveInteger', '"5"^^xsd:int', '"1.50"^^xsd:decimal', '"1."^^xsd:decimal', '".5"^^xsd:decimal',
    '"1e0"^^xsd:double', '"1.0E0"^^xsd:double', '"-0.0E0"^^xsd:double', '"1.0e-7"^^xsd:float', '"INF"^^xsd:double',
    '"1"^^xsd:boolean', '"true"^^xsd:boolean', '"abc"^^xsd:integer', '""^^xsd:decimal')  # fmt: skip
DATES = ('"2024-01-01T00:00:00+00:00"^^xsd:dateTime', '"2024-01-01T00:00:00Z"^^xsd:dateTime',
    '"2024-01-01T00:00:00.000Z"^^xsd:dateTime', '"2024-01-01T24:00:00"^^xsd:dateTime', '"2024-13-01"^^xsd:date',
    '"2024-01-01+00:00"^^xsd:date', '"P0Y13M"^^xsd:duration', '"PT3600S"^^xsd:dayTimeDuration')  # fmt: skip
TEXTS = ('"汉字"@zh-Hans', '"漢字"@zh-Hant-TW', '"colour"@en-GB', '"x"^^xsd:string',
    '"<b a=\\"&amp;\\">x</b>"^^rdf:XMLLiteral',
    '"<p>x<br></p>"^^rdf:HTML', '"{ \\"a\\" : 1.0 }"^^rdf:JSON', '"a\\r\\nb\\tc \\\\ \\" \\u2028"', '" white  space "',
    '"e\\u0301"', '"\\u00e9"', '"1-2-3"^^:own')  # fmt: skip
DATA = f"""\
@prefix : <https://kg.test/> . @prefix graph: <https://kg.test/graph/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
graph:numbers {{ :n :p {", ".join(NUMBERS)} }}
graph:dates {{ :d :p {", ".join(DATES)} }}
graph:texts {{ :t :p {", ".join(TEXTS)} }}
graph:nodes {{
  :c owl:equivalentClass [ a owl:Restriction ; owl:onProperty :p ; owl:cardinality "1"^^xsd:nonNegativeInteger ] .
  :l :p ( 1 2.50 [] ) . _:x :p _:y . _:y :p _:x .
}}
graph:more {{ _:x :p "the x of the other graph" }}
"""
NAMES = ("dates", "more", "nodes", "numbers", "texts")


def publish(directory, data=DATA, settings=SETTINGS):
    publication = EditablePublication(directory)
    publication.write("twingraph.toml", settings)
    publication.write("data/terms.trig", data)
    ran = twingraph(directory, "build")
    assert ran.returncode == 0, ran.stderr
    return publication


def current(publication):
    return Archive(publication.directory / "releases").current()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("terms") / "terms")


@pytest.fixture(scope="module")
def http(published):
    with serving(published.directory) as address, client(address) as http:
        yield http


def graph_of(http, name, format_, **headers):
    parameters = {"graph": f"{BASE}graph/{name}"} if name else {"default": ""}
    response = http.get("/graph-store", params={**parameters, "format": format_}, headers=headers)
    assert response.status_code == 200, response.text
    assert "answer-cut" not in response.headers
    return response


def written(name, data=DATA):
    """Return the triples that the data have in a graph, in that of all for an empty name."""
    quads = list(ox.parse(data, format=ox.RdfFormat.TRIG))
    return {quad.triple for quad in quads if not name or quad.graph_name == ox.NamedNode(f"{BASE}graph/{name}")}


@pytest.mark.parametrize("format_", SYNTAXES)
@pytest.mark.parametrize("name", [*NAMES, ""])
def test_a_graph_has_the_terms_as_written_in_each_syntax(http, name, format_):
    found = read(graph_of(http, name, format_).content, format_)
    assert len(found) == len(set(found))
    assert canonical(found) == canonical(written(name))


@pytest.mark.usefixtures("as_written")
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("format_", SYNTAXES)
@pytest.mark.parametrize("name", [*NAMES, ""])
def test_rdflib_reads_the_terms_as_written_in_each_syntax(http, name, format_):
    found = read_by_rdflib(graph_of(http, name, format_).content, format_)
    assert canonical(found) == canonical(written(name))


@pytest.mark.parametrize("format_", SYNTAXES)
def test_language_tags_have_their_case(http, format_):
    content = graph_of(http, "texts", format_).text
    assert [tag for tag in ("zh-Hans", "zh-Hant-TW", "en-GB") if tag not in content] == []


def packed(http, name, **headers):
    """Return a response with the body as it came."""
    headers = {"Accept": "application/n-triples", "Accept-Encoding": "gzip", **headers}
    parameters = {"graph": f"{BASE}graph/{name}"} if name else {"default": ""}
    with http.stream("GET", "/graph-store", params=parameters, headers=headers) as response:
        return response, b"".join(response.iter_raw())


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_ntriples_with_gzip_are_the_bytes_of_the_release(http, published, name):
    directory = current(published).directory
    entry = read_graphs(directory)[f"{BASE}graph/{name}" if name else ""]
    response, body = packed(http, name)
    assert body == (directory / "graphs.nt.gz").read_bytes()[entry.extent.start : entry.extent.end]
    assert (response.headers["content-encoding"], response.headers["content-length"]) == ("gzip", str(len(body)))
    assert response.headers["content-type"] == "application/n-triples"
    assert {"Accept", "Accept-Encoding"} == set(response.headers["vary"].split(", "))
    plain = graph_of(http, name, "ntriples", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(body) == plain.content == graph_of(http, name, "nquads").content


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_graph_that_the_client_has_is_not_sent_again(http, encoding):
    response, _ = packed(http, "numbers", **{"Accept-Encoding": encoding})
    again, body = packed(http, "numbers", **{"Accept-Encoding": "gzip", "If-None-Match": response.headers["etag"]})
    assert (again.status_code, body, again.headers["etag"]) == (304, b"", response.headers["etag"])
    other, _ = packed(http, "dates", **{"If-None-Match": response.headers["etag"]})
    assert other.status_code == 200


def test_the_head_of_a_graph_is_that_of_its_response_without_the_body(http):
    response, body = packed(http, "numbers")
    headers = {"Accept": "application/n-triples", "Accept-Encoding": "gzip"}
    head = http.head("/graph/numbers", headers=headers)
    wanted = ("content-length", "content-encoding", "content-type", "etag")
    assert [head.headers[name] for name in wanted] == [response.headers[name] for name in wanted]
    assert (head.status_code, head.content, len(body) > 0) == (200, b"", True)


def test_answers_to_queries_have_the_engines_own_spelling(http):
    query = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{BASE}graph/numbers> {{ ?s ?p ?o }} }}"
    answer = http.get("/sparql", params={"query": query, "format": "ntriples"}).text
    assert '"1"^^<http://www.w3.org/2001/XMLSchema#double>' in answer
    assert '"1e0"' not in answer


# Blank nodes


QUERY = f"SELECT ?c ?r {{ GRAPH <{BASE}graph/nodes> {{ ?c <http://www.w3.org/2002/07/owl#equivalentClass> ?r }} }}"
DEFAULT_QUERY = "SELECT ?r { ?c <http://www.w3.org/2002/07/owl#equivalentClass> ?r }"


def labels(http, query, times):
    """Return the labels of ?r in answers that are not from the cache."""
    found = set()
    for number in range(times):
        answer = http.get("/sparql", params={"query": f"{query} # {number}", "format": "json"}).json()
        found |= {row["r"]["value"] for row in answer["results"]["bindings"]}
    return found


@pytest.mark.parametrize("memory_quads", [0, 100, 2_000_000], ids=["on disk", "in part", "in memory"])
def test_blank_nodes_have_the_same_labels_in_answers_graphs_and_files(published, tmp_path, memory_quads):
    publication = publish(tmp_path / "terms", settings=f"{SETTINGS}[limits]\nmemory_quads = {memory_quads}\n")
    lines = gzip.decompress((current(publication).directory / "quads.nq.gz").read_bytes()).decode().splitlines()
    (label,) = {line.split()[2].removeprefix("_:") for line in lines if "owl#equivalentClass" in line}
    with serving(publication.directory) as address, client(address) as http:
        assert labels(http, QUERY, 6) == {label}
        assert labels(http, DEFAULT_QUERY, 6) == {label}
        for name in ("nodes", ""):
            for format_ in SYNTAXES:
                assert label in graph_of(http, name, format_).text
    assert label.startswith("c14n")


def test_a_node_of_two_graphs_is_the_same_in_both(http):
    def node(name):
        return {str(one.subject) for one in read(graph_of(http, name, "turtle").content, "turtle")}

    assert len(node("more") & node("nodes")) == 1


def test_derived_blank_nodes_have_the_labels_of_the_release_too(tmp_path):
    publication = EditablePublication(tmp_path / "terms")
    publication.write("ontology/rules/one.rq", f"CONSTRUCT {{ ?s <{BASE}q> [] }} WHERE {{ ?s <{BASE}p> 1 }}")
    publish(publication.directory, data=f"<{BASE}graph/g> {{ <{BASE}s> <{BASE}p> 1 }}")
    with serving(publication.directory) as address, client(address) as http:
        assert labels(http, f"SELECT ?r {{ ?s <{BASE}q> ?r }}", 6) == {"c14n0"}
        assert "_:c14n0" in graph_of(http, "", "ntriples").text


def test_a_graph_named_by_a_blank_node_has_the_terms_as_written_where_it_is_given_a_name(tmp_path):
    data = '_:g { <urn:s> <urn:p> "01"^^<http://www.w3.org/2001/XMLSchema#integer>, _:o }'
    publication = publish(tmp_path / "terms", data, f'{SETTINGS}[policy]\nblank_nodes = "skolemise"\n')
    (name,) = current(publication).manifest.graphs
    with serving(publication.directory) as address, client(address) as http:
        response = http.get("/graph-store", params={"graph": name, "format": "turtle"})
    literal, node = sorted((one.object for one in read(response.content, "turtle")), key=str)
    assert str(literal) == '"01"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert node.value.startswith(f"{BASE}.well-known/genid/")


# What a signature is made over


NANOPUBLICATION = """\
@prefix : <https://kg.test/graph/> . @prefix np: <http://www.nanopub.org/nschema#> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:head { :np a np:Nanopublication ; np:hasAssertion :assertion ; np:hasProvenance :provenance ;
  np:hasPublicationInfo :info }
:assertion { :x :weight "070.50"^^xsd:decimal ; :count "3"^^xsd:int ; :ratio "5.0e-1"^^xsd:double ; :name "汉"@zh-Hans }
:provenance { :assertion prov:generatedAtTime "2021-03-04T05:06:07.890+00:00"^^xsd:dateTime ; prov:wasDerivedFrom [] }
:info { :np prov:generatedAtTime "2021-03-04T05:06:07.000Z"^^xsd:dateTime ; :hasSignature "x==" }
"""


def digest(quads):
    """Return the SHA-256 of the canonical form (RDFC-1.0) of a dataset."""
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = sorted(ox.serialize([quad], format=ox.RdfFormat.N_QUADS) for quad in dataset)
    return hashlib.sha256(b"".join(lines)).hexdigest()


@pytest.mark.parametrize("format_", SYNTAXES)
def test_a_signed_dataset_has_the_same_digest_when_its_graphs_are_read_back(tmp_path, format_):
    publication = publish(tmp_path / "terms", NANOPUBLICATION)
    found = []
    with serving(publication.directory) as address, client(address) as http:
        for name in ("head", "assertion", "provenance", "info"):
            graph = ox.NamedNode(f"{BASE}graph/{name}")
            triples = read(http.get(f"/graph/{name}", params={"format": format_}).content, format_)
            found += [ox.Quad(one.subject, one.predicate, one.object, graph) for one in triples]
    assert digest(found) == digest(ox.parse(NANOPUBLICATION, format=ox.RdfFormat.TRIG))
    release = gzip.decompress((current(publication).directory / "quads.nq.gz").read_bytes())
    assert digest(ox.parse(release, format=ox.RdfFormat.N_QUADS)) == digest(found)


# The default graph


def test_the_union_of_all_graphs_has_each_triple_once(tmp_path):
    data = '<urn:g> { <urn:a> <urn:p> "01", "1.0" } <urn:h> { <urn:a> <urn:p> "1.0" }'
    publication = publish(tmp_path / "terms", data)
    with serving(publication.directory) as address, client(address) as http:
        for format_ in SYNTAXES:
            found = read(graph_of(http, "", format_).content, format_)
            assert sorted(triple.object.value for triple in found) == ["01", "1.0"]


def test_a_default_graph_without_triples_is_empty_and_not_missing(tmp_path):
    data = "<urn:g> { <urn:a> <urn:p> 1 }"
    publication = publish(tmp_path / "terms", data, f'default_graph = "default"\n{SETTINGS}')
    with serving(publication.directory) as address, client(address) as http:
        assert [read(graph_of(http, "", format_).content, format_) for format_ in SYNTAXES] == [[]] * len(SYNTAXES)
        response, body = packed(http, "")
        assert (response.status_code, gzip.decompress(body)) == (200, b"")


# Limits, failures, other releases


MANY = "".join(f'<{BASE}s{number}> <{BASE}p> "{number:07}" .\n' for number in range(60_000))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    limits = "[limits]\nrows = 10\nanswer_bytes = 1_000_000\nbuffer_bytes = 1000\n"
    return publish(tmp_path_factory.mktemp("many") / "terms", f"<{BASE}graph/many> {{ {MANY} }}", SETTINGS + limits)


def test_a_graph_is_whole_or_refused_but_never_cut(many):
    """It has more rows than a query may have, and in every syntax without gzip more bytes."""
    with serving(many.directory) as address, client(address) as http:
        for format_ in ("ntriples", "nquads"):
            response = http.get("/graph/many", params={"format": format_}, headers={"Accept-Encoding": "identity"})
            assert response.status_code == 413
        for format_ in ("turtle", "jsonld", "rdfxml", "trig"):
            with pytest.raises(httpx.RemoteProtocolError):
                http.get("/graph/many", params={"format": format_})
        response, body = packed(http, "many")
        assert (response.status_code, gzip.decompress(body).count(b"\n")) == (200, 60_000)


def test_a_graph_whose_writing_takes_too_long_is_a_failure_with_its_limit(many, monkeypatch):
    limits = {"ANSWER_BYTES": "100_000_000", "BUFFER_BYTES": "100_000_000", "QUERY_SECONDS": "0.01"}
    for name, value in limits.items():
        monkeypatch.setitem(ENVIRONMENT, f"TWINGRAPH_LIMITS__{name}", value)
    with serving(many.directory) as address, client(address) as http:
        response = http.get("/graph/many", params={"format": "rdfxml"})
        assert (response.status_code, "0.01" in response.json()["detail"]) == (503, True)


def test_a_damaged_file_of_graphs_is_never_a_graph_that_looks_whole(tmp_path):
    publication = publish(tmp_path / "terms")
    path = current(publication).directory / "graphs.nt.gz"
    with serving(publication.directory) as address, client(address) as http:
        content = bytearray(path.read_bytes())
        for entry in read_graphs(path.parent).values():
            content[entry.extent.end - 8] ^= 1  # in the check sum
        path.write_bytes(content)
        for format_ in SYNTAXES:
            response = http.get("/graph/numbers", params={"format": format_}, headers={"Accept-Encoding": "identity"})
            assert (response.status_code, "damaged" in response.json()["detail"]) == (503, True)
        _, body = packed(http, "numbers")
        with pytest.raises(gzip.BadGzipFile):
            gzip.decompress(body)
        path.unlink()
        response, _ = packed(http, "numbers")
        assert response.status_code == 503
        assert http.get("/sparql", params={"query": "ASK {}"}).status_code == 200
    ran = twingraph(publication.directory, "verify")
    assert (ran.returncode, "graphs.nt.gz: is missing" in ran.stdout) == (1, True)


def test_what_is_cut_off_is_seen_by_the_client(tmp_path):
    publication = publish(tmp_path / "terms")
    path = current(publication).directory / "graphs.nt.gz"
    with serving(publication.directory) as address, client(address) as http:
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(httpx.RemoteProtocolError):
            packed(http, "texts")


@pytest.mark.parametrize("form", [1, 2])
def test_releases_of_earlier_forms_are_served_as_before(tmp_path, form):
    publication = publish(tmp_path / "terms")
    directory = current(publication).directory
    manifest = json.loads((directory / "manifest.json").read_bytes())
    for name in ("graphs.nt.gz", "graphs.nt.index", "quads.nq.index"):
        (directory / name).unlink()
        del manifest["files"][name]
    (directory / "manifest.json").write_text(json.dumps({**manifest, "form": form}))
    with serving(publication.directory) as address, client(address) as http:
        for name in ("numbers", ""):
            content = graph_of(http, name, "ntriples").text
            assert '"1"^^<http://www.w3.org/2001/XMLSchema#double>' in content
    assert twingraph(publication.directory, "verify").returncode == 0 or form == 1


@pytest.mark.parametrize("name", ["graphs.nt.index", "quads.nq.index"])
def test_a_release_without_an_index_is_not_served(tmp_path, name):
    publication = publish(tmp_path / "terms")
    (current(publication).directory / name).unlink()
    ran = twingraph(publication.directory, "serve", "--port", "0")
    assert (ran.returncode, name in ran.stderr, "Traceback" in ran.stderr) == (3, True, False)


def test_verify_compares_the_graphs_with_the_counts(tmp_path):
    publication = publish(tmp_path / "terms")
    path = current(publication).directory / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["graphs"][f"{BASE}graph/dates"] += 1
    path.write_text(json.dumps(manifest))
    ran = twingraph(publication.directory, "verify")
    said = f"graphs.nt.gz: has {len(DATES)} triples in <{BASE}graph/dates>, but the manifest says {len(DATES) + 1}"
    assert (ran.returncode, said in ran.stdout) == (1, True)


# Commands


def test_a_report_in_turtle_has_the_terms_as_written(tmp_path):
    publication = publish(tmp_path / "terms")
    publication.write("shapes/shapes.ttl", dedent(f"""\
        @prefix sh: <http://www.w3.org/ns/shacl#> .
        <{BASE}S> a sh:NodeShape ; sh:targetSubjectsOf <{BASE}p> ;
          sh:property [ sh:path <{BASE}p> ; sh:hasValue <{BASE}x> ; sh:nodeKind sh:IRI ; sh:severity sh:Warning ] .
    """))  # fmt: skip
    ran = twingraph(publication.directory, "check", "-f", "turtle")
    value = ox.NamedNode("http://www.w3.org/ns/shacl#value")
    found = {str(quad.object) for quad in ox.parse(ran.stdout, format=ox.RdfFormat.TURTLE) if quad.predicate == value}
    expected = {str(triple.object) for name in ("numbers", "dates", "texts") for triple in written(name)}
    assert expected <= found
    assert "@zh-Hans" in ran.stdout
