"""A description as compact JSON-LD 1.1: a tree for programmers, with the terms of the publication's own context.

The thing is the root. Another thing that is described in the document is an object where it is first referred to;
what refers to the root stands under ``@reverse``; what else is described, such as labels, under ``@included``. The tree
has exactly the triples of the description.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyoxigraph as ox

from twingraph.errors import QueryError

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE, _STRING, _INTEGER, _BOOLEAN = _RDF + "type", _XSD + "string", _XSD + "integer", _XSD + "boolean"
# Beyond this depth, things that are described are not nested but included.
_MAX_DEPTH = 40
# Integers of at most so many digits are exact in every JSON parser (RFC 8259, section 6).
_MAX_DIGITS = 15

Node = ox.NamedNode | ox.BlankNode
Json = Any


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of a context; ``type`` is its coercion, empty without one."""

    name: str
    type: str = ""
    is_language_map: bool = False


@dataclass(frozen=True)
class Context:
    """A JSON-LD context, at ``address``; ``definitions`` is the content of its ``@context``."""

    address: str
    definitions: Mapping[str, Json]

    @cached_property
    def terms(self) -> Mapping[str, _Term]:
        """The terms by their IRIs."""
        found = {}
        for name, definition in self.definitions.items():
            if isinstance(definition, dict) and "@id" in definition:
                is_map = definition.get("@container") == "@language"
                found[definition["@id"]] = _Term(name, definition.get("@type", ""), is_map)
            elif isinstance(definition, str) and not definition.startswith("@") and definition[-1:] not in "/#":
                found[definition] = _Term(name)
        return found

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """The prefixes by their namespaces."""
        every = self.definitions.items()
        return {iri: name for name, iri in every if isinstance(iri, str) and iri[-1:] in ("/", "#")}

    def name(self, iri: str) -> str:
        """Return the term for an IRI, else its compact IRI, else the IRI."""
        return self.terms[iri].name if iri in self.terms else self.compact(iri)

    def compact(self, iri: str) -> str:
        """Return the compact IRI of an IRI, or the IRI if it has none."""
        cut = max(iri.rfind("/"), iri.rfind("#")) + 1
        prefix, local = self.prefixes.get(iri[:cut]), iri[cut:]
        name = f"{prefix}:{local}"
        return name if prefix and local and name not in self.definitions else iri


def compact_json_ld(root: str, quads: Iterable[ox.Quad], context: Context) -> bytes:
    """Return the triples as JSON-LD with ``root`` as the outermost object.

    Raises QueryError for terms of RDF 1.2, which JSON-LD cannot represent.
    """
    nodes: dict[Node, dict[str, list[Any]]] = {}
    for quad in quads:
        if isinstance(quad.subject, ox.Triple) or isinstance(quad.object, ox.Triple):
            raise QueryError("the document has triple terms (RDF 1.2), which JSON-LD cannot represent")
        values = nodes.setdefault(quad.subject, {}).setdefault(quad.predicate.value, [])
        if quad.object not in values:
            values.append(quad.object)
    document = _Tree(context, nodes).document(ox.NamedNode(root))
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


