"""Mutants: small faults made in the code, one at a time, to see whether the quick tests notice.

Each mutant is made in a copy of the tree, never in the tree itself. Until one fails, the quick tests run that import
its module, directly or over other modules, the nearest first. What no test has noticed survives, and is listed with its
place and its change.
"""

import argparse
import ast
import copy
import importlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("rdf", "check", "server/http", "workers")
_FILES = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
_NO_TESTS = 5  # pytest's exit code
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)
_FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A fault: in which module, on which line, what becomes what, and the whole text with it."""

    module: Path
    line: int
    change: str
    text: str


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
        case ast.Return(value=ast.AST() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise():
            yield ast.Pass()


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module; annotations, decorators and what runs at import only are left alone."""
    text = path.read_text(encoding="utf-8")
    lines = text.encode().splitlines(keepends=True)
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    seen: set[tuple[int, int, str]] = set()
    for node in (node for function in functions for statement in function.body for node in ast.walk(statement)):
        if not isinstance(node, ast.expr | ast.stmt):
            continue
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
            whole = isinstance(node, ast.stmt)
            middle = changed if whole else f"({changed})"
            yield Mutant(
                path, node.lineno, f"{_short(old)} -> {_short(changed)}", (before + middle.encode() + after).decode()
            )


def _short(text: str) -> str:
    return " ".join(text.split())[:60]


def name_of(path: Path) -> str:
    """Return a module's dotted name."""
    return ".".join(path.relative_to(REPOSITORY / "src").with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def tests_by_distance() -> dict[str, dict[Path, int]]:
    """Return for each module the quick test files that reach it, and over how many imports."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    slow = importlib.import_module("conftest").SLOW
    sources = {name_of(path): _imported(path) for path in (REPOSITORY / "src").rglob("*.py")}
    reached: dict[str, dict[Path, int]] = {name: {} for name in sources}
    for test in sorted((REPOSITORY / "tests").glob("test_*.py")):
        if test.stem in slow:
            continue
        level, distance, seen = _imported(test) & sources.keys(), 1, set[str]()
        while level:
            for name in level:
                reached[name][test] = distance
            seen |= level
            level = {name for one in level for name in sources[one] & sources.keys()} - seen
            distance += 1
    return reached


def failures(copied: Path, chosen: Sequence[Path], seconds: float, *options: str) -> list[str]:
    """Return which of the quick tests in some files fail in the copy, or why none of them could be run."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-n", "0"]
    command += [*options, *(str(test.relative_to(REPOSITORY)) for test in chosen)]
    environment = os.environ | {"PYTHONPATH": str(copied / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=copied, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return ["too slow"]
    if ran.returncode in (0, _NO_TESTS):
        return []
    return _FAILED.findall(ran.stdout.decode()) or [ran.stdout.decode()[-2000:]]


def survives(mutant: Mutant, copied: Path, chosen: Sequence[Path], seconds: float, left_out: Sequence[str]) -> bool:
    """Tell whether the tests pass with a mutant in the copy, which is as before afterwards."""
    target = copied / mutant.module.relative_to(REPOSITORY)
    original = target.read_bytes()
    target.write_text(mutant.text, encoding="utf-8")
    try:
        options = ("-x", *(f"--deselect={name}" for name in left_out))
        return not (chosen and failures(copied, chosen, seconds, *options))
    finally:
        target.write_bytes(original)


def main() -> None:
    """Make a sample of mutants of each room and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="folders or modules under src/twingraph")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100, help="mutants in all")
    parser.add_argument("--seconds", type=float, default=120, help="for the tests of one mutant")
    parser.add_argument("--most", type=int, default=8, help="test files that are run for one mutant, the nearest")
    options = parser.parse_args()
    package = REPOSITORY / "src" / "twingraph"
    paths = [path for room in options.rooms for path in sorted((package / room).rglob("*.py"))]
    paths += [package / f"{room}.py" for room in options.rooms if (package / f"{room}.py").is_file()]
    every = [mutant for path in paths for mutant in mutants_of(path)]
    sample = random.Random(options.seed).sample(every, min(options.count, len(every)))
    reached, results = tests_by_distance(), dict[Path, list[bool]]()
    broken: dict[Path, list[str]] = {}
    with tempfile.TemporaryDirectory() as place:
        copied = Path(place)
        listed = subprocess.run(_FILES, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
        for name in (name for name in listed.split("\0") if (REPOSITORY / name).is_file()):
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, copied / name)
        for mutant in sorted(sample, key=lambda one: (one.module, one.line)):
            tests = reached[name_of(mutant.module)]
            chosen = sorted(tests, key=lambda test: (tests[test], test))[: options.most]
            if mutant.module not in results:
                broken[mutant.module] = failures(copied, chosen, 10 * options.seconds)
                for name in broken[mutant.module]:
                    print(f"fails without a mutant, left out: {name}", flush=True)
            alive = survives(mutant, copied, chosen, options.seconds, broken[mutant.module])
            results.setdefault(mutant.module, []).append(not alive)
            if alive:
                print(f"survived: {mutant.module.relative_to(REPOSITORY)}:{mutant.line}: {mutant.change}", flush=True)
    print("| module | mutants | killed |\n|---|---|---|")
    for module, outcomes in results.items():
        print(f"| {module.relative_to(package)} | {len(outcomes)} | {sum(outcomes)} |")
    count, dead = len(sample), sum(map(sum, results.values()))
    print(f"| all ({len(every)} possible, seed {options.seed}) | {count} | {dead} ({dead / max(count, 1):.0%}) |")


if __name__ == "__main__":
    main()
