"""The shapes themselves, validated by the shapes of the specification (SHACL, appendix C), which come with pyshacl."""

from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files

import pyoxigraph as ox
import rdflib
from rdflib.namespace import RDF, SH

from twingraph.check.shacl.constraints import without
from twingraph.check.shacl.graphs import MemoryGraph, memory_graph
from twingraph.check.shacl.shapes import Node, Result, validate

_BASE = "http://www.w3.org/ns/shacl-shacl#"


def validate_shapes(shapes: MemoryGraph) -> tuple[Result, ...]:
    """Return the results of validating a graph of shapes; raises ShapeError."""
    content = (files("pyshacl") / "assets" / "shacl-shacl.ttl").read_bytes()
    rules = memory_graph(ox.parse(content, format=ox.RdfFormat.TURTLE, base_iri=_BASE))
    # Most of the time goes into property shapes that differ in nothing but the names of properties and classes.
    alike = _alike(shapes)
    dropped = [shape for like in alike for shape in like[1:]]
    results = validate(_without(shapes, dropped), rules)
    if not results:
        return ()
    faulty = {result.focus for result in results}
    dropped = [shape for like in alike if faulty.isdisjoint(_within(shapes, like[0])) for shape in like[1:]]
    return validate(_without(shapes, dropped), rules)


def _alike(shapes: MemoryGraph) -> list[list[Node]]:
    """Return the property shapes in groups that only differ in what is not judged."""
    groups: dict[str, list[Node]] = defaultdict(list)
    for shape in sorted(set(shapes.objects(None, SH.property)), key=str):
        if set(shapes.predicates(None, shape)) == {SH.property}:
            groups[_facts(shapes, shape, ())].append(shape)
    return list(groups.values())


def _without(shapes: MemoryGraph, dropped: Iterable[Node]) -> MemoryGraph:
    gone = {node for shape in dropped for node in _within(shapes, shape)}
    return without((triple for triple in shapes if triple[0] not in gone and triple[2] not in gone), ())


def _form(shapes: MemoryGraph, term: Node, trail: tuple[Node, ...] = ()) -> str:
    """Return what SHACL-SHACL judges of a term: the kind of a literal, the name of a term of SHACL, statements."""
    if isinstance(term, rdflib.Literal):
        return f"{term.datatype} {bool(term.language)} {term.ill_typed}"
    if isinstance(term, rdflib.URIRef):
        is_judged = term.startswith(str(SH)) or term == RDF.nil or (term, None, None) in shapes
        return str(term) if is_judged else "IRI"
    if term in trail:  # a shape that refers to itself is like no other
        return str(term)
    return _facts(shapes, term, (*trail, term))


def _facts(shapes: MemoryGraph, term: Node, trail: tuple[Node, ...]) -> str:
    return repr(sorted((str(name), _form(shapes, value, trail)) for name, value in shapes.predicate_objects(term)))


def _within(shapes: MemoryGraph, shape: Node) -> set[Node]:
    """Return a shape and the blank nodes in it that are in nothing else."""
    found, waiting = {shape}, [shape]
    while waiting:
        for value in shapes.objects(waiting.pop()):
            if isinstance(value, rdflib.BNode) and value not in found and set(shapes.subjects(None, value)) <= found:
                found.add(value)
                waiting.append(value)
    return found
