"""Validating the focus nodes of shapes in batches, and finding out what cannot be evaluated.

Run as a module, ``python -m twingraph.check.shacl.validator_process``, this is done in a process of its own, since a
constraint may never end.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from traceback import walk_stack
from types import FrameType

import rdflib
from rdflib.namespace import SH

from twingraph.check.shacl.constraints import Malformed, constraints, recursive_shapes, remove_malformed, without
from twingraph.check.shacl.graphs import MemoryGraph, Triple, node_text, without_literal_warnings
from twingraph.check.shacl.shacl_shacl import validate_shapes
from twingraph.check.shacl.shapes import (
    Node,
    Result,
    RetargetedShapes,
    ShapeError,
    focus_nodes,
    is_targeted_by_property,
    named_shape,
    remedy,
    shape_in,
    targeted_shapes,
    validate,
)
from twingraph.findings import ResultTerms, Severity
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads

# Focus nodes in a batch: each batch costs some milliseconds, and a large one holds more results in memory.
BATCH_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class ShaclResult:
    """One validation result as plain data; ``shape`` is the IRI of the shape, or of the one that contains it."""

    component: str
    message: str
    remedy: str
    severity: Severity
    focus: str
    path: str | None
    value: str | None
    shape: str | None
    terms: ResultTerms


@dataclass(frozen=True, slots=True)
class Failure:
    """A constraint of a shape that cannot be evaluated for ``focus`` or, without one, for any node.

    ``shape`` is the shape as text, ``name`` the IRI of it or of the one that contains it, ``constraint`` the predicate
    of the constraint and its ``value``.
    """

    shape: str
    name: str | None
    constraint: str | None
    value: str | None
    reason: str
    focus: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The focus nodes from ``start`` to ``stop`` of the shape with this number."""

    shape: int
    start: int
    stop: int


