"""Drafts from data: what things of each class have, as SHACL shapes to be read and corrected by people."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import pyoxigraph as ox
from rdflib.namespace import OWL, RDF, RDFS, SH

from twingraph.rdf.iris import Iris
from twingraph.rdf.terms import Term

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
# Classes of these say how an ontology or a shape is built, which is for their own specifications to check.
_LANGUAGES_OF_MODELS = tuple(str(each) for each in (OWL, RDF, RDFS, SH))
_STANDARD = {"owl": str(OWL), "rdf": str(RDF), "sh": str(SH)}
_KINDS = {
    frozenset({ox.NamedNode}): "sh:IRI",
    frozenset({ox.BlankNode}): "sh:BlankNode",
    frozenset({ox.NamedNode, ox.BlankNode}): "sh:BlankNodeOrIRI",
    frozenset({ox.Literal, ox.NamedNode}): "sh:IRIOrLiteral",
    frozenset({ox.Literal, ox.BlankNode}): "sh:BlankNodeOrLiteral",
}
# More languages or datatypes than this say nothing.
_MOST = 8


@dataclass
class Values:
    """The values of one property of the things of one class."""

    per_thing: Counter[str] = field(default_factory=Counter)
    kinds: set[type] = field(default_factory=set)
    datatypes: set[str] = field(default_factory=set)
    languages: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)

    def add(self, subject: str, value: Term) -> None:
        """Count one value."""
        self.per_thing[subject] += 1
        self.kinds.add(type(value))
        if isinstance(value, ox.Literal):
            self.datatypes.add(value.datatype.value)
            self.languages |= {value.language} if value.language else set()
        else:
            self.objects.add(str(value))


@dataclass
class Observed:
    """What data say: the things of each class, and the values of each of their properties."""

    classes: dict[str, set[str]]
    values: dict[tuple[str, str], Values]
    predicates: set[str]
    subjects: set[str]


def observed(quads: Iterable[ox.Quad]) -> Observed:
    """Return what these statements say of each class; each statement counts once, whatever graphs it is in."""
    triples = list(dict.fromkeys(quad.triple for quad in quads))
    above = _superclasses(triples)
    types: dict[str, set[str]] = defaultdict(set)
    for triple in triples:
        if triple.predicate.value == _TYPE and isinstance(triple.object, ox.NamedNode):
            types[str(triple.subject)] |= above(triple.object.value)
    classes: dict[str, set[str]] = defaultdict(set)
    for thing, kinds in types.items():
        for kind in kinds:
            classes[kind].add(thing)
    values: dict[tuple[str, str], Values] = defaultdict(Values)
    for triple in triples:
        for kind in types.get(str(triple.subject), ()) if triple.predicate.value != _TYPE else ():
            values[kind, triple.predicate.value].add(str(triple.subject), triple.object)
    predicates = {triple.predicate.value for triple in triples}
    return Observed(dict(classes), dict(values), predicates, {str(triple.subject) for triple in triples})


def _superclasses(triples: Iterable[ox.Triple]) -> Callable[[str], frozenset[str]]:
    """Return what gives a class with all its superclasses: its instances are theirs too (SHACL, section 3.1)."""
    parents: dict[str, set[str]] = defaultdict(set)
    for triple in triples:
        if triple.predicate.value == _SUBCLASS and isinstance(triple.object, ox.NamedNode):
            parents[str(triple.subject).strip("<>")].add(triple.object.value)

    @cache
    def above(kind: str) -> frozenset[str]:
        found, left = {kind}, [kind]
        while left:
            new = parents.get(left.pop(), set()) - found
            found |= new
            left += new
        return frozenset(found)

    return above


def drafted_shapes(seen: Observed, iris: Iris) -> str:
    """Return shapes in Turtle that the data conform to, one for each class that is not a standard vocabulary's."""
    names, taken = _Names(iris), set[str]()
    names.standard("sh:NodeShape")
    kinds = [kind for kind in sorted(seen.classes) if not kind.startswith(_LANGUAGES_OF_MODELS)]
    blocks = [_shape(seen, kind, _shape_name(kind, iris.base, taken), names) for kind in kinds]
    head = (
        "# Drafts: what the data look like today, not what they should be like. Read each line, correct it, and say\n"
        "# in sh:message what is meant; then delete this comment."
    )
    return "\n\n".join(["\n".join([head, *names.declarations()]), *blocks]) + "\n"


