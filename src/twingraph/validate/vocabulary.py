"""Terms: every one of our own is defined in the ontology; those of closed standard vocabularies exist."""

from collections.abc import Iterator

import pyoxigraph as ox
from rdflib.namespace import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SKOS, XSD, DefinedNamespace

from twingraph.findings import Finding, Severity
from twingraph.iris import IriKind
from twingraph.validate.statements import TYPE, Statements, statement, text
from twingraph.validate.suggest import did_you_mean

_CLOSED: tuple[type[DefinedNamespace], ...] = (DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SKOS, XSD)


def check_terms(statements: Statements, shapes: Statements) -> tuple[Finding, ...]:
    """Return the unknown terms in the data, and in the shapes, where they would make a shape reach nothing."""
    known = set(statements.types) | set(shapes.types)
    return (*_unknown(statements, known), *_unknown(shapes, known))


def _unknown(statements: Statements, known: set[str]) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for quad in statements.quads:
        for term in _mentioned(quad):
            key = (text(quad.subject), term)
            if key not in seen:
                seen.add(key)
                yield from _own(statements, quad, term, known)
                yield from _standard(statements, quad, term)


def _mentioned(quad: ox.Quad) -> Iterator[str]:
    """Yield the IRIs of a statement that may be terms: its predicate, its object, its literal's datatype."""
    yield quad.predicate.value
    if isinstance(quad.object, ox.NamedNode):
        yield quad.object.value
    elif isinstance(quad.object, ox.Literal):
        yield quad.object.datatype.value


def _own(statements: Statements, quad: ox.Quad, term: str, known: set[str]) -> Iterator[Finding]:
    parsed = statements.iris.parse(term)
    if parsed is None or parsed.kind is not IriKind.TERM or term in known:
        return
    namespace = term.removesuffix(parsed.slug)
    near = (statements.short(name) for name in known if name.startswith(namespace))
    name = statements.short(term)
    remedy = did_you_mean(name, near, "define it in the ontology, or mend its name")
    yield _finding(statements, quad, term, f"{name} is not defined in the ontology", remedy, Severity.VIOLATION)


def _standard(statements: Statements, quad: ox.Quad, term: str) -> Iterator[Finding]:
    for namespace in _CLOSED:
        name = term.removeprefix(str(namespace))
        # Membership properties rdf:_1, rdf:_2... are without end (RDF Schema, section 5.1.5).
        if name != term and name not in namespace and not (namespace is RDF and name[:1] == "_"):
            near = (statements.short(str(iri)) for iri in dir(namespace) if str(iri).startswith(str(namespace)))
            short = statements.short(term)
            remedy = did_you_mean(short, near, "look its name up in the vocabulary's specification")
            message = f"{short} is not a term of its vocabulary"
            yield _finding(statements, quad, term, message, remedy, Severity.WARNING)


def _finding(
    statements: Statements, quad: ox.Quad, term: str, message: str, remedy: str, severity: Severity
) -> Finding:
    subject, predicate, value = statement(quad)
    place = None if isinstance(quad.subject, ox.NamedNode) else statements.locations.mention(term)
    path = TYPE if predicate == TYPE else predicate
    return statements.finding("term/unknown", message, remedy, subject, path, value, severity=severity, location=place)
