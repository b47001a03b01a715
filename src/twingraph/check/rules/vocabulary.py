"""Terms: one's own must be defined, those of closed standard vocabularies in their specification."""

from collections.abc import Iterable, Iterator

import pyoxigraph as ox
from rdflib.namespace import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SH, SKOS, XSD, DefinedNamespace

from twingraph.check.rules.references import defined, own_terms
from twingraph.check.rules.suggestions import Suggestions
from twingraph.check.statements import Statements, statement
from twingraph.errors import QueryError
from twingraph.findings import Finding, Location, default_severity
from twingraph.publication.query_files import QueryFile
from twingraph.rdf.iris import GENID, IriKind
from twingraph.rdf.terms import text
from twingraph.settings.policy import Definition
from twingraph.sparql.query import prefixed_names
from twingraph.sparql.tokens import place

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
# There are infinitely many membership properties rdf:_1, rdf:_2... (RDF Schema, section 5.1.5).
_MEMBERSHIP = str(RDF) + "_"

_Problem = tuple[str, str, str]
"""A rule, a message and a remedy."""


def check_terms(statements: Statements, shapes: Statements, definition: Definition) -> tuple[Finding, ...]:
    """Return the unknown terms in the data, and in the shapes, where they would leave a shape without focus nodes."""
    known = defined(statements, definition) | defined(shapes, definition)
    suggestions = Suggestions(known, statements.iris)
    return (*_unknown(statements, known, suggestions), *_unknown(shapes, known, suggestions))


def check_query_names(
    files: Iterable[QueryFile], statements: Statements, definition: Definition
) -> tuple[Finding, ...]:
    """Return the undefined names in queries: a check that uses one finds nothing and so passes.

    Where IRIs have no forms, so that a term is not told from a thing, names that stand somewhere in the data are known.
    """
    known = defined(statements, definition)
    if not statements.iris.forms:
        terms = statements.terms
        known |= {text(term) for term in terms.subjects | terms.predicates | terms.objects | terms.graphs}
    suggestions = Suggestions(known, statements.iris)
    return tuple(finding for file in files for finding in _unknown_names(file, statements, known, suggestions))


def _unknown_names(
    file: QueryFile, statements: Statements, known: frozenset[str], suggestions: Suggestions
) -> Iterator[Finding]:
    try:
        names = prefixed_names(file.text)
    except QueryError:  # reported where the query runs
        return
    for name, offset in names.items():
        prefix, _, local = name.partition(":")
        iri = statements.iris.namespaces.get(prefix, "") + local
        parsed = statements.iris.parse(iri) if local else None
        if parsed and parsed.kind not in (IriKind.GRAPH, IriKind.OTHER) and iri not in known:
            rule = "iri/dangling" if parsed.kind is IriKind.THING else "term/unknown"
            remedy = suggestions.remedy(iri, "correct the name, or define it")
            location = Location(file.path, *place(file.text, offset))
            message = f"the query uses {name}, which is not defined"
            yield Finding(rule, message, remedy, default_severity(rule), location)


def _unknown(statements: Statements, known: frozenset[str], suggestions: Suggestions) -> Iterator[Finding]:
    problems = _problems(statements, known, suggestions)
    seen: set[tuple[str, str]] = set()
    for quad in statements.quads if problems else ():
        for term in _candidates_in(quad):
            key = (text(quad.subject), term)
            if term not in problems or key in seen:
                continue
            seen.add(key)
            rule, message, remedy = problems[term]
            # A blank node, common in shapes, has no location of its own, nor has an IRI in its place.
            is_named = isinstance(quad.subject, ox.NamedNode) and GENID not in quad.subject.value
            mention = None if is_named else statements.locations.mention(term)
            yield statements.finding(rule, message, remedy, *statement(quad), location=mention)


def _problems(statements: Statements, known: frozenset[str], suggestions: Suggestions) -> dict[str, _Problem]:
    """Return what is wrong with each term that is unknown."""
    problems = {}
    for iri in own_terms(statements) - known:
        name = statements.short(iri)
        remedy = suggestions.remedy(iri, "define it in the ontology, or correct its name")
        problems[iri] = ("term/unknown", f"{name} is not defined in the ontology", remedy)
    standard = Suggestions((str(term) for one in _CLOSED for term in dir(one)), statements.iris)
    objects = statements.terms.objects
    datatypes = {term.datatype.value for term in objects if isinstance(term, ox.Literal)}
    named = {term.value for term in objects if isinstance(term, ox.NamedNode)}
    for iri in named | datatypes | {text(term) for term in statements.terms.predicates}:
        if iri not in known and not _is_standard(iri):
            rule = "literal/unknown-datatype" if iri in datatypes else "term/vocabulary"
            remedy = standard.remedy(iri, "look its name up in the vocabulary's specification")
            problems[iri] = (rule, f"{statements.short(iri)} is not a term of its vocabulary", remedy)
    return problems


def _is_standard(iri: str) -> bool:
    """Return whether an IRI is a term of the closed vocabulary in whose namespace it is, or in none."""
    vocabulary = next((one for one in _CLOSED if iri.startswith(str(one))), None)
    local = iri.removeprefix(str(vocabulary))
    if vocabulary is None or not local:  # the IRI of the namespace is that of the vocabulary
        return True
    return local in vocabulary or iri in _MORE or iri.startswith(_MEMBERSHIP)


def _candidates_in(quad: ox.Quad) -> Iterator[str]:
    """Yield the IRIs of a statement that may be terms: its predicate, its object, or its literal's datatype."""
    yield quad.predicate.value
    if isinstance(quad.object, ox.NamedNode):
        yield quad.object.value
    elif isinstance(quad.object, ox.Literal):
        yield quad.object.datatype.value
