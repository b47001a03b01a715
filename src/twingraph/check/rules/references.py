"""Own things and terms: what counts as their definition, references to undefined things, duplicate definitions."""

from collections import defaultdict
from collections.abc import Iterator

import pyoxigraph as ox

from twingraph.check.rules.suggestions import Suggestions
from twingraph.check.statements import SUBCLASS, TYPE, Statements, statement
from twingraph.findings import Finding
from twingraph.rdf.iris import IriKind
from twingraph.rdf.terms import text
from twingraph.settings.policy import Definition

_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"
_SH = "http://www.w3.org/ns/shacl#"
# The properties whose values are terms; where IRIs have no forms, this tells terms from things.
TERM_VALUED = (
    TYPE,
    SUBCLASS,
    *(_RDFS + name for name in ("subPropertyOf", "domain", "range")),
    *(_OWL + name for name in ("onProperty", "someValuesFrom", "allValuesFrom", "inverseOf", "equivalentClass")),
    *(_OWL + name for name in ("equivalentProperty", "disjointWith", "onClass", "onDatatype", "complementOf")),
    *(_SH + name for name in ("path", "class", "datatype", "targetClass", "targetSubjectsOf", "targetObjectsOf")),
)


def defined(statements: Statements, definition: Definition) -> frozenset[str]:
    """Return the IRIs that are defined: those with a class or, by ``statement``, all subjects and named graphs."""
    if definition is Definition.CLASS:
        return frozenset(statements.types)
    terms = statements.terms
    return frozenset(term.value for term in terms.subjects | terms.graphs if isinstance(term, ox.NamedNode))


def own_terms(statements: Statements) -> frozenset[str]:
    """Return the own IRIs that are terms: by their form or, without forms, by where they stand."""
    terms, iris = statements.terms, statements.iris
    datatypes = {term.datatype.value for term in terms.objects if isinstance(term, ox.Literal)}
    predicates = {text(term) for term in terms.predicates}
    if iris.forms:
        values = {term.value for term in terms.objects if isinstance(term, ox.NamedNode)}
        candidates = ((iri, iris.parse(iri)) for iri in datatypes | predicates | values)
        return frozenset(iri for iri, parsed in candidates if parsed and parsed.kind is IriKind.TERM)
    values = {text(quad.object) for quad in statements.lines.with_predicates(TERM_VALUED)}
    return frozenset(iri for iri in datatypes | predicates | values if iris.owns(iri))


def check_references(statements: Statements, definition: Definition) -> tuple[Finding, ...]:
    """Return the references to own things, and the statements about them, that have no definition."""
    known = defined(statements, definition)
    undefined = _undefined(statements, known)
    suggestions = Suggestions(known, statements.iris)
    seen: set[tuple[str, str, str]] = set()
    findings = []
    for quad in statements.quads if undefined else ():
        subject, predicate, value = statement(quad)
        if subject in undefined and (subject, "", "") not in seen:
            seen.add((subject, "", ""))
            message = f"{statements.short(subject)} is not defined: it has no rdf:type"
            findings.append(statements.finding("iri/dangling", message, _remedy(suggestions, subject), subject))
        is_reference = isinstance(quad.object, ox.NamedNode) and value in undefined
        if is_reference and (subject, predicate, value) not in seen:
            seen.add((subject, predicate, value))
            message = f"{statements.short(predicate)} points to {statements.short(value)}, which is not defined"
            remedy = _remedy(suggestions, value)
            findings.append(statements.finding("iri/dangling", message, remedy, subject, predicate, value))
    return tuple(findings)


def _undefined(statements: Statements, known: frozenset[str]) -> set[str]:
    """Return the IRIs of own things, in subject or object position, that are not defined."""
    terms, iris = statements.terms, statements.iris
    named = {term.value for term in terms.subjects | terms.objects if isinstance(term, ox.NamedNode)}
    namespaces = {iris.base, *iris.own, *iris.namespaces.values()}
    candidates = {iri for iri in named - known - namespaces if iris.owns(iri)}
    if not iris.forms:
        return candidates - own_terms(statements)
    return {iri for iri in candidates if (parsed := iris.parse(iri)) and parsed.kind is IriKind.THING}


def _remedy(suggestions: Suggestions, iri: str) -> str:
    return suggestions.remedy(iri, "define it with its class and label, or correct the IRI")


def check_duplicates(statements: Statements) -> tuple[Finding, ...]:
    """Return the own things and terms that are defined twice: a class is stated again, or one in a second file."""
    return tuple(_duplicates(statements))


def _duplicates(statements: Statements) -> Iterator[Finding]:
    counts: dict[str, list[str]] = defaultdict(list)
    for quad in statements.lines.with_predicates((TYPE,)):
        if statements.iris.owns(text(quad.subject)):
            counts[text(quad.subject)].append(text(quad.object))
    for subject, kinds in sorted(counts.items()):
        # Several classes in one file are not a second definition, unless one of them is repeated.
        is_suspect = len(kinds) > len(set(kinds)) or (len(kinds) > 1 and len(statements.locations.files(subject)) > 1)
        places = statements.locations.all(subject, TYPE) if is_suspect else ()
        elsewhere = [place for place in places if place.path != places[0].path]
        if len(kinds) > len(set(kinds)) or elsewhere:
            again = elsewhere[0] if elsewhere else places[-1] if places else None
            first = f": here and in {places[0]}" if places else ""
            message = f"{statements.short(subject)} is defined twice{first}"
            remedy = "give one of them another IRI or, if they are the same thing, state its class in one place only"
            yield statements.finding("iri/duplicate", message, remedy, subject, TYPE, location=again)
