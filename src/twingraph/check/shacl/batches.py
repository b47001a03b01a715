"""Validating many nodes: in shares, each of which is validated for itself, in this process or in several.

Which nodes a shape reaches is found first, of all the statements; then so many of them at a time are its only targets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import rdflib

from twingraph.check.shacl.memory_graph import MemoryGraph, quiet
from twingraph.check.shacl.remedies import remedy
from twingraph.check.shacl.shapes import Result, owner, validate
from twingraph.check.shacl.targets import Aim, finds_by_property, focus_nodes, targeted_shapes
from twingraph.errors import StoreError
from twingraph.findings import Severity
from twingraph.rdf.iris import Iris

# How many nodes are validated at a time: a share needs some milliseconds for itself, and its results memory.
AT_ONCE = 20_000

Targets = dict[rdflib.term.Node, list[rdflib.term.Node]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One validation result as plain data; ``shape`` is the IRI of the shape, or of the one that holds it."""

    component: str
    message: str
    remedy: str
    severity: Severity
    focus: str
    path: str | None
    value: str | None
    shape: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """What validating gave: the number of focus nodes of each shape, those that should reach some and do not.

    ``failure`` says why the shapes could not be evaluated, and the outcomes are then none.
    """

    reached: Mapping[str, int]
    idle: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    failure: str | None = None


def run(
    data: MemoryGraph, shapes: MemoryGraph, iris: Iris, share: int = 0, shares: int = 1, at_once: int = AT_ONCE
) -> Run:
    """Validate every ``shares``-th lot of nodes, beginning with lot ``share``; all shares together are the whole."""
    reached: dict[rdflib.term.Node, int] = {}
    outcomes: list[Outcome] = []
    failure, aim = None, Aim(shapes)
    with quiet():
        for number, targets in enumerate(_lots(data, shapes, at_once, reached)):
            if number % shares == share and failure is None:
                try:
                    outcomes += (_outcome(result, shapes, iris) for result in validate(data, aim.at(targets)))
                except StoreError as error:
                    failure = str(error)
    idle = [str(shape) for shape, count in reached.items() if not count and not finds_by_property(shapes, shape)]
    counts = {str(shape): count for shape, count in reached.items()}
    return Run(counts, tuple(idle), () if failure else tuple(outcomes), failure)


def _lots(
    data: MemoryGraph, shapes: MemoryGraph, at_once: int, reached: dict[rdflib.term.Node, int]
) -> Iterator[Targets]:
    """Yield targets for some nodes at a time, at least once, and note in ``reached`` how many each shape has."""
    lot, left, is_first = Targets(), at_once, True
    for shape in targeted_shapes(shapes):
        nodes = sorted(focus_nodes(shapes, shape, data), key=str)
        reached[shape] = len(nodes)
        while nodes:
            lot[shape], nodes = nodes[:left], nodes[left:]
            left -= len(lot[shape])
            if not left:
                yield lot
                lot, left, is_first = {}, at_once, False
    if lot or is_first:
        yield lot


def _outcome(result: Result, shapes: MemoryGraph, iris: Iris) -> Outcome:
    is_other = result.value is not None and result.value != result.focus
    return Outcome(
        component=result.component,
        message=result.message,
        remedy=remedy(result.component, result.shape, shapes, iris),
        severity=result.severity,
        focus=str(result.focus),
        path=str(result.path) if isinstance(result.path, rdflib.URIRef) else None,
        value=str(result.value) if is_other else None,
        shape=owner(shapes, result.shape),
    )
