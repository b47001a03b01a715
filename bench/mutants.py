"""Mutants: small faults made in the code, one at a time, to see whether the tests notice.

Each mutant is made in a copy of the tree, never in the tree itself. The tests are run once with coverage, to know which
of them execute which line and how long each takes; that is kept in ``.mutants/`` until the tree changes. A mutant then
meets the tests that execute its line, the fastest first, until one fails. What no test has noticed survives, and is
listed with its place and its change.

Only what runs in the tests' own process is seen: lines of workers and servers need tests that call them directly, or
they survive. That is so on purpose: such tests are the quick ones.
"""

import argparse
import ast
import copy
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tracing import TRACE
from twingraph.settings import load_settings

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("rdf", "check", "server/http", "workers")
_FILES = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
# Slow test modules that are traced too, since they execute much of the rooms above in their own process.
ALSO = ("test_breakages", "test_pool", "test_shacl_batches", "test_report_formats")
TRACES = REPOSITORY / ".mutants"
_ALL_PASSED = 0
_POLL_SECONDS = 1.0
_SHARED = ("conftest", "running", "children")
_FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A fault: in which module, on which lines, what becomes what, and the whole text with it."""

    module: Path
    lines: range
    statement: range
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.module.relative_to(REPOSITORY)}:{self.lines.start}: {self.change}"


def mutations(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what a node may become."""
    match node:
        case ast.Compare(ops=[first, *rest]) if type(first) in _FLIPS:
            yield ast.Compare(node.left, [_FLIPS[type(first)](), *rest], node.comparators)
        case ast.BoolOp(op=op):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.If(test=test) | ast.IfExp(test=test):
            negated = copy.copy(node)
            negated.test = ast.UnaryOp(ast.Not(), test)
            yield negated
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        # Nobody tells False from None, or from another constant that counts as false.
        case ast.Return(value=ast.AST() as value) if not (isinstance(value, ast.Constant) and not value.value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise():
            yield ast.Pass()


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module; annotations, decorators and what runs at import only are left alone."""
    text = path.read_text(encoding="utf-8")
    lines = text.encode().splitlines(keepends=True)
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    seen: set[tuple[int, int, str]] = set()
    for statement, node in (pair for function in functions for one in function.body for pair in _with_statement(one)):
        for new in mutations(node):
            old, changed = ast.unparse(node), ast.unparse(ast.fix_missing_locations(new))
            if isinstance(new, ast.If):  # only its condition: the rest keeps its layout
                node, old, changed = node.test, ast.unparse(node.test), f"not ({ast.unparse(node.test)})"
            key = (node.lineno, node.col_offset, changed)
            if key in seen:
                continue
            seen.add(key)
            before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
            after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
            middle = changed if isinstance(node, ast.stmt) else f"({changed})"
            mutated = (before + middle.encode() + after).decode()
            # The places of what stands within an f-string are unknown before Python 3.12.
            if not _same(text, node, old) or not _compiles(mutated):
                continue
            yield Mutant(path, _lines(node), _lines(statement), f"{_short(old)} -> {_short(changed)}", mutated)


def _with_statement(statement: ast.stmt) -> Iterator[tuple[ast.stmt, ast.expr | ast.stmt]]:
    """Yield each node of a statement, with the innermost statement that it belongs to."""
    todo: list[tuple[ast.stmt, ast.AST]] = [(statement, statement)]
    while todo:
        within, node = todo.pop()
        within = node if isinstance(node, ast.stmt) else within
        if isinstance(node, ast.expr | ast.stmt):
            yield within, node
        todo += [(within, child) for child in ast.iter_child_nodes(node)]


def _lines(node: ast.expr | ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _same(text: str, node: ast.expr | ast.stmt, unparsed: str) -> bool:
    segment = ast.get_source_segment(text, node) or ""
    try:
        return ast.unparse(ast.parse(f"({segment})" if isinstance(node, ast.expr) else segment)) == unparsed
    except SyntaxError:
        return isinstance(node, ast.stmt)  # `return`, which stands within functions only


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _short(text: str) -> str:
    return " ".join(text.split())[:60]


@dataclass(frozen=True)
class Trace:
    """Which tests execute a line (module, line), and the seconds that each test takes; failing ones are left out."""

    tests: dict[tuple[str, int], set[str]]
    seconds: dict[str, float]

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that execute a mutant's lines, the fastest first."""
        name = mutant.module.relative_to(REPOSITORY).as_posix()
        found = {test for line in mutant.lines for test in self.tests.get((name, line), ())}
        found = found or {test for line in mutant.statement for test in self.tests.get((name, line), ())}
        return sorted(found & self.seconds.keys(), key=lambda test: (self.seconds[test], test))


@contextmanager
def copied_tree() -> Iterator[Path]:
    """Copy what git knows of the repository, with its source archive where the settings look for it."""
    listed = subprocess.run(_FILES, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    archive = load_settings(REPOSITORY).source_archive
    with tempfile.TemporaryDirectory() as place:
        copied = Path(place) / "a" / "repository"
        for name in (name for name in listed.split("\0") if (REPOSITORY / name).is_file()):
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, copied / name)
        if archive.is_dir() and not archive.is_relative_to(REPOSITORY):
            link = Path(os.path.normpath(copied / os.path.relpath(archive, REPOSITORY)))
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(archive)
        yield copied


def pytest_in(copied: Path, seconds: float | None, *arguments: str, **environment: str) -> int | None:
    """Run pytest in the copy and return its exit code, None if it took longer."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "--hypothesis-seed=0"]
    options = {"PYTHONPATH": str(copied / "src"), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [*command, *arguments], cwd=copied, env=os.environ | options, stdout=quiet, stderr=quiet, start_new_session=True
    ) as process:
        try:
            while seconds is None or seconds > 0:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(_POLL_SECONDS)
                if seconds is not None and not _is_paused(process.pid):
                    seconds -= _POLL_SECONDS
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _is_paused(pid: int) -> bool:
    """Tell whether somebody has stopped a process, which is not its fault."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].startswith("T")


def quick_tests() -> set[str]:
    """Return the names of the test modules that `make quick` runs."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    slow = set(importlib.import_module("conftest").SLOW)
    return {path.stem for path in (REPOSITORY / "tests").glob("test_*.py")} - slow


def trace(copied: Path, names: Iterable[str]) -> Trace:
    """Run test modules with coverage; those that have not changed since the last time are not run."""
    common = [*(copied / "src").rglob("*.py"), *(copied / "tests" / f"{name}.py" for name in _SHARED)]
    known = sha256(b"".join(path.read_bytes() for path in sorted(common)))
    found = Trace(defaultdict(set), {})
    for path in (copied / "tests" / f"{name}.py" for name in sorted(names)):
        digest = known.copy()
        digest.update(path.read_bytes())
        file = TRACES / f"{path.stem}-{digest.hexdigest()[:16]}.json"
        if not file.exists():
            print(f"tracing {path.stem}", file=sys.stderr, flush=True)
            for old in TRACES.glob(f"{path.stem}-*.json"):
                old.unlink()
            TRACES.mkdir(exist_ok=True)
            file.write_text(json.dumps(_traced(copied, path)), encoding="utf-8")
        one = json.loads(file.read_text(encoding="utf-8"))
        found.seconds.update(one["seconds"])
        for module, lines in one["lines"].items():
            for line, tests in lines.items():
                found.tests[module, int(line)].update(tests)
    return found


def _traced(copied: Path, path: Path) -> dict[str, Any]:
    """Return the seconds of the tests of a module that pass, and module -> line -> the tests that execute it."""
    file = copied / "trace.tmp"
    environment = {TRACE: str(file), "PYTHONPATH": f"{copied / 'src'}{os.pathsep}{REPOSITORY / 'bench'}"}
    if pytest_in(copied, None, "-p", "tracing", str(path.relative_to(copied)), **environment) != _ALL_PASSED:
        print(f"some tests of {path.stem} fail without a mutant, and are left out", file=sys.stderr, flush=True)
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def survives(mutant: Mutant, copied: Path, tests: list[str], seconds: dict[str, float], budget: float) -> bool:
    """Tell whether the tests pass with a mutant in the copy, which is as before afterwards."""
    chosen, expected = [], 0.0
    for test in tests:
        expected += seconds[test]
        if chosen and expected > budget:
            break
        chosen.append(test)
    target = copied / mutant.module.relative_to(REPOSITORY)
    original = target.read_bytes()
    target.write_text(mutant.text, encoding="utf-8")
    listed = copied / "chosen.tmp"
    listed.write_text("\n".join(chosen), encoding="utf-8")
    try:
        return bool(chosen) and pytest_in(copied, 60 + 5 * expected, "-x", f"@{listed}") == _ALL_PASSED
    finally:
        target.write_bytes(original)


def sample_of(room: str, seed: int, count: int) -> list[Mutant]:
    """Return a sample of the mutants of a room, the same for a seed, in the order of files and lines."""
    package = REPOSITORY / "src" / "twingraph"
    paths = sorted((package / room).rglob("*.py")) or [package / f"{room}.py"]
    every = [mutant for path in paths for mutant in mutants_of(path)]
    chosen = random.Random(seed).sample(every, min(count, len(every)))
    return sorted(chosen, key=lambda one: (one.module, one.lines.start, one.change))


def main() -> None:
    """Make a sample of mutants of each room and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="folders or modules under src/twingraph")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60, help="mutants of each room")
    parser.add_argument("--budget", type=float, default=40, help="seconds that the tests of one mutant may take")
    parser.add_argument("--tests", nargs="*", help="test modules; without, the quick ones and some others")
    options = parser.parse_args()
    table = ["| room | mutants | killed | |", "|---|---|---|---|"]
    with copied_tree() as copied:
        traced = trace(copied, options.tests or quick_tests().union(ALSO))
        for room in options.rooms:
            sample, killed = sample_of(room, options.seed, options.count), 0
            for mutant in sample:
                tests = traced.of(mutant)
                if survives(mutant, copied, tests, traced.seconds, options.budget):
                    print(f"survived {len(tests)} tests: {mutant}", flush=True)
                elif not tests:
                    print(f"no test executes: {mutant}", flush=True)
                else:
                    killed += 1
            table.append(f"| {room} | {len(sample)} | {killed} | {killed / max(len(sample), 1):.0%} |")
            print(table[-1], flush=True)
    print("\n".join(table))


if __name__ == "__main__":
    main()
