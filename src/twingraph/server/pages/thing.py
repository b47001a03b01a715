"""The page about a thing: its statements by property, what leads to it, and where else to read the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from twingraph.linked_data.description import Description
from twingraph.rdf.formats import Format
from twingraph.rdf.iris import canonical_language
from twingraph.server.pages.rendering import View, in_language, link_of

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_STRING = "http://www.w3.org/2001/XMLSchema#string"
# How deep described things and blank nodes are shown within one another.
_MAX_DEPTH = 3

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


@dataclass(frozen=True, slots=True)
class Representation:
    """Another representation of the document, at an address relative to the page."""

    format: Format
    address: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a property: its ``text`` and, if known, language, datatype, IRI, link; ``groups`` describe it."""

    text: str
    language: str = ""
    datatype: str = ""
    iri: str = ""
    link: str = ""
    graphs: tuple[str, ...] = ()
    groups: tuple["Group", ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A property with its values."""

    property: Value
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A term of a namespace with its statements; ``anchor`` is its fragment."""

    name: Value
    anchor: str
    groups: tuple[Group, ...]


def thing_page(view: View, description: Description, json_ld: str, representations: Sequence[Representation]) -> bytes:
    """Return the page about a thing, with its JSON-LD embedded."""
    shown = _Shown(view, description)
    pages = description.pages(view.served.release.manifest.descriptions.links)
    return view.content(
        "thing.html",
        name=shown.value(ox.NamedNode(description.iri)),
        iri=description.iri,
        types=shown.types,
        groups=shown.groups(ox.NamedNode(description.iri), 0),
        sections=shown.sections,
        links=shown.links,
        about=description,
        page_count=pages,
        representations=representations,
        # Nothing in it can end the element (HTML, "Restrictions for contents of script elements").
        json_ld=json_ld.replace("<", "\\u003c"),
    )


class _Shown:
    """A description as it is shown in a view."""

    def __init__(self, view: View, description: Description) -> None:
        manifest = view.served.release.manifest
        self._language, self._iris, self._description = view.language, manifest.iris, description
        self._addresses = manifest.addresses
        self._thing = ox.NamedNode(description.iri)
        self._name_properties = manifest.descriptions.labels

    @cached_property
    def _statements(self) -> Mapping[Term, Mapping[ox.NamedNode, Mapping[Term, list[str]]]]:
        """The graphs of each statement, by subject, predicate and object."""
        found: dict[Term, dict[ox.NamedNode, dict[Term, list[str]]]] = {}
        description = self._description
        for quad in (*description.statements, *description.terms, *description.nested):
            values = found.setdefault(quad.subject, {}).setdefault(quad.predicate, {})
            graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""
            values.setdefault(quad.object, []).append(graph)
        return found

    @cached_property
    def _names(self) -> Mapping[Term, Mapping[str, str]]:
        """The names of things by language; of several in one language the first."""
        found: dict[Term, dict[str, str]] = {}
        described = (*self._description.statements, *self._description.terms, *self._description.nested)
        by_property = sorted(
            (quad for quad in described if quad.predicate.value in self._name_properties),
            key=lambda quad: self._name_properties.index(quad.predicate.value),
        )
        for quad in (*by_property, *self._description.labels):
            if isinstance(quad.object, ox.Literal):
                names = found.setdefault(quad.subject, {})
                names.setdefault(canonical_language(quad.object.language or ""), quad.object.value)
        return found

    @property
    def types(self) -> tuple[Value, ...]:
        values = self._statements.get(self._thing, {}).get(ox.NamedNode(_TYPE), {})
        return tuple(sorted((self.value(one) for one in values), key=lambda value: value.text))

    @property
    def sections(self) -> tuple[Section, ...]:
        """The terms in the namespace of the thing."""
        start = f"{self._description.iri}#"
        terms = [one for one in self._statements if isinstance(one, ox.NamedNode) and one.value.startswith(start)]
        sections = (Section(self.value(one), one.value.removeprefix(start), self.groups(one, 0, True)) for one in terms)
        return tuple(sorted(sections, key=lambda section: section.name.text.casefold()))

    @property
    def links(self) -> tuple[Group, ...]:
        """The things from which links lead to this one, by property."""
        found: dict[ox.NamedNode, dict[Term, list[str]]] = {}
        for quad in self._description.links:
            found.setdefault(quad.predicate, {}).setdefault(quad.subject, [])
        return self._grouped(found, _MAX_DEPTH)

    def groups(self, subject: Term, depth: int, with_types: bool = False) -> tuple[Group, ...]:
        """Return the properties of a subject with their values, in the order of their names."""
        properties = self._statements.get(subject, {})
        # The types of the thing itself stand below its name.
        hidden = {ox.NamedNode(_TYPE)} if depth == 0 and not with_types else set()
        return self._grouped({one: values for one, values in properties.items() if one not in hidden}, depth)

    def _grouped(self, properties: Mapping[ox.NamedNode, Mapping[Term, list[str]]], depth: int) -> tuple[Group, ...]:
        groups = (
            Group(
                self.value(predicate),
                tuple(sorted((self.value(one, graphs, depth + 1) for one, graphs in values.items()), key=self._order)),
            )
            for predicate, values in properties.items()
        )
        return tuple(sorted(groups, key=lambda group: group.property.text.casefold()))

    def value(self, term: Term, graphs: Iterable[str] = (), depth: int = _MAX_DEPTH) -> Value:
        """Return a term as it is shown; what is described with the thing, down to a depth."""
        shown = tuple(sorted({one.removeprefix(self._addresses.base) for one in graphs if one}))
        if isinstance(term, ox.Literal):
            datatype = (
                "" if term.language or term.datatype.value == _STRING else self._iris.shorten(term.datatype.value)
            )
            return Value(term.value, canonical_language(term.language or ""), datatype, graphs=shown)
        groups = self.groups(term, depth) if depth < _MAX_DEPTH and term != self._thing else ()
        if isinstance(term, ox.NamedNode):
            names = self._names.get(term, {})
            text = in_language(names, self._language)
            language = next((tag for tag, name in names.items() if name == text), "")
            iri = term.value
            return Value(
                text or self._iris.shorten(iri), language, "", iri, link_of(iri, self._addresses), shown, groups
            )
        return Value("" if groups else str(term), graphs=shown, groups=groups)

    def _order(self, value: Value) -> tuple[bool, str, str]:
        """Put texts in the visitor's language first."""
        return value.language != self._language, value.language, value.text.casefold()