Batch = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The shapes with a target, by their numbers, as text; which of them lack focus nodes; and the batches.

    ``reached`` is the number of focus nodes of each, ``cycles`` are those that refer to themselves.
    """

    shapes: tuple[str, ...]
    idle: tuple[str, ...]
    reached: tuple[int, ...]
    batches: tuple[Batch, ...]
    cycles: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of a batch, or why it has none: ``failure``, or that it was stopped (``is_late``).

    ``shape`` is then the number of the shape with a target that was being evaluated, if it is known.
    """

    results: tuple[ShaclResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    reason: str | None = None
    is_late: bool = False
    shape: int | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """The first request to a process: what it validates, and its limits."""

    lines: NQuads
    shapes: NQuads
    iris: Iris
    seconds: float
    memory_bytes: int
    batch_size: int = BATCH_SIZE


@dataclass(frozen=True, slots=True)
class Evaluate:
    """The request to validate a batch."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class EvaluateApart:
    """The request to validate one node against each constraint alone."""

    part: Part


@dataclass(frozen=True, slots=True)
class RemoveMalformed:
    """The request to remove the constraints that cannot be evaluated, whatever the data."""


@dataclass(frozen=True, slots=True)
class ValidateShapes:
    """The request to validate the shapes by SHACL-SHACL."""


class Validator:
    """Validates ``data`` against ``shapes``; each batch may take so many ``seconds``, without a limit if None."""

    def __init__(
        self,
        data: MemoryGraph,
        shapes: MemoryGraph,
        iris: Iris,
        batch_size: int = BATCH_SIZE,
        seconds: float | None = None,
    ) -> None:
        self._data, self._shapes, self._iris, self._seconds = data, shapes, iris, seconds
        self._batch_size = batch_size
        self._targeted = targeted_shapes(shapes)
        self._nodes = [sorted(focus_nodes(shapes, shape, data), key=str) for shape in self._targeted]
        self._retargeted = RetargetedShapes(shapes)
        self._as_written = shapes

    def plan(self) -> Plan:
        """Return what is to be validated."""
        reached = tuple(map(len, self._nodes))
        every = zip(self._targeted, reached, strict=True)
        idle = (shape for shape, count in every if not count and not is_targeted_by_property(self._shapes, shape))
        cycles = (self._names(cycle) for cycle in recursive_shapes(self._shapes))
        return Plan(
            tuple(map(node_text, self._targeted)),
            tuple(map(node_text, idle)),
            reached,
            tuple(_batches(reached, self._batch_size)),
            tuple(cycles),
        )

    def evaluate(self, batch: Batch) -> Outcome:
        """Validate a batch."""
        targets = {self._targeted[part.shape]: self._nodes[part.shape][part.start : part.stop] for part in batch}
        try:
            with without_literal_warnings(), _deadline(self._seconds):
                results = validate(self._data, self._retargeted.with_targets(targets))
            return Outcome(tuple(map(self._result, results)))
        except ShapeError as error:
            return Outcome(reason=error.reason, shape=self._number(error.shape))
        except _LateError as error:
            return Outcome(reason="", is_late=True, shape=self._number(error.shape))

    def remove_malformed(self) -> tuple[Failure, ...]:
        """Remove the constraints that cannot be evaluated, whatever the data, from the shapes, and return them."""
        self._shapes = without(self._as_written, ())
        with without_literal_warnings():
            removed = remove_malformed(self._shapes)
        self._retargeted = RetargetedShapes(self._shapes)
        return tuple(_failure(each, self._as_written) for each in removed)

    def evaluate_apart(self, part: Part) -> Outcome:
        """Validate one focus node against each constraint of a shape alone, those of its property shapes too."""
        shape, node = self._targeted[part.shape], self._nodes[part.shape][part.start]
        results: list[ShaclResult] = []
        failures: list[Failure] = []
        try:
            with without_literal_warnings(), _deadline(self._seconds):
                for found in self._apart(shape, node):
                    if isinstance(found, Failure):
                        failures.append(found)
                    else:
                        results.append(self._result(found))
        except _LateError as error:
            return Outcome(tuple(results), tuple(failures), "", is_late=True, shape=self._number(error.shape))
        return Outcome(tuple(results), tuple(failures))

    def validate_shapes(self) -> Outcome:
        """Validate the shapes by SHACL-SHACL."""
        try:
            with without_literal_warnings(), _deadline(self._seconds):
                results = validate_shapes(self._as_written)
            # The shape of interest is the one at fault, not that of SHACL-SHACL.
            found = ((each, named_shape(self._as_written, each.focus)) for each in results)
            return Outcome(tuple(replace(self._result(each), shape=name) for each, name in found))
        except ShapeError as error:
            return Outcome(reason=error.reason)
        except _LateError:
            return Outcome(reason="", is_late=True)

    def _apart(self, shape: Node, node: Node, trail: tuple[Node, ...] = ()) -> Iterator[Result | Failure]:
        groups = constraints(self._shapes, shape)
        for group in groups:
            others: list[Triple] = [triple for other in groups if other is not group for triple in other]
            only = RetargetedShapes(without(self._shapes, others)).with_targets({shape: [node]})
            try:
                yield from validate(self._data, only)
            except ShapeError as error:
                _, predicate, value = group[0]
                if predicate == SH.property and value not in (*trail, shape):
                    yield from self._apart(value, node, (*trail, shape))
                else:
                    fault = Malformed(shape, predicate, value, error.reason)
                    yield _failure(fault, self._shapes, node)

    def _number(self, shape: Node | None) -> int | None:
        return self._targeted.index(shape) if shape in self._targeted else None

    def _names(self, cycle: Iterable[Node]) -> tuple[str, ...]:
        """Return the names of the shapes of a cycle, without those within the same named shape."""
        names = [named_shape(self._shapes, shape) or node_text(shape) for shape in cycle]
        return tuple(name for number, name in enumerate(names) if not number or name != names[number - 1])

    def _result(self, result: Result) -> ShaclResult:
        shapes, value = self._as_written, result.value
        return ShaclResult(
            component=result.component,
            message=result.message,
            remedy=remedy(result.component, result.shape, shapes, self._iris),
            severity=result.severity,
            focus=node_text(result.focus),
            path=str(result.path) if isinstance(result.path, rdflib.URIRef) else None,
            value=node_text(value) if value is not None and value != result.focus else None,
            shape=named_shape(shapes, result.shape),
            terms=result.terms,
        )


def _failure(fault: Malformed, shapes: MemoryGraph, focus: Node | None = None) -> Failure:
    path = shapes.value(fault.shape, SH.path)
    return Failure(
        node_text(fault.shape),
        named_shape(shapes, fault.shape),
        None if fault.predicate is None else str(fault.predicate),
        None if fault.value is None else node_text(fault.value),
        fault.reason,
        None if focus is None else node_text(focus),
        str(path) if isinstance(path, rdflib.URIRef) else None,
    )


def _batches(reached: Iterable[int], size: int) -> Iterator[Batch]:
    """Yield batches of so many focus nodes at most, at least one batch."""
    batch: list[Part] = []
    left, is_first = size, True
    for shape, count in enumerate(reached):
        start = 0
        while start < count:
            stop = min(count, start + left)
            batch.append(Part(shape, start, stop))
            left -= stop - start
            start = stop
            if not left:
                yield tuple(batch)
                batch, left, is_first = [], size, False
    if batch or is_first:
        yield tuple(batch)


class _LateError(BaseException):
    """The time is up while ``shape`` is evaluated; no `Exception`, since rdflib goes on after many of those."""

    def __init__(self, shape: Node | None) -> None:
        self.shape = shape


@contextmanager
def _deadline(seconds: float | None) -> Iterator[None]:
    """Raise `_LateError` after so many seconds, in Python's code and in regular expressions too."""

    def stop(number: int, frame: FrameType | None) -> None:
        # The outermost frame first.
        raise _LateError(shape_in(reversed(list(walk_stack(frame)))))

    if seconds is None:
        yield
        return
    previous = signal.signal(signal.SIGALRM, stop)
    # Again, if some code takes the first for an error of its own.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
