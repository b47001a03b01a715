"""The JSON-LD context of a release, generated from its ontology and prefixes.

Own terms have their local names, except names that mean something else in JSON-LD; the ontology determines the types of
their values. Where a prefix and a term have the same name, the term wins; of two terms, that of the first IRI.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pyoxigraph as ox

from twingraph.rdf.iris import IriKind, Iris, namespace

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = _RDF + "type"
_CLASSES = {_OWL + "Class", _RDFS + "Class"}
_OBJECT = _OWL + "ObjectProperty"
_PROPERTIES = {_OBJECT, _OWL + "DatatypeProperty", _OWL + "AnnotationProperty", _RDF + "Property"}
# JSON strings and booleans need no type coercion.
_PLAIN = {_XSD + "string", _XSD + "boolean", _RDFS + "Literal"}
_LABELS = {
    "label": _RDFS + "label",
    "prefLabel": "http://www.w3.org/2004/02/skos/core#prefLabel",
    "altLabel": "http://www.w3.org/2004/02/skos/core#altLabel",
}

_NAME = re.compile(r"(?!(?:id|type)$)[A-Za-z_][\w-]*")

Definition = str | float | dict[str, str]

# The properties on which the context depends.
CONTEXT_TERMS = (_TYPE, _RDFS + "range")


def json_ld_context(quads: Iterable[ox.Quad], iris: Iris) -> bytes:
    """Return the context as a JSON-LD 1.1 document with sorted keys."""
    terms = _terms(quads, iris)
    prefixes = {name: iri for name, iri in iris.namespaces.items() if iri.endswith(("/", "#"))}
    context: dict[str, Definition] = {"@version": 1.1, "id": "@id", "type": "@type", **prefixes, **terms}
    for name, iri in _LABELS.items():
        context.setdefault(name, {"@id": iri, "@container": "@language"})
    return (json.dumps({"@context": context}, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _terms(quads: Iterable[ox.Quad], iris: Iris) -> dict[str, Definition]:
    types, ranges = defaultdict(set), {}
    for quad in quads:
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode):
            if quad.predicate.value == _TYPE:
                types[quad.subject.value].add(quad.object.value)
            elif quad.predicate.value == _RDFS + "range":
                ranges[quad.subject.value] = quad.object.value
    return dict(_definitions(types, ranges, iris))


def _definitions(
    types: Mapping[str, set[str]], ranges: Mapping[str, str], iris: Iris
) -> Iterable[tuple[str, Definition]]:
    for iri, kinds in sorted(types.items(), reverse=True):
        parsed, name = iris.parse(iri), iri.removeprefix(namespace(iri))
        if parsed is None or parsed.kind not in (IriKind.TERM, IriKind.FREE) or not _NAME.fullmatch(name):
            continue
        if kinds & _CLASSES:
            yield name, iri
        elif kinds & _PROPERTIES:
            yield name, {"@id": iri, **_coercion(_OBJECT in kinds, ranges.get(iri))}


def _coercion(links: bool, range_: str | None) -> dict[str, str]:
    if links:
        return {"@type": "@id"}
    if range_ == _RDF + "langString":
        return {"@container": "@language"}
    return {} if range_ is None or range_ in _PLAIN else {"@type": range_}