@dataclass
class _Tree:
    """Nodes that have not been written yet, by subject and property."""

    context: Context
    nodes: dict[Node, dict[str, list[Any]]]
    _waiting: set[Node] = field(init=False)

    def __post_init__(self) -> None:
        self._waiting = set(self.nodes)

    def document(self, root: ox.NamedNode) -> Json:
        reverse = self._links_into(root)
        document = {"@context": self.context.address, **self._node(root, 0)}
        if reverse:
            document["@reverse"] = {
                key: [self._reference(subject, 1) for subject in subjects] for key, subjects in reverse.items()
            }
        included = [self._node(subject, 1) for subject in self.nodes if subject in self._waiting]
        if included:
            document["@included"] = included
        return document

    def _links_into(self, root: ox.NamedNode) -> dict[str, list[Node]]:
        """Take the statements out whose object is the root, and return their subjects by the key of the property."""
        found: dict[str, list[Node]] = {}
        for subject, properties in self.nodes.items():
            for predicate in [name for name, values in properties.items() if root in values]:
                if subject == root or predicate == _TYPE:
                    continue
                term = self.context.terms.get(predicate)
                # A reverse property cannot have a language map (JSON-LD 1.1, section 4.8).
                key = predicate if term and term.is_language_map else self.context.name(predicate)
                found.setdefault(key, []).append(subject)
                properties[predicate].remove(root)
                if not properties[predicate]:
                    del properties[predicate]
        self._waiting -= {subject for subject, properties in self.nodes.items() if not properties}
        return found

    def _node(self, subject: Node, depth: int) -> dict[str, Json]:
        """Write a subject with its properties."""
        self._waiting.discard(subject)
        written: dict[str, Json] = {"id": _identifier(subject)}
        for predicate, values in self.nodes.get(subject, {}).items():
            if predicate == _TYPE and (named := [value for value in values if not isinstance(value, ox.Literal)]):
                written["type"] = _one_or_all([_type_name(self.context, value) for value in named])
                values = [value for value in values if isinstance(value, ox.Literal)]
            self._write(written, predicate, values, depth)
        return written

    def _write(self, written: dict[str, Json], predicate: str, values: list[Any], depth: int) -> None:
        term = self.context.terms.get(predicate)
        if term and term.is_language_map:
            texts = [value for value in values if _is_text(value)]
            if texts:
                written[term.name] = _language_map(texts)
            values, term = [value for value in values if not _is_text(value)], None
            key = self.context.compact(predicate)
        else:
            key = term.name if term else self.context.name(predicate)
        if values:
            coercion = term.type if term else ""
            written[key] = _one_or_all([self._value(value, coercion, depth + 1) for value in values])

    def _value(self, value: Any, coercion: str, depth: int) -> Json:
        if isinstance(value, ox.Literal):
            return _literal(value, coercion)
        if coercion == "@id" and not (value in self._waiting and depth < _MAX_DEPTH):
            return _identifier(value)
        return self._reference(value, depth)

    def _reference(self, node: Node, depth: int) -> Json:
        if node in self._waiting and depth < _MAX_DEPTH:
            return self._node(node, depth)
        return {"id": _identifier(node)}


def _identifier(node: Node) -> str:
    return node.value if isinstance(node, ox.NamedNode) else f"_:{node.value}"


def _type_name(context: Context, node: Node) -> str:
    return context.name(node.value) if isinstance(node, ox.NamedNode) else _identifier(node)


def _is_text(value: Any) -> bool:
    return isinstance(value, ox.Literal) and (value.language is not None or value.datatype.value == _STRING)


def _language_map(texts: Iterable[ox.Literal]) -> dict[str, Json]:
    """Return a language map (JSON-LD 1.1, section 4.6.2)."""
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(text.language or "@none", []).append(text.value)
    return {language: _one_or_all(values) for language, values in sorted(found.items())}


def _literal(literal: ox.Literal, coercion: str) -> Json:
    if literal.language is not None:
        return {"@value": literal.value, "@language": literal.language}
    text, datatype = literal.value, literal.datatype.value
    native = _native(text, datatype)
    if native is not None and coercion in ("", datatype):
        return native
    if datatype == (coercion or _STRING):
        return text
    return {"@value": text} if datatype == _STRING else {"@value": text, "@type": datatype}


def _native(text: str, datatype: str) -> int | bool | None:
    """Return a number or a Boolean of JSON from which exactly this literal is parsed, None if there is none."""
    if datatype == _BOOLEAN and text in ("true", "false"):
        return text == "true"
    if datatype == _INTEGER and len(text) <= _MAX_DIGITS and text.removeprefix("-").isdecimal():
        return int(text) if text.isascii() and str(int(text)) == text else None
    return None


def _one_or_all(values: list[Json]) -> Json:
    return values[0] if len(values) == 1 else values
