"""How much is in a release: quads by named graph, things by class with the class's labels, and its documents."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pyoxigraph as ox

from twingraph.evidence import Document
from twingraph.iris import canonical_language
from twingraph.release.manifest import ClassCount

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_NAMES = {
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://purl.org/dc/terms/title",
}


def graph_counts(quads: Iterable[ox.Quad]) -> dict[str, int]:
    """Return the number of quads in each named graph, the default graph's under the empty name."""
    counts = Counter(quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else "" for quad in quads)
    return dict(counts)


def class_counts(quads: Iterable[ox.Quad], names: Mapping[str, Mapping[str, str]]) -> dict[str, ClassCount]:
    """Return the number of distinct things of each class, whichever graph says so, with ``names`` of the class."""
    things = defaultdict(set)
    for quad in quads:
        if quad.predicate.value == _TYPE and isinstance(quad.object, ox.NamedNode):
            things[quad.object.value].add(quad.subject)
    return {iri: ClassCount(things=len(members), labels=dict(names.get(iri, {}))) for iri, members in things.items()}


def names(quads: Iterable[ox.Quad]) -> dict[str, dict[str, str]]:
    """Return what each thing is called, IRI -> language -> name; the first in code point order where there are two."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for quad in quads:
        if quad.predicate.value in _NAMES and isinstance(quad.object, ox.Literal):
            language = canonical_language(quad.object.language or "")
            known = found[str(getattr(quad.subject, "value", ""))]
            known[language] = min(known.get(language, quad.object.value), quad.object.value)
    return found


def document_names(documents: Iterable[Document], names: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the names of each source document, its file's where the data give none."""
    return {one.iri: dict(names.get(one.iri) or {"": one.file_name}) for one in documents}
