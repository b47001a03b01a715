"""Validation in one process or several, each ended at the limits, and its results as findings.

What cannot be evaluated is narrowed down, first to a shape, then to a node, and reported; all other results are kept.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from twingraph.check.shacl.validator import (
    BATCH_SIZE,
    Batch,
    Begin,
    Evaluate,
    EvaluateApart,
    Failure,
    Outcome,
    Part,
    Plan,
    RemoveMalformed,
    ShaclResult,
    ValidateShapes,
)
from twingraph.check.statements import Statements
from twingraph.child_process import ChildProcess
from twingraph.errors import MemoryLimitError, QueryTimeoutError, StoreError, WorkerLostError
from twingraph.findings import Finding, Location, Severity
from twingraph.rdf.nquads import NQuads
from twingraph.settings import CheckLimits

# From this number of statements on, several processes share the work; each of them loads all statements.
MIN_STATEMENTS_TO_SHARD = 200_000
# The most processes, however many processors there are: each takes 0.4 GB for a million statements.
_MAX_SHARDS = 4
# Nodes for which a shape is found to fail before the others of the same batch are given up.
_MAX_FAILURES = 25
# How much later than the process itself this one sees that the time is up, in seconds.
_GRACE = 10.0
_MAX_VALUE = 200
_MODULE = "twingraph.check.shacl.validator_process"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Focus nodes of a shape that were not validated, and why; ``is_late`` when a limit of time is the reason."""

    shape: str
    nodes: int
    reason: str
    is_late: bool = False


