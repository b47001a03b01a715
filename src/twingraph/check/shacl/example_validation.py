"""Validation of examples by one shape each, in a process that is ended at the limits."""

from dataclasses import dataclass
from typing import cast

import rdflib

from twingraph.check.shacl.graphs import memory_graph, without_literal_warnings
from twingraph.check.shacl.shapes import RetargetedShapes, ShapeError, focus_nodes, path_text, shapes_graph, validate
from twingraph.child_process import ChildProcess
from twingraph.errors import LimitError, QueryError, StoreError
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads
from twingraph.settings import CheckLimits

_MODULE = "twingraph.check.shacl.validator_process"


@dataclass(frozen=True, slots=True)
class BeginExamples:
    """The first request to a process: the statements that all examples are added to, and the shapes."""

    lines: NQuads
    shapes: NQuads
    iris: Iris
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class EvaluateExample:
    """The request to validate, by the shape with this IRI, those of its focus nodes that are in an example."""

    example: NQuads
    shape: str


@dataclass(frozen=True, slots=True)
class ExampleOutcome:
    """The component and the path of each result, None when the example has no focus node, or why there are none."""

    results: tuple[tuple[str, str], ...] | None = None
    reason: str | None = None


class ExampleValidator:
    """Validates examples, in the process that `ExampleShapes` starts."""

    def __init__(self, begin: BeginExamples) -> None:
        self._data = memory_graph(begin.lines)
        self._shapes = shapes_graph(begin.shapes, begin.iris)
        self._retargeted = RetargetedShapes(self._shapes)
        self._iris = begin.iris

    def evaluate(self, example: NQuads, shape: str) -> ExampleOutcome:
        """Return the results of the shape in the example."""
        own = tuple(memory_graph(example))
        added = [triple for triple in own if triple not in self._data]
        try:
            for triple in added:
                self._data.add(triple)
            nodes = focus_nodes(self._shapes, name := rdflib.URIRef(shape), self._data) & {each[0] for each in own}
            if not nodes:
                return ExampleOutcome()
            with without_literal_warnings():
                results = validate(self._data, self._retargeted.with_targets({name: nodes}))
            found = ((each.component, path_text(each.path, self._shapes, self._iris)) for each in results)
            return ExampleOutcome(tuple(sorted(set(found))))
        except ShapeError as error:
            return ExampleOutcome(reason=error.reason)
        finally:
            for triple in added:
                self._data.remove(triple)


class ExampleShapes:
    """Shapes, and the statements that all examples are added to, in a process of their own; the first use starts it."""

    def __init__(self, ontology: NQuads, shapes: NQuads, iris: Iris, limits: CheckLimits) -> None:
        self._begin = BeginExamples(ontology, shapes, iris, limits.memory_bytes)
        self._seconds = limits.shapes_seconds
        self._process: ChildProcess | None = None
        self._is_closed = False

    def results(self, example: NQuads, shape: str) -> tuple[tuple[str, str], ...] | None:
        """Return the component and the path of each result, sorted, or None when the example has no focus node.

        Raises QueryError when the shape cannot be evaluated, LimitError when it exceeds a limit, and StoreError.
        """
        process = self._ready()
        try:
            reply = process.request(EvaluateExample(example, shape), self._seconds, self._begin.memory_bytes)
        except (LimitError, StoreError):
            self._process = None
            raise
        outcome = cast("ExampleOutcome", reply)
        if outcome.reason is not None:
            raise QueryError(outcome.reason)
        return outcome.results

    def close(self) -> None:
        """End the process for good."""
        self._is_closed = True
        if self._process:
            self._process.kill()

    def _ready(self) -> ChildProcess:
        if self._is_closed:
            raise StoreError("the check has been ended")
        if self._process is None:
            self._process = ChildProcess(_MODULE)
            self._process.request(self._begin)
        return self._process