def drafted_terms(seen: Observed, iris: Iris) -> str:
    """Return declarations in Turtle of the classes and properties under the base that the data use undeclared."""
    names = _Names(iris)
    used = dict.fromkeys(seen.classes, "owl:Class") | dict.fromkeys(seen.predicates, "rdf:Property")
    missing = [iri for iri in sorted(used) if iris.owns(iri) and f"<{iri}>" not in seen.subjects]
    lines = [f"{names(iri)} a {names.standard(used[iri])} ." for iri in missing]
    head = "# Drafts: the terms that the data use and nothing declares. Give each a label and a definition."
    return "\n".join([head, *names.declarations(), "", *lines]) + "\n" if lines else ""


class _Names:
    """Writes IRIs as prefixed names, and remembers which prefixes that took."""

    def __init__(self, iris: Iris) -> None:
        # These names are the standard ones here, whatever the data call them.
        namespaces = {**iris.namespaces, **_STANDARD}
        self._iris, self._used = Iris(iris.base, namespaces), set[str]()

    def __call__(self, iri: str) -> str:
        short = self._iris.shorten(iri)
        if short == iri:
            return str(ox.NamedNode(iri))
        self._used.add(short.partition(":")[0])
        return short

    def standard(self, name: str) -> str:
        self._used.add(name.partition(":")[0])
        return name

    def declarations(self) -> Iterator[str]:
        return (f"@prefix {prefix}: <{self._iris.namespaces[prefix]}> ." for prefix in sorted(self._used))


def _shape_name(kind: str, base: str, taken: set[str]) -> str:
    """Return a new IRI for the shape of a class."""
    local = "".join(filter(str.isalnum, kind.rstrip("/#").replace("#", "/").rpartition("/")[2]))
    iri, number = f"{base}ontology#{local}Shape", 2
    while iri in taken:
        iri, number = f"{base}ontology#{local}Shape{number}", number + 1
    taken.add(iri)
    return iri


def _shape(seen: Observed, kind: str, shape: str, names: _Names) -> str:
    things = seen.classes[kind]
    properties = [
        _property(path, values, seen, len(things), names)
        for (owner, path), values in sorted(seen.values.items(), key=lambda item: item[0])
        if owner == kind
    ]
    head = (f"# {len(things):,} seen.", f"{names(shape)} a sh:NodeShape ;", f"    sh:targetClass {names(kind)} ;")
    return "\n".join([*head, *properties, "."])


def _property(path: str, values: Values, seen: Observed, things: int, names: _Names) -> str:
    facts = [f"sh:path {names(path)}"]
    if len(values.per_thing) == things:
        facts.append("sh:minCount 1")
    if max(values.per_thing.values()) == 1:
        facts.append("sh:maxCount 1")
    facts += _range(values, seen, names)
    most = max(values.per_thing.values())
    remark = f"# {len(values.per_thing):,} of {things:,} have it, {most:,} at most each"
    return f"    sh:property [ {' ; '.join(facts)} ] ;  {remark}"


def _range(values: Values, seen: Observed, names: _Names) -> Iterator[str]:
    if values.kinds == {ox.Literal}:
        yield from _datatypes(values, names)
        return
    if kind := _KINDS.get(frozenset(values.kinds)):
        yield f"sh:nodeKind {kind}"
    common = [kind for kind, things in sorted(seen.classes.items()) if values.objects <= things]
    if common and ox.Literal not in values.kinds:
        yield f"sh:class {names(common[0])}"


def _datatypes(values: Values, names: _Names) -> Iterator[str]:
    datatypes = sorted(values.datatypes)
    if len(datatypes) == 1:
        yield f"sh:datatype {names(datatypes[0])}"
    elif len(datatypes) <= _MOST:
        yield f"sh:or ( {' '.join(f'[ sh:datatype {names(each)} ]' for each in datatypes)} )"
    if datatypes == [_LANG_STRING] and len(values.languages) <= _MOST:
        yield f"sh:languageIn ( {' '.join(map(json.dumps, sorted(values.languages)))} )"
