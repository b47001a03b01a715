"""Graphs in each syntax as two libraries read them back, and their canonical form, to compare them in."""

import pyoxigraph as ox
import rdflib

from twingraph.rdf.formats import GRAPHS, by_name

SYNTAXES = tuple(format_.name for format_ in GRAPHS)
RDFLIB = {
    "turtle": "turtle",
    "ntriples": "nt",
    "jsonld": "json-ld",
    "rdfxml": "xml",
    "trig": "trig",
    "nquads": "nquads",
}


def canonical(triples):
    dataset = ox.Dataset(ox.Quad(*triple) for triple in triples)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def read(content, format_):
    return [quad.triple for quad in ox.parse(content, format=by_name(format_, GRAPHS).engine)]


def read_by_rdflib(content, format_):
    dataset = rdflib.Dataset(default_union=True)
    dataset.parse(data=content, format=RDFLIB[format_])
    return [ox.Triple(*map(engine_term, triple)) for triple in dataset.triples((None, None, None))]


def engine_term(term):
    """Return a term of rdflib as one of the engine, whose comparison minds every character."""
    match term:
        case rdflib.URIRef():
            return ox.NamedNode(term)
        case rdflib.BNode():
            return ox.BlankNode(term)
        case rdflib.Literal(language=str(tag)):
            return ox.Literal(str(term), language=tag)
        case rdflib.Literal(datatype=None):
            return ox.Literal(str(term))
    return ox.Literal(str(term), datatype=ox.NamedNode(term.datatype))
