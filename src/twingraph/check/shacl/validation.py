"""Checking the shapes: in this process where there are few statements, else in several; results as findings."""

import os
import pickle
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from twingraph.check.shacl.batches import BatchRun, ShaclResult, Task
from twingraph.check.statements import Statements
from twingraph.errors import StoreError
from twingraph.findings import Finding, Severity
from twingraph.processes import command
from twingraph.rdf.nquads import NQuads

# From how many statements on several processes shard the work: each of them loads all statements.
_LARGE = 200_000
# How many processes at most, whatever the processors: each takes 0.4 GB for a million statements.
_PROCESSES = 4
_MAX_VALUE = 200
_PROCESS = "twingraph.check.shacl.batches"


@dataclass(frozen=True, slots=True)
class ShapesResult:
    """The results as findings, and the number of focus nodes that each shape with a target reached."""

    findings: tuple[Finding, ...]
    focus_nodes: Mapping[str, int]


def check_shapes(statements: Statements, places: Statements, large: int = _LARGE) -> ShapesResult:
    """Validate all statements against the shapes, which are the statements of ``places``, and say where they stand.

    From ``large`` statements on, processes of their own do it.
    """
    if not len(places.lines):
        return ShapesResult((), {})
    if len(statements.lines) < large:
        runs = [Task(statements.lines, places.lines, places.iris, 0, 1).run()]
    else:
        runs = _together(statements.lines, places)
    idle = [_idle(places, shape) for shape in runs[0].idle]
    if failure := next((each.failure for each in runs if each.failure), None):
        return ShapesResult((*idle, _failure(failure)), runs[0].reached)
    found = [_finding(outcome, statements) for each in runs for outcome in each.results]
    return ShapesResult((*idle, *found), runs[0].reached)


def _together(lines: NQuads, places: Statements) -> list[BatchRun]:
    """Return what as many processes gave as there are processors; raises StoreError when one of them fails."""
    shards = min(_PROCESSES, os.cpu_count() or 1)
    with TemporaryDirectory(prefix="twingraph-") as directory, ExitStack() as stack:
        stored = lines.stored(Path(directory))
        tasks = [Task(stored, places.lines, places.iris, shard, shards) for shard in range(shards)]
        processes = [stack.enter_context(_running(task)) for task in tasks]
        return [_read(process) for process in processes]


@contextmanager
def _running(task: Task) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command(_PROCESS), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with cast("IO[bytes]", process.stdin) as wire:
            pickle.dump(task, wire)
        yield process
    finally:
        process.kill()
        process.wait()
        cast("IO[bytes]", process.stdout).close()


def _read(process: subprocess.Popen[bytes]) -> BatchRun:
    with cast("IO[bytes]", process.stdout) as wire:
        answer = wire.read()
    if process.wait():
        raise StoreError(f"the shapes were not evaluated: their process ended with {process.returncode}")
    return cast("BatchRun", pickle.loads(answer))


def _finding(outcome: ShaclResult, statements: Statements) -> Finding:
    value = outcome.value
    return statements.finding(
        f"shape/{outcome.component}",
        outcome.message,
        outcome.remedy,
        outcome.focus,
        outcome.path,
        value if value is None or len(value) <= _MAX_VALUE else value[: _MAX_VALUE - 3] + "...",
        severity=outcome.severity,
        shape=outcome.shape,
        location=statements.locations.find(outcome.focus, outcome.path, value),
    )


def _idle(places: Statements, shape: str) -> Finding:
    message = "no node of the data is a focus node of this shape, so it says nothing about the data"
    remedy = "mend the shape's target, or leave it until there is data"
    return places.finding("shape/no-focus-node", message, remedy, shape, severity=Severity.INFO)


def _failure(reason: str) -> Finding:
    message = f"the shapes could not be evaluated: {' '.join(reason.split())}"
    return Finding("shape/failure", message, "mend the shape that this names", location=None)
