"""RDF terms as text, and the default graph of a release.

The default graph is a set of triples (RDF 1.1 Semantics, section 4.1: the merge), but the engine's own union of named
graphs yields a triple once for each graph that has it. So the store of a release holds the merge itself, which is also
two to three times as fast to query.
"""

import re
from enum import StrEnum

import pyoxigraph as ox

from twingraph.rdf.iris import canonical_language

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def ntriples(term: Term) -> str:
    """Return a term in N-Triples, its language tag in canonical case (the engine lower-cases tags when it parses)."""
    text = str(term)
    if isinstance(term, ox.Literal) and term.language:
        quoted, _, tag = text.rpartition("@")
        return f"{quoted}@{canonical_language(tag)}"
    return text


# The update that adds the merge of all named graphs to the default graph.
MERGE = "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"
# Subject, predicate and object of a canonical N-Quads line, whose terms have one space between them; then its graph.
_LINE = re.compile(rb'^(\S+ \S+ (?:[^"\s]\S*|".*"\S*)) (?:<[^<>"]*>|_:[^\s"]+) \.$', re.MULTILINE)


class DefaultGraph(StrEnum):
    """What a query that names no dataset finds in the default graph (SPARQL 1.1, section 13.1).

    ``union``: the statements of all graphs; ``default``: only those that lie in no named graph.
    """

    UNION = "union"
    DEFAULT = "default"


def without_graph_names(canonical: bytes) -> bytes:
    """Return canonical N-Quads without the graph of each line."""
    return _LINE.sub(rb"\1 .", canonical)
