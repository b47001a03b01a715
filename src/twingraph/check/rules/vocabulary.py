"""Terms: our own must be defined in the ontology, those of closed standard vocabularies in their specification."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import pyoxigraph as ox
from rdflib.namespace import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SH, SKOS, XSD, DefinedNamespace

from twingraph.check.statements import Statements, statement, text
from twingraph.errors import QueryError
from twingraph.findings import Finding, Location, Severity
from twingraph.publication.query_files import QueryFile
from twingraph.rdf.iris import IriKind
from twingraph.sparql.query import prefixed_names
from twingraph.sparql.tokens import place


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the remedy ``otherwise``, preceded by the known names that are similar to ``name``, if any."""
    near = get_close_matches(name, list(known), n=2, cutoff=0.75)
    return f"did you mean {' or '.join(near)}? {otherwise}" if near else otherwise


_CLOSED: tuple[type[DefinedNamespace], ...] = (DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SH, SKOS, XSD)
# Terms of SHACL Advanced Features and of SHACL 1.2 that rdflib's list lacks.
_MORE = frozenset(
    str(SH) + name
    for name in (
        *("values", "if", "then", "else", "orderBy", "desc", "Trace", "Debug", "targetShape", "targetWhere"),
        *("reifierShape", "reificationRequired", "memberShape", "uniqueMembers", "minListLength", "maxListLength"),
        *("someValue", "singleLine", "rootClass", "nodeByExpression", "expectedPredicate", "subsetOf", "ShapeClass"),
    )
)


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
    problems = {term: found for term in _candidates(statements) if (found := _problem(statements, term, known))}
    seen: set[tuple[str, str]] = set()
    for quad in statements.quads if problems else ():
        for term in _candidates_in(quad):
            key = (text(quad.subject), term)
            if term not in problems or key in seen:
                continue
            seen.add(key)
            message, remedy, severity = problems[term]
            # A blank node, common in shapes, has no location of its own.
            mention = None if isinstance(quad.subject, ox.NamedNode) else statements.locations.mention(term)
            yield statements.finding(
                "term/unknown", message, remedy, *statement(quad), severity=severity, location=mention
            )


def _candidates(statements: Statements) -> set[str]:
    """Return what `_candidates_in` yields, for all statements."""
    terms = statements.terms
    objects = (term for term in terms.objects if isinstance(term, ox.NamedNode))
    datatypes = {term.datatype for term in terms.objects if isinstance(term, ox.Literal)}
    return {text(term) for term in (*terms.predicates, *objects, *datatypes)}


def _candidates_in(quad: ox.Quad) -> Iterator[str]:
    """Yield the IRIs of a statement that may be terms: its predicate, its object, or its literal's datatype."""
    yield quad.predicate.value
    if isinstance(quad.object, ox.NamedNode):
        yield quad.object.value
    elif isinstance(quad.object, ox.Literal):
        yield quad.object.datatype.value


def _problem(statements: Statements, iri: str, known: set[str]) -> tuple[str, str, Severity] | None:
    """Return message, remedy and severity for an IRI that is an unknown term, and None for all others."""
    parsed = statements.iris.parse(iri) if statements.iris.owns(iri) else None
    if parsed is not None and parsed.kind is IriKind.TERM and iri not in known:
        name, namespace = statements.short(iri), iri.removesuffix(parsed.slug)
        similar = (statements.short(other) for other in known if other.startswith(namespace))
        remedy = did_you_mean(name, similar, "define it in the ontology, or correct its name")
        return f"{name} is not defined in the ontology", remedy, Severity.VIOLATION
    for vocabulary in _CLOSED:
        local = iri.removeprefix(str(vocabulary))
        # There are infinitely many membership properties rdf:_1, rdf:_2... (RDF Schema, section 5.1.5).
        is_named = local not in ("", iri) and iri not in _MORE  # the IRI of the namespace is that of the vocabulary
        if is_named and local not in vocabulary and not (vocabulary is RDF and local[:1] == "_"):
            name = statements.short(iri)
            others = (str(other) for other in dir(vocabulary))
            similar = (statements.short(other) for other in others if other.startswith(str(vocabulary)))
            remedy = did_you_mean(name, similar, "look its name up in the vocabulary's specification")
            return f"{name} is not a term of its vocabulary", remedy, Severity.WARNING
    return None
