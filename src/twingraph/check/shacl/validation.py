"""Validating many nodes in batches, in this process or sharded over several; results as findings.

The focus nodes of each shape are found first, over all statements; each batch of them then becomes its only targets.
Run as a module, ``python -m twingraph.check.shacl.validation``, this is the process that validates one shard.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

import rdflib

from twingraph.check.shacl.graphs import MemoryGraph, lazy_graph, without_literal_warnings
from twingraph.check.shacl.shapes import (
    Result,
    RetargetedShapes,
    focus_nodes,
    is_targeted_by_property,
    named_shape,
    remedy,
    shapes_graph,
    targeted_shapes,
    validate,
)
from twingraph.check.statements import Statements
from twingraph.errors import StoreError
from twingraph.findings import Finding, Severity
from twingraph.processes import command, exit_with_parent
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads

# Focus nodes in a batch: each batch costs some milliseconds, and a large one holds more results in memory.
BATCH_SIZE = 20_000
# From this number of statements on, several processes share the work; each of them loads all statements.
_MIN_STATEMENTS_TO_SHARD = 200_000
# The most processes, however many processors there are: each takes 0.4 GB for a million statements.
_MAX_SHARDS = 4
_MAX_VALUE = 200
_MODULE = "twingraph.check.shacl.validation"

Targets = dict[rdflib.term.Node, list[rdflib.term.Node]]


@dataclass(frozen=True, slots=True)
class ShapesResult:
    """The results as findings, and the number of focus nodes of each shape that has a target."""

    findings: tuple[Finding, ...]
    focus_nodes: Mapping[str, int]


def check_shapes(
    statements: Statements, places: Statements, min_to_shard: int = _MIN_STATEMENTS_TO_SHARD
) -> ShapesResult:
    """Validate all statements against the shapes, which are the statements of ``places``, with their locations.

    From ``min_to_shard`` statements on, several processes share the work.
    """
    if not len(places.lines):
        return ShapesResult((), {})
    if len(statements.lines) < min_to_shard:
        runs = [Task(statements.lines, places.lines, places.iris, 0, 1).run()]
    else:
        runs = _run_in_processes(statements.lines, places)
    idle = [_no_focus_node(places, shape) for shape in runs[0].idle]
    if failure := next((each.failure for each in runs if each.failure), None):
        message = f"the shapes could not be evaluated: {' '.join(failure.split())}"
        failed = Finding("shape/failure", message, "correct the shape named here", location=None)
        return ShapesResult((*idle, failed), runs[0].reached)
    found = [_finding(result, statements) for each in runs for result in each.results]
    return ShapesResult((*idle, *found), runs[0].reached)


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


def _finding(result: ShaclResult, statements: Statements) -> Finding:
    value = result.value
    return statements.finding(
        f"shape/{result.component}",
        result.message,
        result.remedy,
        result.focus,
        result.path,
        value if value is None or len(value) <= _MAX_VALUE else value[: _MAX_VALUE - 3] + "...",
        severity=result.severity,
        shape=result.shape,
        location=statements.locations.find(result.focus, result.path, value),
    )


def _no_focus_node(places: Statements, shape: str) -> Finding:
    message = "this shape has no focus node in the data, so it checks nothing"
    remedy = "correct the shape's target, or leave it until there is such data"
    return places.finding("shape/no-focus-node", message, remedy, shape, severity=Severity.INFO)


@dataclass(frozen=True, slots=True)
class BatchRun:
    """The result of validating: the number of focus nodes of each shape, and ``idle``, the shapes that lack any.

    ``failure`` is the reason when the shapes could not be evaluated; there are no results then.
    """

    reached: Mapping[str, int]
    idle: tuple[str, ...]
    results: tuple[ShaclResult, ...]
    failure: str | None = None


def run_batches(
    data: MemoryGraph, shapes: MemoryGraph, iris: Iris, shard: int = 0, shards: int = 1, batch_size: int = BATCH_SIZE
) -> BatchRun:
    """Validate every ``shards``-th batch of nodes, from batch ``shard`` on; all shards together are the whole."""
    reached: dict[rdflib.term.Node, int] = {}
    results: list[ShaclResult] = []
    failure, retargeted = None, RetargetedShapes(shapes)
    with without_literal_warnings():
        for number, targets in enumerate(_batches(data, shapes, batch_size, reached)):
            if number % shards == shard and failure is None:
                try:
                    found = validate(data, retargeted.with_targets(targets))
                    results += (_shacl_result(result, shapes, iris) for result in found)
                except StoreError as error:
                    failure = str(error)
    idle = [str(shape) for shape, count in reached.items() if not count and not is_targeted_by_property(shapes, shape)]
    counts = {str(shape): count for shape, count in reached.items()}
    return BatchRun(counts, tuple(idle), () if failure else tuple(results), failure)


def _batches(
    data: MemoryGraph, shapes: MemoryGraph, batch_size: int, reached: dict[rdflib.term.Node, int]
) -> Iterator[Targets]:
    """Yield the targets of each batch, at least one, and record the number of focus nodes per shape in ``reached``."""
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
    has_value = result.value is not None and result.value != result.focus
    return ShaclResult(
        component=result.component,
        message=result.message,
        remedy=remedy(result.component, result.shape, shapes, iris),
        severity=result.severity,
        focus=str(result.focus),
        path=str(result.path) if isinstance(result.path, rdflib.URIRef) else None,
        value=str(result.value) if has_value else None,
        shape=named_shape(shapes, result.shape),
    )


@dataclass(frozen=True, slots=True)
class Task:
    """The work of one process: its shard of validating the lines against the shapes."""

    lines: NQuads
    shapes: NQuads
    iris: Iris
    shard: int
    shards: int

    def run(self) -> BatchRun:
        """Validate this shard."""
        shapes = shapes_graph(self.shapes, self.iris)
        return run_batches(lazy_graph(self.lines), shapes, self.iris, self.shard, self.shards)


def _run_in_processes(lines: NQuads, places: Statements) -> list[BatchRun]:
    """Validate one shard per processor, each in its own process; raises StoreError when one of them fails."""
    shards = min(_MAX_SHARDS, os.cpu_count() or 1)
    with TemporaryDirectory(prefix="twingraph-") as directory, ExitStack() as stack:
        stored = lines.stored(Path(directory))
        tasks = [Task(stored, places.lines, places.iris, shard, shards) for shard in range(shards)]
        processes = [stack.enter_context(_running(task)) for task in tasks]
        return [_read(process) for process in processes]


@contextmanager
def _running(task: Task) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command(_MODULE), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with cast("IO[bytes]", process.stdin) as pipe:
            pickle.dump(task, pipe)
        yield process
    finally:
        process.kill()
        process.wait()
        cast("IO[bytes]", process.stdout).close()


def _read(process: subprocess.Popen[bytes]) -> BatchRun:
    with cast("IO[bytes]", process.stdout) as pipe:
        output = pipe.read()
    if process.wait():
        raise StoreError(f"the shapes were not evaluated: their process exited with {process.returncode}")
    return cast("BatchRun", pickle.loads(output))


def main() -> None:
    """Read a pickled task from standard input, run it, and write the pickled result to standard output."""
    exit_with_parent()
    task = cast("Task", pickle.load(sys.stdin.buffer))
    sys.stdout.buffer.write(pickle.dumps(task.run()))


if __name__ == "__main__":
    main()
