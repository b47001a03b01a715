"""Validating many nodes batch by batch, in this process or, shard by shard, in several.

The focus nodes of each shape are found first, over all statements; each batch of them then becomes its only targets.
Run as a module, ``python -m twingraph.check.shacl.batches``, it is the process that validates one shard.
"""

import pickle
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import rdflib

from twingraph.check.shacl.graphs import MemoryGraph, fetched_graph, quiet
from twingraph.check.shacl.remedies import remedy
from twingraph.check.shacl.shapes import (
    Result,
    RetargetedShapes,
    finds_by_property,
    focus_nodes,
    owner,
    shapes_graph,
    targeted_shapes,
    validate,
)
from twingraph.errors import StoreError
from twingraph.findings import Severity
from twingraph.processes import exit_with_parent
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads

# How many nodes are validated at a time: a shard needs some milliseconds for itself, and its results memory.
BATCH_SIZE = 20_000

Targets = dict[rdflib.term.Node, list[rdflib.term.Node]]


@dataclass(frozen=True, slots=True)
class ShaclResult:
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
class BatchRun:
    """What validating gave: the number of focus nodes of each shape, those that should reach some and do not.

    ``failure`` says why the shapes could not be evaluated, and the results are then none.
    """

    reached: Mapping[str, int]
    idle: tuple[str, ...]
    results: tuple[ShaclResult, ...]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does: its shard of the validation of the lines by the shapes."""

    lines: NQuads
    shapes: NQuads
    iris: Iris
    shard: int
    shards: int

    def run(self) -> BatchRun:
        """Validate this shard."""
        shapes = shapes_graph(self.shapes, self.iris)
        return run(fetched_graph(self.lines), shapes, self.iris, self.shard, self.shards)


def run(
    data: MemoryGraph, shapes: MemoryGraph, iris: Iris, shard: int = 0, shards: int = 1, batch_size: int = BATCH_SIZE
) -> BatchRun:
    """Validate every ``shards``-th batch of nodes, starting with batch ``shard``; all shards together are the whole."""
    reached: dict[rdflib.term.Node, int] = {}
    results: list[ShaclResult] = []
    failure, retargeted = None, RetargetedShapes(shapes)
    with quiet():
        for number, targets in enumerate(_batches(data, shapes, batch_size, reached)):
            if number % shards == shard and failure is None:
                try:
                    found = validate(data, retargeted.with_targets(targets))
                    results += (_shacl_result(result, shapes, iris) for result in found)
                except StoreError as error:
                    failure = str(error)
    idle = [str(shape) for shape, count in reached.items() if not count and not finds_by_property(shapes, shape)]
    counts = {str(shape): count for shape, count in reached.items()}
    return BatchRun(counts, tuple(idle), () if failure else tuple(results), failure)


def _batches(
    data: MemoryGraph, shapes: MemoryGraph, batch_size: int, reached: dict[rdflib.term.Node, int]
) -> Iterator[Targets]:
    """Yield targets for some nodes at a time, at least once, and note in ``reached`` how many each shape has."""
    batch, left, is_first = Targets(), batch_size, True
    for shape in targeted_shapes(shapes):
        nodes = sorted(focus_nodes(shapes, shape, data), key=str)
        reached[shape] = len(nodes)
        while nodes:
            batch[shape], nodes = nodes[:left], nodes[left:]
            left -= len(batch[shape])
            if not left:
                yield batch
                batch, left, is_first = {}, batch_size, False
    if batch or is_first:
        yield batch


def _shacl_result(result: Result, shapes: MemoryGraph, iris: Iris) -> ShaclResult:
    is_other = result.value is not None and result.value != result.focus
    return ShaclResult(
        component=result.component,
        message=result.message,
        remedy=remedy(result.component, result.shape, shapes, iris),
        severity=result.severity,
        focus=str(result.focus),
        path=str(result.path) if isinstance(result.path, rdflib.URIRef) else None,
        value=str(result.value) if is_other else None,
        shape=owner(shapes, result.shape),
    )


def main() -> None:
    """Run the task that standard input holds, pickled, and write what it found to standard output."""
    exit_with_parent()
    task = cast("Task", pickle.load(sys.stdin.buffer))
    sys.stdout.buffer.write(pickle.dumps(task.run()))


if __name__ == "__main__":
    main()
