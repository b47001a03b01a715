"""IRIs: their form, the folder for each class, dangling references, and duplicate definitions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, partial

import pyoxigraph as ox

from twingraph.check.rules.vocabulary import did_you_mean
from twingraph.check.statements import TYPE, Statements, statement, text
from twingraph.findings import Finding
from twingraph.rdf.iris import IriKind


def check_policy(
    statements: Statements, iri_types: Mapping[str, str], *, blank_nodes: bool = False
) -> tuple[Finding, ...]:
    """Return the violations of the IRI policy.

    ``iri_types`` maps folders to the class of their things; ``blank_nodes`` is whether blank nodes are allowed.
    """
    classes = {folder: statements.iris.expand(name) for folder, name in iri_types.items()}
    blank = () if blank_nodes else _blank_nodes(statements)
    return (*blank, *_forms(statements), *_folders(statements, classes))


def _blank_nodes(statements: Statements) -> Iterator[Finding]:
    """Yield a finding for each blank node that is a value, a graph name, or a subject that is never a value."""
    terms = statements.terms
    if not any(isinstance(term, ox.BlankNode) for term in terms.subjects | terms.objects | terms.graphs):
        return
    remedy = "give the thing an IRI"
    seen: set[ox.BlankNode] = set()
    for quad in statements.quads:
        subject, predicate, value = statement(quad)
        graph = quad.graph_name
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.BlankNode):
            message = f"the value of {statements.short(predicate)} is a blank node, which cannot be referred to"
            yield statements.finding("iri/blank-node", message, remedy, subject, predicate, value)
        elif isinstance(quad.subject, ox.BlankNode) and quad.subject not in terms.objects | seen:
            seen.add(quad.subject)
            message = "the subject is a blank node, which cannot be referred to"
            yield statements.finding("iri/blank-node", message, remedy, subject, predicate, value)
        if isinstance(graph, ox.BlankNode) and graph not in seen:
            seen.add(graph)
            message = "the graph name is a blank node, which cannot be referred to"
            yield statements.finding("iri/blank-node", message, remedy, subject, predicate, value)


def _forms(statements: Statements) -> Iterator[Finding]:
    terms, iris = statements.terms, statements.iris
    every = terms.subjects | terms.predicates | terms.objects | terms.graphs
    malformed = {
        term.value
        for term in every
        if isinstance(term, ox.NamedNode) and iris.owns(term.value) and iris.parse(term.value) is None
    }
    for quad in statements.quads if malformed else ():
        for term in (quad.subject, quad.predicate, quad.object, quad.graph_name):
            if isinstance(term, ox.NamedNode) and term.value in malformed:
                malformed.remove(term.value)
                yield _malformed(statements, quad, term.value)


def _malformed(statements: Statements, quad: ox.Quad, iri: str) -> Finding:
    path = iri.removeprefix(statements.iris.base)
    message = f"<{path}> has none of the forms of this publication's IRIs"
    remedy = "use id/{folder}/{slug}, ontology#{Name} or graph/{name}; a slug has only a-z, 0-9 and single hyphens"
    place = statements.locations.find(*statement(quad)) or statements.locations.mention(iri)
    return statements.finding("iri/policy", message, remedy, iri, location=place)


def _folders(statements: Statements, classes: Mapping[str, str]) -> Iterator[Finding]:
    # There are few classes with many things each.
    folders_of = cache(partial(_nearest, statements, classes))
    for iri, types in sorted(statements.types.items()):
        parsed = statements.iris.parse(iri)
        if not classes or parsed is None or parsed.kind is not IriKind.THING:
            continue  # without any declared folder, folders are not checked
        proper = frozenset[str]().union(*map(folders_of, types))
        if parsed.folder not in classes:
            message = f"id/{parsed.folder}/ is not declared as the folder of any class"
            otherwise = "use a folder of [iri_types] in twingraph.toml, or add this one to it"
            remedy = did_you_mean(parsed.folder, classes, otherwise)
            yield statements.finding("iri/policy", message, remedy, iri, TYPE)
        elif proper and parsed.folder not in proper:
            kinds = " and ".join(statements.short(kind) for kind in sorted(types))
            message = f"a {kinds} does not belong in id/{parsed.folder}/"
            remedy = f"move it to {' or '.join(f'id/{folder}/' for folder in sorted(proper))}, or correct its class"
            yield statements.finding("iri/policy", message, remedy, iri, TYPE)


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


def check_references(statements: Statements) -> tuple[Finding, ...]:
    """Return the references to things, and the statements about things, that have no definition."""
    undefined = _undefined(statements)
    seen: set[tuple[str, str, str]] = set()
    findings = []
    for quad in statements.quads if undefined else ():
        subject, predicate, value = statement(quad)
        if subject in undefined and (subject, "", "") not in seen:
            seen.add((subject, "", ""))
            message = f"{statements.short(subject)} is not defined: it has no rdf:type"
            findings.append(statements.finding("iri/dangling", message, _remedy(statements, subject), subject))
        if value in undefined and (subject, predicate, value) not in seen:
            seen.add((subject, predicate, value))
            message = f"{statements.short(predicate)} points to {statements.short(value)}, which is not defined"
            remedy = _remedy(statements, value)
            findings.append(statements.finding("iri/dangling", message, remedy, subject, predicate, value))
    return tuple(findings)


def check_duplicates(statements: Statements) -> tuple[Finding, ...]:
    """Return the things and terms that are defined twice: the same class is stated again, or one in a second file."""
    findings = []
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
            findings.append(statements.finding("iri/duplicate", message, remedy, subject, TYPE, location=again))
    return tuple(findings)


def _undefined(statements: Statements) -> set[str]:
    """Return the IRIs of things, in subject or object position, that have no class."""
    named = {text(term) for term in statements.terms.subjects | statements.terms.objects}
    return {iri for iri in named.difference(statements.types) if _is_thing(statements, iri)}


def _is_thing(statements: Statements, iri: str) -> bool:
    parsed = statements.iris.parse(iri) if statements.iris.owns(iri) else None
    return parsed is not None and parsed.kind is IriKind.THING


def _remedy(statements: Statements, iri: str) -> str:
    folder = iri.rpartition("/")[0] + "/"
    similar = (statements.short(name) for name in statements.types if name.startswith(folder))
    return did_you_mean(statements.short(iri), similar, "define it with its class and label, or correct the IRI")
