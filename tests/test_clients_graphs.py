"""SPARQLWrapper in each of its formats and by each of its methods: what it reads is what the release holds."""

import warnings
from urllib.error import HTTPError

import pytest
import SPARQLWrapper as wrappers
from rdflib import RDFS, Graph, Literal, URIRef
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, POSTDIRECTLY, RDF, RDFXML, TSV, TURTLE, URLENCODED, XML
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException

BASE = "https://lights.example/"
PREFIXES = f"PREFIX rdfs: <{RDFS}> PREFIX l: <{BASE}ontology#>\n"
SELECT = PREFIXES + "SELECT ?name WHERE { ?island a l:Island ; rdfs:label ?name } ORDER BY ?name"
CONSTRUCT = PREFIXES + "CONSTRUCT { ?s rdfs:label ?o } WHERE { ?s a l:Island ; rdfs:label ?o }"
DESCRIBE = PREFIXES + f"DESCRIBE <{BASE}id/island/holm>"
ASK = PREFIXES + "ASK { ?island a l:Island }"
NAMES = ["Angso", "Holm", "Ängsö"]
WAYS = [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)]
# Format -> the media type that its answer to a graph's query has, and what rdflib calls that.
GRAPHS = {
    TURTLE: ("text/turtle", "turtle"),
    N3: ("text/turtle", "turtle"),
    RDF: ("application/rdf+xml", "xml"),
    XML: ("application/rdf+xml", "xml"),
    RDFXML: ("application/rdf+xml", "xml"),
    JSONLD: ("application/ld+json", "json-ld"),
}


def ask(address, query, format_, way=(GET, URLENCODED)):
    """Ask through SPARQLWrapper; it warns when a format is not one that it has for a form of query."""
    wrapper = wrappers.SPARQLWrapper(f"{address}/sparql")
    wrapper.setQuery(query)
    wrapper.setReturnFormat(format_)
    wrapper.setMethod(way[0])
    wrapper.setRequestMethod(way[1])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending Accept header", RuntimeWarning)
        try:
            return wrapper.query()
        except (HTTPError, SPARQLWrapperException) as error:
            # It leaves the answer open.
            answer = error if isinstance(error, HTTPError) else error.__context__
            assert isinstance(answer, HTTPError)
            answer.close()
            raise


def media_type(answer):
    return answer.info()["content-type"].partition(";")[0]


# rdflib reads JSON-LD by what it has deprecated, and SPARQLWrapper RDF/XML too.
deprecated = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")


@deprecated
@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("format_", GRAPHS)
def test_a_graph_in_each_of_its_formats(address, format_, way):
    answer = ask(address, CONSTRUCT, format_, way)
    expected, parser = GRAPHS[format_]
    assert media_type(answer) == expected
    graph = Graph().parse(data=answer.response.read(), format=parser)
    assert {str(name) for name in graph.objects(None, RDFS.label)} == set(NAMES)
    assert (URIRef(f"{BASE}id/island/angso"), RDFS.label, Literal("Ängsö", lang="sv")) in graph


@deprecated
@pytest.mark.parametrize("format_", [XML, RDFXML, JSONLD])
def test_what_it_converts_into_a_graph_itself(address, format_):
    graph = ask(address, DESCRIBE, format_).convert()
    assert (URIRef(f"{BASE}id/island/holm"), RDFS.label, Literal("Holm", lang="en")) in graph


@pytest.mark.parametrize("format_", [TURTLE, N3])
def test_what_it_leaves_as_text(address, format_):
    assert b'"Holm"@en' in ask(address, DESCRIBE, format_).convert()


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_solutions_in_each_of_its_formats(address, way):
    rows = ask(address, SELECT, JSON, way).convert()["results"]["bindings"]
    assert [row["name"]["value"] for row in rows] == NAMES
    found = ask(address, SELECT, XML, way).convert().getElementsByTagName("literal")
    assert [one.firstChild.data for one in found] == NAMES
    assert ask(address, SELECT, CSV, way).convert().decode().split() == ["name", *NAMES]
    assert ask(address, SELECT, TSV, way).convert().decode().split() == [
        "?name", '"Angso"@en', '"Holm"@en', '"Ängsö"@sv'
    ]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_yes_or_no_in_each_of_its_formats(address, way):
    assert ask(address, ASK, JSON, way).convert()["boolean"] is True
    assert ask(address, ASK, XML, way).convert().getElementsByTagName("boolean")[0].firstChild.data == "true"


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_it_raises_what_is_meant_for_a_malformed_query(address, way):
    with pytest.raises(QueryBadFormed, match="line 1"):
        ask(address, "SELECT * {", JSON, way)


def test_it_does_not_take_a_refused_service_for_a_malformed_query(address):
    """That is 403, of which SPARQLWrapper makes an error of HTTP."""
    with pytest.raises(HTTPError, match="403"):
        ask(address, "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", JSON)
