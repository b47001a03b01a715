"""What the default graph of a release holds.

The default graph is a set of triples (RDF 1.1 Semantics, section 4.1: the merge), but the engine's own union of named
graphs gives a triple once for each graph that holds it. So the store of a release holds the merge itself, which is
also two to three times as fast to ask.
"""

from enum import StrEnum

# The update that adds the merge of all named graphs to the default graph.
MERGE = "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"


class DefaultGraph(StrEnum):
    """What a query that names no dataset finds in the default graph (SPARQL 1.1, section 13.1).

    ``union``: the statements of all graphs; ``default``: only those that lie in no named graph.
    """

    UNION = "union"
    DEFAULT = "default"
