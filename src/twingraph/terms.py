"""RDF terms as text, the same for every file this program writes."""

import pyoxigraph as ox

from twingraph.iris import canonical_language

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def ntriples(term: Term) -> str:
    """Return a term in N-Triples, its language tag in canonical case (the engine lower-cases tags when it parses)."""
    text = str(term)
    if isinstance(term, ox.Literal) and term.language:
        quoted, _, tag = text.rpartition("@")
        return f"{quoted}@{canonical_language(tag)}"
    return text


def nquad(quad: ox.Quad) -> str:
    """Return a quad as a line of N-Quads, without the line's end."""
    terms: list[Term] = [quad.subject, quad.predicate, quad.object]
    if isinstance(quad.graph_name, ox.NamedNode | ox.BlankNode):
        terms.append(quad.graph_name)
    return " ".join(ntriples(term) for term in terms) + " ."
