"""The shapes themselves, validated by the shapes of the specification (SHACL, appendix C), which come with pyshacl."""

from collections.abc import Iterator
from importlib.resources import files

import pyoxigraph as ox
import rdflib
from rdflib.namespace import RDF, SH

from twingraph.check.shacl.graphs import MemoryGraph, memory_graph
from twingraph.check.shacl.shapes import Node, Result, validate

_BASE = "http://www.w3.org/ns/shacl-shacl#"


def validate_shapes(shapes: MemoryGraph) -> tuple[Result, ...]:
    """Return the results of validating a graph of shapes; raises ShapeError."""
    content = (files("pyshacl") / "assets" / "shacl-shacl.ttl").read_bytes()
    rules = memory_graph(ox.parse(content, format=ox.RdfFormat.TURTLE, base_iri=_BASE))
    # Half of the time goes into property shapes that differ in nothing but the names of properties and classes.
    return validate(shapes, rules) if validate(_distinct(shapes), rules) else ()


def _distinct(shapes: MemoryGraph) -> MemoryGraph:
    """Return the shapes with one of all anonymous property shapes that only differ in what is not judged."""
    seen: set[str] = set()
    dropped: set[Node] = set()
    for shape in sorted(set(shapes.objects(None, SH.property)), key=str):
        form = _form(shapes, shape) if isinstance(shape, rdflib.BNode) else str(shape)
        if form in seen:
            dropped.update(_within(shapes, shape))
        seen.add(form)
    distinct = MemoryGraph()
    for subject, predicate, value in shapes:
        if subject not in dropped and value not in dropped:
            distinct.add((subject, predicate, value))
    return distinct


def _form(shapes: MemoryGraph, term: Node, trail: tuple[Node, ...] = ()) -> str:
    """Return what SHACL-SHACL judges of a term: the kind of a literal, the name of a term of SHACL, statements."""
    if isinstance(term, rdflib.Literal):
        return f"{term.datatype} {bool(term.language)} {term.ill_typed}"
    if isinstance(term, rdflib.URIRef):
        is_judged = term.startswith(str(SH)) or term == RDF.nil or (term, None, None) in shapes
        return str(term) if is_judged else "IRI"
    if term in trail:  # a shape that refers to itself is like no other
        return str(term)
    facts = ((str(name), _form(shapes, value, (*trail, term))) for name, value in shapes.predicate_objects(term))
    return repr(sorted(facts))


def _within(shapes: MemoryGraph, shape: Node) -> Iterator[Node]:
    """Yield a shape and the blank nodes in it that are in nothing else."""
    yield shape
    for value in shapes.objects(shape):
        if isinstance(value, rdflib.BNode) and list(shapes.subjects(None, value)) == [shape]:
            yield from _within(shapes, value)
