"""SHACL: the targets of shapes, validation by pyshacl over an rdflib graph, and its results with their remedies.

pyshacl never runs over an rdflib graph backed by Oxigraph: it is slow there, and wrong about plain literals and bound
variables.
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
    targeted = {shape for target in _TARGETS for shape in shapes.subjects(target)}
    return sorted(targeted | {shape for shape in node_shapes(shapes) if _is_class(shapes, shape)}, key=str)


def node_shapes(shapes: rdflib.Graph) -> list[Node]:
    """Return the node shapes that have an IRI, in the order of their IRIs."""
    found = set(shapes.subjects(RDF.type, SH.NodeShape))
    return sorted((shape for shape in found if isinstance(shape, rdflib.URIRef)), key=str)


def focus_nodes(shapes: rdflib.Graph, shape: Node, data: rdflib.Graph) -> set[Node]:
    """Return the focus nodes in ``data`` of the shape's own targets (SHACL, section 2.1)."""
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


def is_targeted_by_property(shapes: rdflib.Graph, shape: Node) -> bool:
    """Return whether nodes are targets only by using a property, as for a shape that forbids the property."""
    has_class = any((shape, target, None) in shapes for target in (SH.targetNode, SH.targetClass))
    return not has_class and not _is_class(shapes, shape)


class RetargetedShapes:
    """Shapes whose targets can be replaced, so that only some nodes are validated, also by shapes within shapes."""

    def __init__(self, shapes: rdflib.Graph) -> None:
        classes = {node for node in node_shapes(shapes) if _is_class(shapes, node)}
        self._kept = [
            (subject, predicate, value)
            for subject, predicate, value in shapes
            if predicate not in _TARGETS and not (predicate == RDF.type and value in _CLASSES and subject in classes)
        ]

    def with_targets(self, targets: Mapping[Node, Iterable[Node]]) -> MemoryGraph:
        """Return the shapes with ``targets`` as their only targets; shapes that it does not name have none."""
        retargeted = MemoryGraph()
        for statement in self._kept:
            retargeted.add(statement)
        for shape, nodes in targets.items():
            for node in nodes:
                retargeted.add((shape, SH.targetNode, node))
        return retargeted


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
_PATH_OPERATORS: dict[rdflib.term.Node, tuple[str, str]] = {
    SH.inversePath: ("^", ""),
    SH.zeroOrMorePath: ("", "*"),
    SH.oneOrMorePath: ("", "+"),
    SH.zeroOrOnePath: ("", "?"),
}


def shapes_graph(quads: Iterable[ox.Quad], iris: Iris) -> MemoryGraph:
    """Return the shapes, with the publication's prefixes declared where ``sh:prefixes`` refers to declarations."""
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
    """Return the results of validating ``data`` without inference and without a copy of it.

    Raises StoreError when a shape is malformed or cannot be evaluated.
    """
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    except (RuntimeError, QueryError, re.error) as error:
        raise StoreError(str(error)) from error
    if not isinstance(report, rdflib.Graph):
        raise StoreError(str(report))
    # Results within sh:detail belong to another result, which is reported already.
    top = (node for parent in report.subjects(SH.conforms) for node in report.objects(parent, SH.result))
    return tuple(_result(report, node) for node in top)


def named_shape(shapes: rdflib.Graph, shape: rdflib.term.Node) -> str | None:
    """Return the IRI of a shape or, if it is a blank node, of the shape that contains it."""
    seen: set[rdflib.term.Node] = set()
    while isinstance(shape, rdflib.BNode) and shape not in seen:
        seen.add(shape)
        shape = next(iter(shapes.subjects(None, shape)), shape)
    return str(shape) if isinstance(shape, rdflib.URIRef) else None


def path_text(path: rdflib.term.Node | None, graph: rdflib.Graph, iris: Iris) -> str:
    """Return a path of ``graph`` in SPARQL's syntax (SPARQL 1.1, section 9.1); empty for None."""
    if not isinstance(path, rdflib.BNode):
        return "" if path is None else iris.shorten(str(path))
    if (path, RDF.first, None) in graph:
        return "/".join(path_text(part, graph, iris) for part in graph.items(path))
    kind, part = next(graph.predicate_objects(path))
    if kind == SH.alternativePath:
        return "|".join(path_text(each, graph, iris) for each in graph.items(part))
    before, after = _PATH_OPERATORS.get(kind, ("", ""))
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
    """Return the English message or, if there is none, the first in alphabetical order."""
    ranked = sorted((getattr(text, "language", None) not in ("en", None), str(text)) for text in messages)
    return " ".join(ranked[0][1].split()) if ranked else "does not conform"


