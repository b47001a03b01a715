"""The representation that each client of other makers is given, by the Accept header that it really sends."""

import pytest

from test_formats import CHROMIUM, JENA_GRAPH, JENA_SELECT
from twingraph.errors import NotAcceptableError
from twingraph.rdf.formats import GRAPHS, HTML, RESULTS
from twingraph.server.http.negotiation import Preference

COMUNICA_SOURCE = (
    "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,application/n-triples;q=0.8,"
    "text/turtle;q=0.6,application/rdf+xml;q=0.5,text/n3;q=0.35,application/xml;q=0.3,image/svg+xml;q=0.3,"
    "text/xml;q=0.3,text/html;q=0.2,application/xhtml+xml;q=0.18,application/json;q=0.135,text/shaclc;q=0.1,"
    "text/shaclc-ext;q=0.05"
)
# Client, Accept header, and what a query for solutions and one for a graph are answered as; None is 406.
CLIENTS = [
    ("rdflib SPARQLStore", "application/sparql-results+xml, application/rdf+xml", "xml", "rdfxml"),
    ("rdflib SPARQLStore, json", "application/sparql-results+json", "json", None),
    ("rdflib SPARQLStore, csv", "text/csv", "csv", None),
    (
        "SPARQLWrapper, JSON",
        "application/sparql-results+json,application/json,text/javascript,application/javascript",
        "json",
        "jsonld",
    ),
    ("SPARQLWrapper, XML", "application/sparql-results+xml", "xml", None),
    ("SPARQLWrapper, TURTLE", "application/turtle,text/turtle", None, "turtle"),
    (
        "SPARQLWrapper, N3",
        "text/rdf+n3,application/n-triples,application/turtle,application/n3,text/n3,text/turtle",
        None,
        "turtle",
    ),
    ("SPARQLWrapper, RDFXML", "application/rdf+xml", None, "rdfxml"),
    ("Jena, SELECT", JENA_SELECT, "json", "jsonld"),
    ("Jena, CONSTRUCT", JENA_GRAPH, "json", "turtle"),
    ("Comunica, SELECT", "application/sparql-results+json;q=1.0,application/sparql-results+xml;q=0.7", "json", None),
    ("Comunica, CONSTRUCT", "text/turtle", None, "turtle"),
    ("Comunica, a source", COMUNICA_SOURCE, "xml", "nquads"),
    ("YASGUI, SELECT", "application/sparql-results+json,*/*;q=0.9", "json", "turtle"),
    ("YASGUI, CONSTRUCT", "text/turtle,*/*;q=0.9", "json", "turtle"),
    ("curl", "*/*", "json", "turtle"),
    ("R, httr", "application/json, text/xml, application/xml, */*", "json", "jsonld"),
    ("R, SPARQL", "application/sparql-results+xml", "xml", None),
    ("requests", "*/*", "json", "turtle"),
    ("pandas", None, "json", "turtle"),
    ("Chromium", CHROMIUM, "html", "html"),
]


@pytest.mark.parametrize(
    ("accept", "solutions", "graph"), [row[1:] for row in CLIENTS], ids=[row[0] for row in CLIENTS]
)
def test_each_client_is_given_what_it_reads(accept, solutions, graph):
    preference = Preference(accept or "")
    for offered, expected in (((*RESULTS, HTML), solutions), ((*GRAPHS, HTML), graph)):
        if expected is None:
            with pytest.raises(NotAcceptableError):
                preference.choose(offered)
        else:
            assert preference.choose(offered).name == expected


def test_a_format_by_name_wins_over_the_header():
    assert Preference(CHROMIUM, "csv").choose((*RESULTS, HTML)).name == "csv"
