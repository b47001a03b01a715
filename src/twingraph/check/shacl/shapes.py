"""SHACL: pyshacl over an rdflib graph, and its results.

Never over rdflib's own graph of the engine: pyshacl is slow there, and wrong about plain literals and bound variables.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyoxigraph as ox
import pyshacl
import rdflib
from rdflib.namespace import OWL, RDF, RDFS, SH, XSD

from twingraph.check.shacl.graphs import MemoryGraph, memory_graph
from twingraph.errors import QueryError, StoreError
from twingraph.findings import Severity
from twingraph.rdf.iris import Iris

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


class RetargetedShapes:
    """Shapes whose targets are replaced, so that few nodes are validated: right for shapes within shapes as well."""

    def __init__(self, shapes: rdflib.Graph) -> None:
        classes = {node for node in node_shapes(shapes) if _is_class(shapes, node)}
        self._kept = [
            (subject, predicate, value)
            for subject, predicate, value in shapes
            if predicate not in _TARGETS and not (predicate == RDF.type and value in _CLASSES and subject in classes)
        ]

    def with_targets(self, targets: Mapping[Node, Iterable[Node]]) -> MemoryGraph:
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


_SEVERITIES: dict[rdflib.term.Node | None, Severity] = {
    SH.Violation: Severity.VIOLATION,
    SH.Warning: Severity.WARNING,
    SH.Info: Severity.INFO,
}
_PATH_SIGNS: dict[rdflib.term.Node, tuple[str, str]] = {
    SH.inversePath: ("^", ""),
    SH.zeroOrMorePath: ("", "*"),
    SH.oneOrMorePath: ("", "+"),
    SH.zeroOrOnePath: ("", "?"),
}


def shapes_graph(quads: Iterable[ox.Quad], iris: Iris) -> MemoryGraph:
    """Return the shapes, with the publication's prefixes declared wherever ``sh:prefixes`` refers to declarations."""
    graph = memory_graph(quads)
    for owner in sorted(set(graph.objects(None, SH.prefixes)), key=str):
        declared = {str(graph.value(node, SH.prefix)) for node in graph.objects(owner, SH.declare)}
        for prefix, namespace in iris.namespaces.items():
            if prefix not in declared:
                node = rdflib.BNode()
                graph.add((owner, SH.declare, node))
                graph.add((node, SH.prefix, rdflib.Literal(prefix)))
                graph.add((node, SH.namespace, rdflib.Literal(namespace, datatype=XSD.anyURI)))
    return graph


@dataclass(frozen=True, slots=True)
class Result:
    """One validation result (SHACL, section 3.6.2); ``component`` is the local name of its constraint component."""

    focus: rdflib.term.Node
    path: rdflib.term.Node | None
    value: rdflib.term.Node | None
    component: str
    shape: rdflib.term.Node
    severity: Severity
    message: str


def validate(data: MemoryGraph, shapes: MemoryGraph) -> tuple[Result, ...]:
    """Return the results of validating ``data`` as it is, nothing inferred and nothing copied.

    Raises StoreError when a shape is malformed or cannot be evaluated.
    """
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    except (RuntimeError, QueryError, re.error) as error:
        raise StoreError(str(error)) from error
    if not isinstance(report, rdflib.Graph):
        raise StoreError(str(report))
    # Results within sh:detail belong to another result, which says it all.
    top = (node for parent in report.subjects(SH.conforms) for node in report.objects(parent, SH.result))
    return tuple(_result(report, node) for node in top)


def owner(shapes: rdflib.Graph, shape: rdflib.term.Node) -> str | None:
    """Return the IRI of a shape, or of the shape that holds it when it is a blank node."""
    seen: set[rdflib.term.Node] = set()
    while isinstance(shape, rdflib.BNode) and shape not in seen:
        seen.add(shape)
        shape = next(iter(shapes.subjects(None, shape)), shape)
    return str(shape) if isinstance(shape, rdflib.URIRef) else None


def path_text(path: rdflib.term.Node | None, graph: rdflib.Graph, iris: Iris) -> str:
    """Return a path of ``graph`` as SPARQL writes it (SPARQL 1.1, section 9.1), empty for none."""
    if not isinstance(path, rdflib.BNode):
        return "" if path is None else iris.shorten(str(path))
    if (path, RDF.first, None) in graph:
        return "/".join(path_text(part, graph, iris) for part in graph.items(path))
    kind, part = next(graph.predicate_objects(path))
    if kind == SH.alternativePath:
        return "|".join(path_text(each, graph, iris) for each in graph.items(part))
    before, after = _PATH_SIGNS.get(kind, ("", ""))
    return f"{before}{path_text(part, graph, iris)}{after}"


def _result(report: rdflib.Graph, node: rdflib.term.Node) -> Result:
    focus, shape = report.value(node, SH.focusNode), report.value(node, SH.sourceShape)
    component = str(report.value(node, SH.sourceConstraintComponent)).rpartition("#")[2]
    severity = _SEVERITIES.get(report.value(node, SH.resultSeverity), Severity.VIOLATION)
    path, value = report.value(node, SH.resultPath), report.value(node, SH.value)
    if focus is None or shape is None:
        raise StoreError(f"a result of {component} lacks its focus node or shape")
    return Result(focus, path, value, component, shape, severity, _message(report.objects(node, SH.resultMessage)))


def _message(messages: Iterable[rdflib.term.Node]) -> str:
    """Return the English message, or the first of them all."""
    ranked = sorted((getattr(text, "language", None) not in ("en", None), str(text)) for text in messages)
    return " ".join(ranked[0][1].split()) if ranked else "does not conform"
