"""References inside the publication's own namespace: none leads nowhere, and nothing is defined twice."""

from collections import defaultdict
from collections.abc import Iterator

from twingraph.check.statements import TYPE, Statements, statement, text
from twingraph.check.suggest import did_you_mean
from twingraph.findings import Finding
from twingraph.rdf.iris import IriKind


def check_references(statements: Statements) -> tuple[Finding, ...]:
    """Return the references to things, and the statements about things, that are defined nowhere."""
    undefined = _undefined(statements)
    seen: set[tuple[str, str, str]] = set()
    findings = []
    for quad in statements.quads if undefined else ():
        subject, predicate, value = statement(quad)
        if subject in undefined and (subject, "", "") not in seen:
            seen.add((subject, "", ""))
            message = f"{statements.short(subject)} is defined nowhere: it has no rdf:type"
            findings.append(statements.finding("iri/dangling", message, _remedy(statements, subject), subject))
        if value in undefined and (subject, predicate, value) not in seen:
            seen.add((subject, predicate, value))
            message = f"{statements.short(predicate)} points to {statements.short(value)}, which is defined nowhere"
            remedy = _remedy(statements, value)
            findings.append(statements.finding("iri/dangling", message, remedy, subject, predicate, value))
    return tuple(findings)


def check_duplicates(statements: Statements) -> tuple[Finding, ...]:
    """Return the things and terms that are defined twice: the same class stated again, or in a second file."""
    return tuple(_duplicates(statements))


def _duplicates(statements: Statements) -> Iterator[Finding]:
    counts: dict[str, list[str]] = defaultdict(list)
    for quad in statements.lines.about((TYPE,)):
        if statements.iris.owns(text(quad.subject)):
            counts[text(quad.subject)].append(text(quad.object))
    for subject, kinds in sorted(counts.items()):
        # Several classes in one file are no second definition, unless one of them is said again.
        is_suspect = len(kinds) > len(set(kinds)) or (len(kinds) > 1 and len(statements.locations.files(subject)) > 1)
        places = statements.locations.all(subject, TYPE) if is_suspect else ()
        elsewhere = [place for place in places if place.path != places[0].path]
        if len(kinds) > len(set(kinds)) or elsewhere:
            again = elsewhere[0] if elsewhere else places[-1] if places else None
            first = f": here and in {places[0]}" if places else ""
            message = f"{statements.short(subject)} is defined twice{first}"
            remedy = "give the one of them another IRI; if they are the same thing, state its class in one place only"
            yield statements.finding("iri/duplicate", message, remedy, subject, TYPE, location=again)


def _undefined(statements: Statements) -> set[str]:
    """Return the IRIs of things, as subject or value, that no statement gives a class."""
    named = {text(term) for term in statements.terms.subjects | statements.terms.objects}
    return {iri for iri in named.difference(statements.types) if _is_thing(statements, iri)}


def _is_thing(statements: Statements, iri: str) -> bool:
    parsed = statements.iris.parse(iri) if statements.iris.owns(iri) else None
    return parsed is not None and parsed.kind is IriKind.THING


def _remedy(statements: Statements, iri: str) -> str:
    folder = iri.rpartition("/")[0] + "/"
    known = (statements.short(name) for name in statements.types if name.startswith(folder))
    return did_you_mean(statements.short(iri), known, "define it with its class and label, or mend the IRI")
