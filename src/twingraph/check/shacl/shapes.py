"""SHACL: the targets of shapes, validation by pyshacl over an rdflib graph, and its results with their remedies.

pyshacl never runs over an rdflib graph backed by Oxigraph: it is slow there, and wrong about plain literals and bound
variables.
"""

import ast
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from traceback import walk_tb
from types import FrameType
from warnings import catch_warnings, simplefilter

import pyoxigraph as ox
import pyshacl
import rdflib
from pyshacl.shape import Shape as PyshaclShape
from rdflib.namespace import OWL, RDF, RDFS, SH, XSD

from twingraph.check.shacl.graphs import MemoryGraph, memory_graph, turtle_term
from twingraph.errors import StoreError
from twingraph.findings import ResultTerms, Severity
from twingraph.rdf.iris import Iris

Node = rdflib.term.Node

TARGETS = (SH.targetNode, SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf)
_CLASSES = (RDFS.Class, OWL.Class)


def targeted_shapes(shapes: rdflib.Graph) -> list[Node]:
    """Return the shapes that have a target of their own, in the order of their IRIs."""
    targeted = {shape for target in TARGETS for shape in shapes.subjects(target)}
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
            if predicate not in TARGETS and not (predicate == RDF.type and value in _CLASSES and subject in classes)
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


# The logger of pyshacl.validate.
_PYSHACL_LOGGER = "pyshacl-validate"
_MAX_REASON = 500
_SEVERITIES: dict[rdflib.term.Node | None, Severity] = {
    SH.Violation: Severity.VIOLATION,
    SH.Warning: Severity.WARNING,
    SH.Info: Severity.INFO,
}
_RESULT_PROPERTIES = ("focusNode", "sourceShape", "resultPath", "value", "resultSeverity", "sourceConstraintComponent")
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
    """One validation result (SHACL, section 3.6.2); ``component`` is the local name of its constraint component.

    ``terms`` are all its parts as Turtle writes them.
    """

    focus: rdflib.term.Node
    path: rdflib.term.Node | None
    value: rdflib.term.Node | None
    component: str
    shape: rdflib.term.Node
    severity: Severity
    message: str
    terms: ResultTerms


def validate(data: MemoryGraph, shapes: MemoryGraph) -> tuple[Result, ...]:
    """Return the results of validating ``data`` without inference and without a copy of it.

    Raises ShapeError when a shape is malformed or cannot be evaluated.
    """
    try:
        with _silence() as skipped:
            _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    except Exception as error:  # pyshacl raises whatever rdflib and Python raise when they evaluate a constraint
        raise ShapeError(_reason(error), shape_in(walk_tb(error.__traceback__))) from error
    if not isinstance(report, rdflib.Graph):
        raise ShapeError(_reason(report), None)
    if skipped:
        raise ShapeError(skipped[0], None)
    # Results within sh:detail belong to another result, which is reported already.
    top = (node for parent in report.subjects(SH.conforms) for node in report.objects(parent, SH.result))
    return tuple(_result(report, node) for node in top)


class ShapeError(Exception):
    """Shapes could not be evaluated for ``reason``; ``shape`` is the one with a target that was being evaluated."""

    def __init__(self, reason: str, shape: Node | None) -> None:
        self.reason, self.shape = reason, shape
        super().__init__(reason)


def shape_in(frames: Iterable[tuple[FrameType, int]]) -> Node | None:
    """Return the first shape that pyshacl evaluates in a stack, outermost frame first."""
    found = (frame.f_locals.get("self") for frame, _ in frames)
    return next((each.node for each in found if isinstance(each, PyshaclShape)), None)


def _reason(error: object) -> str:
    return _shortened(" ".join(str(error).split()) or type(error).__name__)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_REASON else text[: _MAX_REASON - 3] + "..."


@contextmanager
def _silence() -> Iterator[list[str]]:
    """Keep pyshacl from printing; yield what it logs as it skips a constraint."""
    skipped: list[str] = []

    def collect(record: logging.LogRecord) -> bool:
        skipped.append(" ".join(record.getMessage().split()))
        return False

    logger = logging.getLogger(_PYSHACL_LOGGER)
    logger.addFilter(collect)
    try:
        with redirect_stdout(StringIO()), catch_warnings():
            simplefilter("ignore")  # recursive shapes, which are reported by their names
            yield skipped
    finally:
        logger.removeFilter(collect)


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
    facts = {name: report.value(node, SH[name]) for name in _RESULT_PROPERTIES}
    focus, shape, path, value, severity, component = (facts[name] for name in _RESULT_PROPERTIES)
    messages = tuple(report.objects(node, SH.resultMessage))
    if focus is None or shape is None or component is None:
        raise StoreError(f"a result of {component} lacks its focus node, shape or component")
    terms = ResultTerms(
        focus=turtle_term(focus),
        path=path_turtle(path, report) if path is not None else None,
        value=turtle_term(value) if value is not None else None,
        component=turtle_term(component),
        shape=turtle_term(shape),
        severity=turtle_term(severity or SH.Violation),
        messages=tuple(sorted(map(turtle_term, messages))),
    )
    local_name = str(component).rpartition("#")[2]
    known = _SEVERITIES.get(severity, Severity.VIOLATION)
    return Result(focus, path, value, local_name, shape, known, _message(messages), terms)


def path_turtle(path: rdflib.term.Node, graph: rdflib.Graph) -> str:
    """Return a path of ``graph`` as Turtle writes it, without labels of blank nodes."""
    if not isinstance(path, rdflib.BNode):
        return turtle_term(path)
    if (path, RDF.first, None) in graph:
        return f"( {' '.join(path_turtle(part, graph) for part in graph.items(path))} )"
    facts = (f"{turtle_term(kind)} {path_turtle(part, graph)}" for kind, part in graph.predicate_objects(path))
    return f"[ {' ; '.join(facts)} ]"


def _message(messages: Iterable[rdflib.term.Node]) -> str:
    """Return the English message or, if there is none, the first in alphabetical order."""
    ranked = sorted((getattr(text, "language", None) not in ("en", None), str(text)) for text in messages)
    return _readable(ranked[0][1]) if ranked else "does not conform"


# How pyshacl's own messages show a blank node, with all statements about it, and a set.
_BLANK_NODE = re.compile(r"\[ <.*\]", re.DOTALL)
_SET = re.compile(r"(?<= not in list )\['.*'\]", re.DOTALL)


def _readable(message: str) -> str:
    """Return a message without line ends and the statements about blank nodes, its sets in order."""
    text = _SET.sub(lambda match: _sorted(match[0]), " ".join(message.split()))
    return _shortened(_BLANK_NODE.sub("[]", text))


def _sorted(text: str) -> str:
    try:
        return str(sorted(ast.literal_eval(text)))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text


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