_REMEDIES = {
    "MinCountConstraintComponent": "add {path}",
    "MaxCountConstraintComponent": "keep no more than {maxCount} of {path}",
    "ClassConstraintComponent": "make {path} point to an instance of {class}, or add that class to the thing",
    "DatatypeConstraintComponent": "write the value of {path} as {datatype}",
    "NodeKindConstraintComponent": "give {path} a value of the kind {nodeKind}",
    "InConstraintComponent": "choose one of {in}",
    "HasValueConstraintComponent": "add {path} {hasValue}",
    "PatternConstraintComponent": "write the value of {path} so that it matches {pattern}",
    "MinLengthConstraintComponent": "lengthen the value of {path} to at least {minLength} characters",
    "MaxLengthConstraintComponent": "shorten the value of {path} to at most {maxLength} characters",
    "LanguageInConstraintComponent": "give the value of {path} one of the language tags {languageIn}",
    "UniqueLangConstraintComponent": "keep one value of {path} in each language",
    "QualifiedMinCountConstraintComponent": "add {path} with a value {qualifiedValueShape}",
    "QualifiedMaxCountConstraintComponent": (
        "keep no more than {qualifiedMaxCount} of {path} with a value {qualifiedValueShape}"
    ),
    "LessThanConstraintComponent": "make {path} less than {lessThan}",
    "LessThanOrEqualsConstraintComponent": "make {path} not greater than {lessThanOrEquals}",
    "MinInclusiveConstraintComponent": "give {path} a value of at least {minInclusive}",
    "MaxInclusiveConstraintComponent": "give {path} a value of at most {maxInclusive}",
    "MinExclusiveConstraintComponent": "give {path} a value above {minExclusive}",
    "MaxExclusiveConstraintComponent": "give {path} a value below {maxExclusive}",
    "EqualsConstraintComponent": "make {path} the same as {equals}",
    "DisjointConstraintComponent": "make {path} differ from {disjoint}",
    "ClosedConstraintComponent": "remove the property, or add it to the shape",
}
_QUALIFIERS = {"languageIn": "with the language tag", "class": "of class", "hasValue": "that is"}
_GENERAL_REMEDY = "change the data as the message says"


def remedy(component: str, shape: rdflib.term.Node, shapes: rdflib.Graph, iris: Iris) -> str:
    """Return what to do about a node that violates the constraint ``component`` of ``shape``."""
    template = _REMEDIES.get(component)
    if template is None:
        return _GENERAL_REMEDY
    names = [part.partition("}")[0] for part in template.split("{")[1:]]
    values = {name: _constraint_value(shapes, shapes.value(shape, SH[name]), iris) for name in names}
    if qualified := shapes.value(shape, SH.qualifiedValueShape):
        values["qualifiedValueShape"] = _qualification(shapes, qualified, iris)
    return template.format_map(values) if all(values.values()) else _GENERAL_REMEDY


def _qualification(shapes: rdflib.Graph, qualified: rdflib.term.Node, iris: Iris) -> str:
    """Describe the values that count towards a qualified constraint (SHACL, section 4.7.3)."""
    for name, words in _QUALIFIERS.items():
        if text := _constraint_value(shapes, shapes.value(qualified, SH[name]), iris):
            return f"{words} {text}"
    return "as the shape requires"


def _constraint_value(shapes: rdflib.Graph, term: rdflib.term.Node | None, iris: Iris) -> str:
    if isinstance(term, rdflib.URIRef):
        return "()" if term == RDF.nil else iris.shorten(str(term))
    if isinstance(term, rdflib.BNode):
        items = [_constraint_value(shapes, item, iris) for item in shapes.items(term)]
        return ", ".join(items) if items and all(items) else ""
    return "" if term is None else str(term)
