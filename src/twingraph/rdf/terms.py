"""RDF terms as text, the same for every file this program writes."""

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
