"""IRIs: blank nodes in their place, their forms, and the folder for each class."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial

import pyoxigraph as ox

from twingraph.check.rules.suggestions import did_you_mean
from twingraph.check.statements import TYPE, Statements, statement
from twingraph.findings import Finding, Location
from twingraph.rdf.iris import IriKind, ParsedIri
from twingraph.rdf.terms import blank_nodes
from twingraph.settings.policy import BlankNodes


def check_blank_nodes(statements: Statements, allowed: BlankNodes) -> tuple[Finding, ...]:
    """Return a finding for each graph name that is a blank node and, unless allowed, value or subject that is one.

    A subject that is also a value is reported as a value.
    """
    terms = statements.terms
    places = terms.graphs if allowed is BlankNodes.ALLOW else terms.graphs | terms.subjects | terms.objects
    if not any(blank_nodes(*places)):
        return ()
    return tuple(_blank_nodes(statements, allowed))


def _blank_nodes(statements: Statements, allowed: BlankNodes) -> Iterator[Finding]:
    remedy, values = "give the thing an IRI", statements.terms.objects
    seen: set[ox.BlankNode] = set()
    for quad in statements.quads:
        subject, predicate, value = statement(quad)
        if isinstance(quad.graph_name, ox.BlankNode) and quad.graph_name not in seen:
            seen.add(quad.graph_name)
            message = "the graph name is a blank node, which cannot be referred to"
            advice = 'give the graph an IRI, or set policy.blank_nodes = "skolemise"'
            yield statements.finding("iri/blank-graph", message, advice, subject, predicate, value)
        if allowed is not BlankNodes.REFUSE:
            continue
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.BlankNode):
            message = f"the value of {statements.short(predicate)} is a blank node, which cannot be referred to"
            yield statements.finding("iri/blank-node", message, remedy, subject, predicate, value)
        elif isinstance(quad.object, ox.Triple) and any(blank_nodes(quad.object)):
            message = f"the value of {statements.short(predicate)} is a triple term with a blank node"
            yield statements.finding("iri/blank-node", message, remedy, subject, predicate, value)
        elif isinstance(quad.subject, ox.BlankNode) and quad.subject not in seen and quad.subject not in values:
            seen.add(quad.subject)
            message = "the subject is a blank node, which cannot be referred to"
            yield statements.finding("iri/blank-node", message, remedy, subject, predicate, value)


def check_derived_blank_nodes(rule: str, derived: Statements, asserted: Statements) -> tuple[Finding, ...]:
    """Return a finding when a rule, whose path is given, has derived blank nodes that no file has."""
    terms = derived.terms
    if not (found := set(blank_nodes(*terms.subjects, *terms.objects))):
        return ()
    if not (new := found - set(blank_nodes(*asserted.terms.subjects, *asserted.terms.objects))):
        return ()
    nodes = "a blank node" if len(new) == 1 else f"{len(new):,} blank nodes"
    message = f"the rule derives {nodes}, which cannot be referred to"
    remedy = 'construct IRIs, as with BIND(IRI(CONCAT(STR(?thing), "-part")) AS ?part)'
    return (Finding("iri/blank-node", message, remedy, location=Location(rule, 1)),)


def check_forms(statements: Statements, iri_types: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return own IRIs that have none of the declared forms, and things in the folder of another class.

    ``iri_types`` maps folders to the class of their things.
    """
    if not statements.iris.forms:
        return ()
    classes = {folder: statements.iris.expand(name) for folder, name in iri_types.items()}
    return (*_forms(statements), *_folders(statements, classes))


def _forms(statements: Statements) -> Iterator[Finding]:
    terms, iris = statements.terms, statements.iris
    every = terms.subjects | terms.predicates | terms.objects | terms.graphs
    malformed = {
        term.value
        for term in every
        if isinstance(term, ox.NamedNode) and iris.owns(term.value) and iris.parse(term.value) is None
    }
    for quad in statements.quads if malformed else ():
        graph = quad.graph_name
        for term in (graph, quad.subject, quad.predicate, quad.object):
            if isinstance(term, ox.NamedNode) and term.value in malformed:
                malformed.remove(term.value)
                yield _malformed(statements, quad, term.value, is_graph=term is graph)


def _malformed(statements: Statements, quad: ox.Quad, iri: str, *, is_graph: bool) -> Finding:
    templates = _alternatives([form.template for form in statements.iris.forms])
    message = f"<{iri.removeprefix(statements.iris.base)}> has none of the forms of this publication's IRIs"
    remedy = f"use {templates}, with the characters that policy.iri_forms in twingraph.toml allows"
    place = statements.locations.find(*statement(quad)) or statements.locations.mention(iri)
    if is_graph:
        message = f"this file's graph {message}"
        remedy = f"rename the file, or change its pattern under [[graphs]]; {remedy}"
    return statements.finding("iri/policy", message, remedy, iri, location=place)


def _alternatives(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _folders(statements: Statements, classes: Mapping[str, str]) -> Iterator[Finding]:
    # There are few classes with many things each.
    folders_of = cache(partial(_nearest, statements, classes))
    for iri, types in sorted(statements.types.items()):
        parsed = statements.iris.parse(iri)
        if not classes or parsed is None or parsed.kind is not IriKind.THING or not parsed.folder:
            continue  # without any declared folder, folders are not checked
        proper, home = frozenset[str]().union(*map(folders_of, types)), _path(parsed, parsed.folder)
        if parsed.folder not in classes:
            message = f"{home} is not declared as the folder of any class"
            otherwise = "use a folder of [policy.iri_types] in twingraph.toml, or add this one to it"
            remedy = did_you_mean(parsed.folder, classes, otherwise)
            yield statements.finding("iri/policy", message, remedy, iri, TYPE)
        elif proper and parsed.folder not in proper:
            kinds = " and ".join(statements.short(kind) for kind in sorted(types) if kind[:2] != "_:")
            message = f"a {kinds} does not belong in {home}"
            places = " or ".join(_path(parsed, folder) for folder in sorted(proper))
            yield statements.finding("iri/policy", message, f"move it to {places}, or correct its class", iri, TYPE)


def _path(parsed: ParsedIri, folder: str) -> str:
    """Return the beginning of the IRIs of a form with this folder: ``id/{folder}/`` of ``id/{folder}/{slug}``."""
    before, _, after = parsed.template.partition("{folder}")
    return f"{before}{folder}{after.partition('{')[0]}"


def _nearest(statements: Statements, classes: Mapping[str, str], kind: str) -> frozenset[str]:
    """Return the folders of a class, or of the nearest of its superclasses that have one."""
    level, seen = {kind}, set[str]()
    while level:
        found = frozenset(folder for folder, owner in classes.items() if owner in level)
        if found:
            return found
        seen |= level
        level = {above for name in level for above in statements.superclasses.get(name, ())} - seen
    return frozenset()
