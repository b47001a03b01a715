"""Terms: our own must be defined in the ontology, those of closed standard vocabularies in their specification."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import pyoxigraph as ox
from rdflib.namespace import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SKOS, XSD, DefinedNamespace

from twingraph.check.statements import Statements, statement, text
from twingraph.errors import QueryError
from twingraph.findings import Finding, Location, Severity
from twingraph.publication.files import QueryFile
from twingraph.rdf.iris import IriKind
from twingraph.sparql.query import prefixed_names
from twingraph.sparql.tokens import place


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the remedy ``otherwise``, preceded by the known names that are similar to ``name``, if any."""
    near = get_close_matches(name, list(known), n=2, cutoff=0.75)
    return f"did you mean {' or '.join(near)}? {otherwise}" if near else otherwise


_CLOSED: tuple[type[DefinedNamespace], ...] = (DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SKOS, XSD)


def check_terms(statements: Statements, shapes: Statements) -> tuple[Finding, ...]:
    """Return the unknown terms in the data, and in the shapes, where they would leave a shape without focus nodes."""
    known = set(statements.types) | set(shapes.types)
    return (*_unknown(statements, known), *_unknown(shapes, known))


def check_query_names(files: Iterable[QueryFile], statements: Statements) -> tuple[Finding, ...]:
    """Return the undefined names in queries: a check that uses one finds nothing and so passes."""
    known = set(statements.types)
    return tuple(finding for file in files for finding in _unknown_names(file, statements, known))


def _unknown_names(file: QueryFile, statements: Statements, known: set[str]) -> Iterator[Finding]:
    try:
        names = prefixed_names(file.text)
    except QueryError:  # reported where the query runs
        return
    for name, offset in names.items():
        prefix, _, local = name.partition(":")
        iri = statements.iris.namespaces.get(prefix, "") + local
        parsed = statements.iris.parse(iri)
        if parsed and parsed.kind in (IriKind.TERM, IriKind.THING) and iri not in known:
            namespace = iri.removesuffix(parsed.slug)
            near = (statements.short(other) for other in known if other.startswith(namespace))
            rule = "term/unknown" if parsed.kind is IriKind.TERM else "iri/dangling"
            remedy = did_you_mean(name, near, "correct the name, or define it")
            location = Location(file.path, *place(file.text, offset))
            yield Finding(rule, f"the query uses {name}, which is not defined", remedy, location=location)


def _unknown(statements: Statements, known: set[str]) -> Iterator[Finding]:
    suspect = {term for term in _all_mentioned(statements) if _is_unknown(statements, term, known)}
    seen: set[tuple[str, str]] = set()
    for quad in statements.quads if suspect else ():
        for term in _mentioned(quad):
            key = (text(quad.subject), term)
            if term in suspect and key not in seen:
                seen.add(key)
                yield from _own(statements, quad, term, known)
                yield from _standard(statements, quad, term)


def _all_mentioned(statements: Statements) -> set[str]:
    """Return what `_mentioned` yields, for all statements."""
    terms = statements.terms
    objects = (term for term in terms.objects if isinstance(term, ox.NamedNode))
    datatypes = {term.datatype for term in terms.objects if isinstance(term, ox.Literal)}
    return {text(term) for term in (*terms.predicates, *objects, *datatypes)}


def _is_unknown(statements: Statements, term: str, known: set[str]) -> bool:
    parsed = statements.iris.parse(term) if statements.iris.owns(term) else None
    is_own = parsed is not None and parsed.kind is IriKind.TERM and term not in known
    return is_own or any(_lacking_vocabularies(term))


def _lacking_vocabularies(term: str) -> Iterator[type[DefinedNamespace]]:
    """Yield the closed vocabulary whose namespace a term is in without being one of its terms."""
    for namespace in _CLOSED:
        name = term.removeprefix(str(namespace))
        # There are infinitely many membership properties rdf:_1, rdf:_2... (RDF Schema, section 5.1.5).
        if name != term and name not in namespace and not (namespace is RDF and name[:1] == "_"):
            yield namespace


def _mentioned(quad: ox.Quad) -> Iterator[str]:
    """Yield the IRIs of a statement that may be terms: its predicate, its object, or its literal's datatype."""
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
    remedy = did_you_mean(name, near, "define it in the ontology, or correct its name")
    yield _finding(statements, quad, term, f"{name} is not defined in the ontology", remedy, Severity.VIOLATION)


def _standard(statements: Statements, quad: ox.Quad, term: str) -> Iterator[Finding]:
    for namespace in _lacking_vocabularies(term):
        near = (statements.short(str(iri)) for iri in dir(namespace) if str(iri).startswith(str(namespace)))
        short = statements.short(term)
        remedy = did_you_mean(short, near, "look its name up in the vocabulary's specification")
        message = f"{short} is not a term of its vocabulary"
        yield _finding(statements, quad, term, message, remedy, Severity.WARNING)


def _finding(
    statements: Statements, quad: ox.Quad, term: str, message: str, remedy: str, severity: Severity
) -> Finding:
    # A blank node, common in shapes, has no location of its own.
    is_named = isinstance(quad.subject, ox.NamedNode)
    mention = None if is_named else statements.locations.mention(term)
    return statements.finding("term/unknown", message, remedy, *statement(quad), severity=severity, location=mention)
