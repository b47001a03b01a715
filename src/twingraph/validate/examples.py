"""Examples of shapes: the valid ones conform, the invalid ones fail for the reason they name, every shape has both.

An example is ``{Shape}/valid-*.ttl`` or ``{Shape}/invalid-*.ttl``. An invalid one begins with ``#+ fails:``, the
constraint component, and ``#+ path:``, the property, when the result has one. Each is validated together with the
ontology, and only the shape of its folder is asked, at the nodes of the example that its targets reach.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox
import rdflib
from pyshacl.errors import ReportableRuntimeError

from twingraph.errors import IriError, QueryError
from twingraph.findings import Finding, Location, Severity
from twingraph.iris import Iris
from twingraph.saved import parse_header
from twingraph.validate.memory_graph import MemoryGraph, memory_graph, triple
from twingraph.validate.shapes import Result, validate
from twingraph.validate.statements import Statements
from twingraph.validate.targets import aim, focus_nodes, node_shapes


@dataclass(frozen=True, slots=True)
class Example:
    """An example's path relative to the publication, its text and what it says."""

    path: str
    text: str
    quads: tuple[ox.Quad, ...]

    @property
    def shape(self) -> str:
        """The local name of the shape that it is an example of: its folder's name."""
        return self.path.split("/")[-2]

    @property
    def is_valid(self) -> bool:
        """Whether it is to conform."""
        return not self.path.rpartition("/")[2].startswith("invalid-")


@dataclass(frozen=True)
class _Bench:
    """What examples are validated with: the ontology, to which each example is added for a while, and the shapes."""

    data: MemoryGraph
    shapes: MemoryGraph
    iris: Iris


def check_examples(
    examples: Iterable[Example], ontology: Iterable[ox.Quad], shapes: MemoryGraph, places: Statements
) -> tuple[Finding, ...]:
    """Return the examples that do not show what they say, and the node shapes that lack one.

    ``places`` knows where the shapes stand.
    """
    bench = _Bench(memory_graph(ontology), shapes, places.iris)
    by_name = {_local(shape): shape for shape in node_shapes(shapes)}
    kinds: dict[str, set[bool]] = defaultdict(set)
    findings = []
    for example in examples:
        kinds[example.shape].add(example.is_valid)
        shape = by_name.get(example.shape)
        if shape is None:
            findings.append(_wrong(example, f"there is no node shape {example.shape}", "rename the folder"))
        elif problem := _problem(bench, example, shape):
            findings.append(_wrong(example, problem, "mend the example, or the shape if it is the one that is wrong"))
    return (*findings, *_missing(by_name, kinds, places))


def _problem(bench: _Bench, example: Example, shape: rdflib.term.Node) -> str | None:
    """Return what is wrong with an example, or None."""
    try:
        wanted = _wanted(example, bench.iris)
        results = _results(bench, example, shape)
    except (QueryError, IriError, ReportableRuntimeError) as error:
        return str(error)
    if results is None:
        return f"no node of the example is reached by {example.shape}"
    found = sorted({(result.component, str(result.path or "")) for result in results})
    if found == wanted:
        return None
    return f"expected {_say(wanted, bench.iris)}, found {_say(found, bench.iris)}"


def _results(bench: _Bench, example: Example, shape: rdflib.term.Node) -> list[Result] | None:
    """Return the violations of the shape in the example, or None when the shape reaches no node of it."""
    own = [triple(quad) for quad in example.quads]
    added = [statement for statement in own if statement not in bench.data]
    try:
        for statement in added:
            bench.data.add(statement)
        nodes = focus_nodes(bench.shapes, shape, bench.data) & {subject for subject, _, _ in own}
        if not nodes:
            return None
        aimed = MemoryGraph()
        for statement in aim(bench.shapes, shape, nodes):
            aimed.add(statement)
        return [result for result in validate(bench.data, aimed) if result.severity is Severity.VIOLATION]
    finally:
        for statement in added:
            bench.data.remove(statement)


def _wanted(example: Example, iris: Iris) -> list[tuple[str, str]]:
    """Return the component and the path that an invalid example names; a valid one names none."""
    if example.is_valid:
        return []
    header = parse_header(example.path, example.text)
    if "fails" not in header:
        raise QueryError("it does not name with '#+ fails:' the constraint component that it fails", 1, 1)
    path = str(header.get("path") or "")
    component = str(header["fails"]).rpartition(":")[2]
    return [(component, iris.expand(path) if path else "")]


def _missing(by_name: dict[str, rdflib.term.Node], kinds: dict[str, set[bool]], places: Statements) -> list[Finding]:
    return [
        places.finding(
            "example/missing",
            f"{name} has no {kind} example",
            f"add one as {name}/{kind}-*.ttl to the folder of examples",
            str(shape),
            shape=str(shape),
        )
        for name, shape in by_name.items()
        for is_valid, kind in ((True, "valid"), (False, "invalid"))
        if is_valid not in kinds[name]
    ]


def _wrong(example: Example, message: str, remedy: str) -> Finding:
    return Finding("example/wrong", message, remedy, location=Location(example.path, 1))


def _say(results: list[tuple[str, str]], iris: Iris) -> str:
    said = [f"{component} of {iris.shorten(path)}" if path else component for component, path in results]
    return " and ".join(said) or "no violation"


def _local(shape: rdflib.term.Node) -> str:
    return str(shape).replace("#", "/").rpartition("/")[2]
