"""The tests of the Service Description: it is there, names the endpoint, and uses its vocabulary as it is meant."""

import pyoxigraph as ox
import pytest
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from conformance.manifests import MISSING, SUITES, entries, local_name, read_manifest
from conformance.publications import throw_away
from twingraph.rdf.formats import GRAPHS, RESULTS

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
FORMATS = Namespace("http://www.w3.org/ns/formats/")
FOLDER = "sparql11/service-description"
SUITE = "SPARQL 1.1 service description"
ACCEPTED = ("text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json")
# The domains and ranges of the vocabulary's properties; None for what is not a class of its own there.
PROPERTIES = {
    SD.endpoint: (SD.Service, None),
    SD.feature: (SD.Service, SD.Feature),
    SD.defaultEntailmentRegime: (SD.Service, SD.EntailmentRegime),
    SD.entailmentRegime: (SD.NamedGraph, SD.EntailmentRegime),
    SD.defaultSupportedEntailmentProfile: (SD.Service, SD.EntailmentProfile),
    SD.supportedEntailmentProfile: (SD.NamedGraph, SD.EntailmentProfile),
    SD.extensionFunction: (SD.Service, SD.Function),
    SD.extensionAggregate: (SD.Service, SD.Aggregate),
    SD.languageExtension: (SD.Service, SD.Feature),
    SD.supportedLanguage: (SD.Service, SD.Language),
    SD.propertyFeature: (SD.Service, SD.Feature),
    SD.defaultDataset: (SD.Service, SD.Dataset),
    SD.availableGraphs: (SD.Service, SD.GraphCollection),
    SD.resultFormat: (SD.Service, None),
    SD.inputFormat: (SD.Service, None),
    SD.defaultGraph: (SD.Dataset, SD.Graph),
    SD.namedGraph: (None, SD.NamedGraph),
    SD.name: (SD.NamedGraph, None),
    SD.graph: (SD.NamedGraph, SD.Graph),
}
# What the vocabulary itself says the class of; a description need not repeat it.
INSTANCES = {
    SD.Language: {SD.SPARQL10Query, SD.SPARQL11Query, SD.SPARQL11Update},
    SD.Feature: {
        SD.DereferencesURIs, SD.UnionDefaultGraph, SD.RequiresDataset, SD.EmptyGraphs, SD.BasicFederatedQuery,
    },
}  # fmt: skip
# A named graph is no graph but a pair of name and graph; a dataset is also a collection of graphs.
NARROWER = {SD.Graph: (), SD.GraphCollection: (SD.Dataset,)}
GRAPH_NAME = "http://www.example/graph/1"


@pytest.fixture(scope="module")
def http(endpoint, tmp_path_factory):
    node = ox.NamedNode("http://www.example/thing")
    quads = [ox.Quad(node, node, node, graph) for graph in (ox.DefaultGraph(), ox.NamedNode(GRAPH_NAME))]
    endpoint.serve(throw_away(tmp_path_factory.mktemp("described") / "publication", "http://www.example/", quads))
    return endpoint.http


def description(http, media_type: str = "text/turtle") -> Graph:
    response = http.get("/sparql", headers={"Accept": media_type})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].partition(";")[0] == media_type
    graph = Graph().parse(data=response.content, format=media_type, publicID=str(response.url))
    assert len(graph) > 0
    return graph


# rdflib's own reader of JSON-LD uses what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("media_type", ACCEPTED)
def test_returns_rdf(media_type, http, outcome):
    outcome(SUITE, f"{FOLDER}/returns-rdf", "conversation")
    assert (None, RDF.type, SD.Service) in description(http, media_type)


def test_has_endpoint_triple(http, outcome):
    outcome(SUITE, f"{FOLDER}/has-endpoint-triple", "conversation")
    endpoints = set(description(http).objects(None, SD.endpoint))
    assert endpoints == {URIRef(str(http.base_url.join("/sparql")))}


def test_conforms_to_schema(http, outcome):
    outcome(SUITE, f"{FOLDER}/conforms-to-schema", "conversation")
    graph = description(http)
    assert len(set(graph.subjects(RDF.type, SD.Service))) == 1
    used = {predicate for predicate in graph.predicates() if predicate in SD}
    assert used <= set(PROPERTIES), "properties that the vocabulary does not have"
    for subject, predicate, value in graph:
        domain, range_ = PROPERTIES.get(predicate, (None, None))
        assert domain is None or is_a(graph, subject, domain), (subject, predicate)
        assert range_ is None or is_a(graph, value, range_), (predicate, value)
        assert predicate not in PROPERTIES or not isinstance(value, Literal), (predicate, value)


def is_a(graph: Graph, node, class_: URIRef) -> bool:
    classes = (class_, *NARROWER.get(class_, ()))
    return node in INSTANCES.get(class_, ()) or any((node, RDF.type, one) in graph for one in classes)


def test_says_what_the_endpoint_can_do(http, outcome):
    outcome.expect("what-the-endpoint-can-do", "conversation")
    graph = description(http)
    service = next(graph.subjects(RDF.type, SD.Service))
    assert SD.SPARQL11Query in set(graph.objects(service, SD.supportedLanguage))
    assert SD.SPARQL11Update not in set(graph.objects(service, SD.supportedLanguage))
    # This publication's default graph is its own, not the union.
    assert SD.UnionDefaultGraph not in set(graph.objects(service, SD.feature))
    assert SD.BasicFederatedQuery not in set(graph.objects(service, SD.feature))
    assert len(set(graph.objects(service, SD.resultFormat))) >= len(RESULTS) + len(GRAPHS)
    assert all(str(name).startswith(str(FORMATS)) for name in graph.objects(service, SD.resultFormat))
    assert set(graph.objects(None, SD.name)) == {URIRef(GRAPH_NAME)}


@pytest.mark.skipif(not SUITES.is_dir(), reason=MISSING)
def test_every_test_of_the_manifest_is_here():
    names = {local_name(entry) for entry in entries(read_manifest(FOLDER))}
    assert names == {"returns-rdf", "has-endpoint-triple", "conforms-to-schema"}
