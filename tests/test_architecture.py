"""The layers hold: a module imports only from rooms below its own, and no import hides in a function."""

import ast
import re
from pathlib import Path

import pytest

import twingraph

PACKAGE = Path(twingraph.__file__).parent
# From the ground up; rooms on one floor do not import one another.
FLOORS = (
    ("errors", "tables"),
    ("findings", "processes"),
    ("child_process", "rdf"),
    ("sparql", "settings"),
    ("linked_data", "publication", "store"),
    ("check", "starter", "workers"),
    ("release",),
    ("catalogue",),
    ("rehearsal", "server"),
    ("cli",),
)
# Within a room, from the ground up; modules that stand beside these rooms are above them all.
INNER_FLOORS = {"server": ("http", "query", "pages", "linked_data", "catalogue")}
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twingraph"):
            names = [node.module] if node.module != "twingraph" else [f"twingraph.{a.name}" for a in node.names]
            found += [(name, node.lineno) for name in names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names if alias.name.startswith("twingraph.")]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_lower_floors(path):
    own = room(path)
    for name, line in imports(ast.parse(path.read_text(encoding="utf-8"))):
        target = name.split(".")[1]
        if target not in FLOOR:
            continue  # the package's own facts, such as its version
        allowed = target == own or FLOOR[target] < FLOOR[own]
        assert allowed, f"{path.name}:{line} imports {name}: {own} stands on floor {FLOOR[own]}"


def inner_floor(parts: tuple[str, ...]) -> int:
    rooms = INNER_FLOORS[parts[0]]
    return rooms.index(parts[1]) if parts[1] in rooms else len(rooms)


@pytest.mark.parametrize("outer", INNER_FLOORS)
def test_rooms_within_a_room_import_only_from_lower_ones(outer):
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for path in MODULES
        if room(path) == outer
        for name, line in imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[1] == outer
        and inner_floor(tuple(name.split(".")[1:])) > inner_floor(path.relative_to(PACKAGE).parts)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_import_hides_in_a_function(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = [
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_exception_of_a_module_is_raised():
    """An exception keeps the frames of each place that raises it: one that a module holds would keep them for ever."""
    raised = [
        (f"{path.relative_to(PACKAGE)}:{node.lineno}", operand)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
        for operand in operands(node.exc)
    ]
    assert len(raised) > 50
    assert [place for place, operand in raised if isinstance(operand, ast.Name) and operand.id.isupper()] == []


def operands(node):
    """Return the expressions of which a conditional expression has the value of one."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            return [*operands(body), *operands(orelse)]
        case ast.BoolOp(values=values):
            return [operand for value in values for operand in operands(value)]
    return [node]


def test_every_room_has_a_floor():
    assert {room(path) for path in MODULES} <= set(FLOOR)


PAGE = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE = re.search(r"```text\nsrc/twingraph/\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_folder_tree_of_the_page_names_every_room_and_nothing_else():
    named, above = set(), [PACKAGE]
    for line in TREE.splitlines():
        indent, name = re.match(r"( +)([\w./]+)  ", line).groups()
        path = above[len(indent) // 2 - 1] / name
        above[len(indent) // 2 :] = [path]
        named.add(path)
    folders = {path.parent for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE}
    assert named == folders | {path for path in MODULES if path.parent == PACKAGE}


def test_the_page_shows_the_floors():
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)
    shown = {int(floor) - 1: set(re.findall(r"`(\w+)(?:/|\.py)`", rooms)) for floor, rooms in rows}
    assert shown == {floor: set(rooms) for floor, rooms in enumerate(FLOORS)}


def test_every_file_that_the_page_names_exists():
    names = re.findall(r"`([\w./]+(?:\.py|/))`", PAGE)
    assert len(names) > 60
    places = (PACKAGE, PACKAGE.parents[1])
    assert [name for name in names if not any((place / name).exists() for place in places)] == []


def test_modules_are_small():
    long = {path.name: lines for path in MODULES if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_no_function_is_longer_than_sixty_lines():
    long = [
        f"{path.name}:{node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    ]
    assert long == []


def test_modules_do_not_import_in_circles():
    names = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES}
    edges = {
        names[path]: {name for name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))} for path in MODULES
    }
    finished: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in finished:
            for target in edges.get(name, ()):
                walk(target, (*trail, name))
            finished.add(name)

    for name in edges:
        walk(name, ())


def test_the_modules_were_really_read():
    assert len(MODULES) >= 25
