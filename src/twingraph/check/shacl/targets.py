"""The targets of shapes and the focus nodes that they reach (SHACL, section 2.1.3)."""

from collections.abc import Iterable, Iterator, Mapping

import rdflib
from rdflib.namespace import OWL, RDF, RDFS, SH

from twingraph.check.shacl.memory_graph import MemoryGraph

Node = rdflib.term.Node

_TARGETS = (SH.targetNode, SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf)
_CLASSES = (RDFS.Class, OWL.Class)


def targeted_shapes(shapes: rdflib.Graph) -> list[Node]:
    """Return the shapes that have a target of their own, in the order of their IRIs."""
    found = {shape for target in _TARGETS for shape in shapes.subjects(target)}
    return sorted(found | {shape for shape in node_shapes(shapes) if _is_class(shapes, shape)}, key=str)


def node_shapes(shapes: rdflib.Graph) -> list[Node]:
    """Return the node shapes that bear an IRI, in the order of their IRIs."""
    found = set(shapes.subjects(RDF.type, SH.NodeShape))
    return sorted((shape for shape in found if isinstance(shape, rdflib.URIRef)), key=str)


def focus_nodes(shapes: rdflib.Graph, shape: Node, data: rdflib.Graph) -> set[Node]:
    """Return the nodes of ``data`` that the shape's own targets reach."""
    found = set(shapes.objects(shape, SH.targetNode))
    classes = set(shapes.objects(shape, SH.targetClass)) | ({shape} if _is_class(shapes, shape) else set())
    for name in classes:
        for kind in data.transitive_subjects(RDFS.subClassOf, name):
            found.update(data.subjects(RDF.type, kind))
    found.update(
        node for predicate in _predicates(shapes, shape, SH.targetSubjectsOf) for node in data.subjects(predicate)
    )
    found.update(
        node for predicate in _predicates(shapes, shape, SH.targetObjectsOf) for node in data.objects(None, predicate)
    )
    return found


def finds_by_property(shapes: rdflib.Graph, shape: Node) -> bool:
    """Tell whether only the use of a property makes a node a target, as in a shape that forbids the property."""
    has_class = any((shape, target, None) in shapes for target in (SH.targetNode, SH.targetClass))
    return not has_class and not _is_class(shapes, shape)


class Aim:
    """Shapes whose targets are replaced, so that few nodes are validated: right for shapes within shapes as well."""

    def __init__(self, shapes: rdflib.Graph) -> None:
        classes = {node for node in node_shapes(shapes) if _is_class(shapes, node)}
        self._kept = [
            (subject, predicate, value)
            for subject, predicate, value in shapes
            if predicate not in _TARGETS and not (predicate == RDF.type and value in _CLASSES and subject in classes)
        ]

    def at(self, targets: Mapping[Node, Iterable[Node]]) -> MemoryGraph:
        """Return the shapes with these nodes as the only targets of each of them, all others without any."""
        aimed = MemoryGraph()
        for statement in self._kept:
            aimed.add(statement)
        for shape, nodes in targets.items():
            for node in nodes:
                aimed.add((shape, SH.targetNode, node))
        return aimed


def _is_class(shapes: rdflib.Graph, shape: Node) -> bool:
    return any((shape, RDF.type, kind) in shapes for kind in _CLASSES)


def _predicates(shapes: rdflib.Graph, shape: Node, target: rdflib.URIRef) -> Iterator[rdflib.URIRef]:
    for predicate in shapes.objects(shape, target):
        if isinstance(predicate, rdflib.URIRef):
            yield predicate
