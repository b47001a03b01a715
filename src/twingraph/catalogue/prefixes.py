"""The prefixes of a release, for other programs: as a JSON-LD context, and as declarations of SHACL."""

import json
from collections.abc import Iterator, Mapping

import pyoxigraph as ox

from twingraph.catalogue.offer import Offer
from twingraph.rdf.terms import XSD
from twingraph.release.void import RDF, Statement

SH = "http://www.w3.org/ns/shacl#"


def prefix_context(namespaces: Mapping[str, str]) -> bytes:
    """Return a JSON-LD context of the prefixes alone."""
    context = {name: {"@id": iri, "@prefix": True} for name, iri in sorted(namespaces.items())}
    return (json.dumps({"@context": context}, ensure_ascii=False, indent=2) + "\n").encode()


def prefix_declarations(offer: Offer) -> Iterator[Statement]:
    """Yield the prefixes as declarations (SHACL, section 5.2.1)."""
    owner, datatype = offer.manifest.iris.resolve("prefixes"), ox.NamedNode(f"{XSD}anyURI")
    for name, iri in sorted(offer.manifest.iris.namespaces.items()):
        declaration = f"{owner}#{name}"
        yield owner, f"{SH}declare", ox.NamedNode(declaration)
        yield declaration, f"{RDF}type", ox.NamedNode(f"{SH}PrefixDeclaration")
        yield declaration, f"{SH}prefix", ox.Literal(name)
        yield declaration, f"{SH}namespace", ox.Literal(iri, datatype=datatype)