@dataclass
class ShardRun:
    """What one process has found; ``of_shapes`` are the results of validating the shapes themselves.

    ``not_judged`` is the reason why there are none of these, if there is one.
    """

    plan: Plan
    results: list[ShaclResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    given_up: list[GivenUp] = field(default_factory=list)
    of_shapes: tuple[ShaclResult, ...] = ()
    not_judged: str | None = None


class _Shard:
    """One process and its share of the batches: every ``shards``-th, from number ``shard`` on."""

    def __init__(self, begin: Begin, shard: int, shards: int) -> None:
        self._begin, self._shard, self._shards = begin, shard, shards
        self._child: ChildProcess | None = ChildProcess(_MODULE)
        self._plan: Plan | None = None
        self._is_closed = self._is_cleaned = False
        self._failed: Counter[int] = Counter()
        self._stopped: set[int] = set()

    def run(self) -> ShardRun:
        """Validate; raises StoreError when the process cannot even begin."""
        self._ready()
        run = ShardRun(cast("Plan", self._plan))
        waiting = list(run.plan.batches[self._shard :: self._shards])[::-1]
        while waiting:
            batch = tuple(part for part in waiting.pop() if part.shape not in self._stopped)
            outcome = self._request(Evaluate(batch)) if batch else Outcome()
            run.results += outcome.results
            if outcome.reason is not None:
                waiting += self._narrowed(batch, outcome, run)[::-1]
        return run

    def judge(self) -> ShardRun:
        """Validate the shapes themselves; the data is not needed for that."""
        self._ready()
        run = ShardRun(cast("Plan", self._plan))
        outcome = self._request(ValidateShapes())
        run.of_shapes = outcome.results
        if outcome.reason is not None:
            run.not_judged = outcome.reason or f"it took more than {self._begin.seconds:g} seconds"
        return run

    def close(self) -> None:
        """End the process for good."""
        self._is_closed = True
        if self._child:
            self._child.kill()

    def _narrowed(self, batch: Batch, outcome: Outcome, run: ShardRun) -> list[Batch]:
        """Return the smaller batches to validate instead of one that could not be evaluated."""
        if not (outcome.is_late or self._is_cleaned):
            self._is_cleaned = True
            if removed := self._remove_malformed():
                run.failures += removed
                return [batch]
        if len(batch) > 1:
            own = tuple(part for part in batch if part.shape == outcome.shape) or batch[: len(batch) // 2]
            return [tuple(part for part in batch if part not in own), own]
        [part] = batch
        if outcome.is_late:
            self._stopped.add(part.shape)
            return self._give_up(part, outcome, run)
        if part.stop - part.start > 1:
            if self._failed[part.shape] >= _MAX_FAILURES:
                return self._give_up(part, outcome, run)
            middle = (part.start + part.stop) // 2
            return [(replace(part, stop=middle),), (replace(part, start=middle),)]
        self._evaluate_apart(part, run)
        return []

    def _evaluate_apart(self, part: Part, run: ShardRun) -> None:
        self._failed[part.shape] += 1
        outcome = self._request(EvaluateApart(part))
        run.results += outcome.results
        run.failures += outcome.failures
        if outcome.reason is not None:
            self._give_up(part, outcome, run)

    def _give_up(self, part: Part, outcome: Outcome, run: ShardRun) -> list[Batch]:
        shape = run.plan.shapes[part.shape]
        run.given_up.append(GivenUp(shape, part.stop - part.start, outcome.reason or "", outcome.is_late))
        return []

    def _remove_malformed(self) -> tuple[Failure, ...]:
        reply = self._exchange(RemoveMalformed())
        return reply if isinstance(reply, tuple) else ()

    def _request(self, message: Evaluate | EvaluateApart | ValidateShapes) -> Outcome:
        return cast("Outcome", self._exchange(message))

    def _exchange(self, message: object) -> object:
        """Return the reply to a request; an `Outcome` that says so when the process had to be ended, or ended."""
        child, limit = self._ready(), self._begin.seconds
        try:
            return child.request(message, limit + _GRACE, self._begin.memory_bytes)
        except QueryTimeoutError:
            self._child = None
            return Outcome(reason="", is_late=True)
        except MemoryLimitError as error:
            self._child = None
            return Outcome(reason=f"it needs more than {error.limit:,} bytes of memory (check_limits.memory_bytes)")
        except WorkerLostError as error:
            self._child = None
            return Outcome(reason=f"its process failed: {error}")

    def _ready(self) -> ChildProcess:
        """Return the process, begun; another one where it has ended."""
        if self._is_closed:
            raise StoreError("the check has been ended")
        if self._child and self._plan:
            return self._child
        self._child = self._child or ChildProcess(_MODULE)
        try:
            self._plan = cast("Plan", self._child.request(self._begin, None, self._begin.memory_bytes))
            if self._is_cleaned:
                self._child.request(RemoveMalformed())
        except WorkerLostError as error:
            raise StoreError(f"the shapes were not evaluated: {error}") from error
        return self._child


class ShapesRun:
    """Validation under way beside the caller, until it is closed; SHACL-SHACL has a process of its own."""

    def __init__(
        self,
        lines: NQuads,
        places: Statements,
        limits: CheckLimits,
        min_to_shard: int = MIN_STATEMENTS_TO_SHARD,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self._directory: TemporaryDirectory[str] | None = None
        shards = 1
        if len(lines) >= min_to_shard:
            shards = min(_MAX_SHARDS, os.cpu_count() or 1)
            self._directory = TemporaryDirectory(prefix="twingraph-")
            lines = lines.stored(Path(self._directory.name))
        begin = Begin(lines, places.lines, places.iris, limits.shapes_seconds, limits.memory_bytes, batch_size)
        self._places, self._limits = places, limits
        self._shards = [_Shard(begin, number, shards) for number in range(shards)]
        judge = _Shard(replace(begin, lines=NQuads()), 0, 1)
        self._executor = ThreadPoolExecutor(shards + 1)
        self._runs: list[Future[ShardRun]] = [self._executor.submit(shard.run) for shard in self._shards]
        self._judged = self._executor.submit(judge.judge)
        self._shards.append(judge)

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        for shard in self._shards:
            shard.close()
        self._executor.shutdown()
        if self._directory:
            self._directory.cleanup()

    def result(self, statements: Statements) -> "ShapesResult":
        """Wait, and return the results as findings about ``statements``; raises StoreError when a process fails."""
        runs = [run.result() for run in self._runs]
        return ShapesResult(
            tuple(_findings(runs, self._judged.result(), statements, self._places, self._limits)),
            _by_name(self._places, runs[0].plan),
            runs[0].plan.idle,
        )


@dataclass(frozen=True, slots=True)
class ShapesResult:
    """The results as findings, the number of focus nodes of each shape that has a target, and those that lack any."""

    findings: tuple[Finding, ...]
    focus_nodes: Mapping[str, int]
    idle: tuple[str, ...] = ()


def _findings(
    runs: Sequence[ShardRun], judged: ShardRun, statements: Statements, places: Statements, limits: CheckLimits
) -> Iterator[Finding]:
    plan = runs[0].plan
    yield from (_no_focus_node(places, shape) for shape in plan.idle)
    yield from (_recursive(places, cycle) for cycle in plan.cycles)
    if reason := judged.not_judged:
        message = f"the shapes were not validated by SHACL-SHACL: {reason}"
        yield Finding("shape/malformed", message, "simplify the shapes, or raise [check_limits]", Severity.WARNING)
    failures = {failure: None for run in runs for failure in run.failures}
    reported = {(failure.shape, failure.constraint) for failure in failures}
    # A constraint that cannot be evaluated is reported as such.
    malformed = (result for result in judged.of_shapes if (result.focus, result.path) not in reported)
    yield from (_malformed(result, places) for result in malformed)
    yield from (_failed(failure, statements, places) for failure in failures)
    for run in runs:
        yield from (_finding(result, statements) for result in run.results)
        yield from (_given_up(each, places, limits) for each in run.given_up)


def _by_name(places: Statements, plan: Plan) -> dict[str, int]:
    """Return the number of focus nodes of each shape, under its IRI or, without one, a description of its own."""
    reached: dict[str, int] = {}
    for shape, count in zip(plan.shapes, plan.reached, strict=True):
        name = places.described(shape) if shape.startswith("_:") else shape
        numbered = (f"{name} {number}" for number in range(2, len(plan.shapes) + 2))
        reached[name if name not in reached else next(each for each in numbered if each not in reached)] = count
    return reached


def _finding(result: ShaclResult, statements: Statements) -> Finding:
    value = result.value
    return replace(
        statements.finding(
            f"shape/{result.component}",
            result.message,
            result.remedy,
            result.focus,
            result.path,
            value if value is None or len(value) <= _MAX_VALUE else value[: _MAX_VALUE - 3] + "...",
            severity=result.severity,
            shape=result.shape,
            location=statements.locations.find(result.focus, result.path, value),
        ),
        terms=result.terms,
    )


def _no_focus_node(places: Statements, shape: str) -> Finding:
    message = "this shape has no focus node in the data, so it checks nothing"
    remedy = "correct the shape's target, or leave it until there is such data"
    return places.finding("shape/no-focus-node", message, remedy, shape, severity=Severity.WARNING)


def _recursive(places: Statements, cycle: Sequence[str]) -> Finding:
    chain = " -> ".join(places.name(shape) for shape in (*cycle, cycle[0]))
    message = f"this shape refers to itself ({chain}), which SHACL leaves undefined; values deep within are not checked"
    remedy = "break the cycle: let one of the shapes refer to a class instead"
    return places.finding("shape/recursive", message, remedy, cycle[0], severity=Severity.WARNING)


def _malformed(result: ShaclResult, places: Statements) -> Finding:
    message = f"the shape is not well-formed (SHACL-SHACL): {result.message}"
    remedy = "correct the shape as the specification of SHACL says; until then its results mean nothing"
    return places.finding(
        "shape/malformed",
        message,
        remedy,
        result.focus,
        result.path,
        result.value,
        severity=Severity.WARNING,
    )


def _failed(failure: Failure, statements: Statements, places: Statements) -> Finding:
    place = _place(failure, places)
    name = places.name(failure.name or failure.shape)
    inner = "" if failure.shape == failure.name else "a property shape of " if not failure.constraint else ""
    what = f"{places.short(failure.constraint)} of {name}" if failure.constraint else inner + name
    if failure.focus is None:
        message = f"{what} cannot be evaluated, so it checks nothing: {failure.reason}"
        remedy = "correct the shape"
        return Finding("shape/failure", message, remedy, location=place, focus=failure.name, shape=failure.name)
    where = f" ({place})" if place else ""
    message = f"{what}{where} cannot be evaluated for this node: {failure.reason}"
    remedy = f"correct the value of {places.short(failure.path)}, or the shape" if failure.path else "correct either"
    return statements.finding("shape/failure", message, remedy, failure.focus, failure.path, shape=failure.name)


def _place(failure: Failure, places: Statements) -> Location | None:
    if not failure.shape:
        return None
    found = places.locations.find(failure.shape, failure.constraint, failure.value)
    return found or (places.locations.find(failure.name) if failure.name else None)


def _given_up(part: GivenUp, places: Statements, limits: CheckLimits) -> Finding:
    nodes = f"{part.nodes:,} focus node{'' if part.nodes == 1 else 's'}"
    if part.is_late:
        setting = "check_limits.shapes_seconds"
        message = (
            f"the shape ran for {limits.shapes_seconds:g} seconds, the limit ({setting}), on {nodes} and was stopped"
        )
        remedy = "make the shape cheaper, or raise the limit; it was not evaluated for them, nor for those that follow"
        return places.finding("shape/limit", message, remedy, part.shape, shape=part.shape)
    message = f"the shape was not evaluated for {nodes}, because it fails for many: {part.reason}"
    if part.nodes == 1:
        message = f"the shape was not evaluated for {nodes}: {part.reason}"
    return places.finding("shape/failure", message, "correct the shape or the data", part.shape, shape=part.shape)
