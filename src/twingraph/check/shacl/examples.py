"""Examples of shapes: the valid ones conform, the invalid ones fail for the reason they name, every shape has both.

An example is ``{Shape}/valid-*.ttl`` or ``{Shape}/invalid-*.ttl``. An invalid one begins with ``#+ fails:``, the
constraint component, and ``#+ path:``, the path of the result when it has one, as SPARQL or Turtle writes it: ``p``,
``^p``, ``[ sh:inversePath p ]``. Each is validated together with the ontology, and only the shape of its folder is
evaluated, at the nodes of the example that its targets reach.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox
import rdflib

from twingraph.check.examples import Example
from twingraph.check.shacl.graphs import MemoryGraph, memory_graph
from twingraph.check.shacl.shapes import (
    Result,
    RetargetedShapes,
    finds_by_property,
    focus_nodes,
    node_shapes,
    path_text,
    validate,
)
from twingraph.check.statements import Statements
from twingraph.errors import IriError, StoreError
from twingraph.findings import Finding
from twingraph.rdf.iris import Iris

# The names in a path; what stands between them are the signs of SPARQL.
_INVERSE = re.compile(r"\[\s*sh:inversePath\s+(\S+)\s*\]")
_NAME = re.compile(r"<[^>]*>|[A-Za-z][\w-]*:[\w-]*")


@dataclass(frozen=True)
class _Setup:
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
    setup = _Setup(memory_graph(ontology), shapes, places.iris)
    by_name = {_local(shape): shape for shape in node_shapes(shapes)}
    kinds: dict[str, set[str]] = defaultdict(set)
    findings = []
    for example in examples:
        kinds[example.subject].add(example.kind)
        shape = by_name.get(example.subject)
        if shape is None:
            findings.append(example.wrong(f"there is no node shape {example.subject}", "rename the folder"))
        elif problem := _problem(setup, example, shape):
            findings.append(example.wrong(problem, "mend the example, or the shape if it is the one that is wrong"))
    return (*findings, *_missing(by_name, kinds, places))


def _problem(setup: _Setup, example: Example, shape: rdflib.term.Node) -> str | None:
    """Return what is wrong with an example, or None."""
    header, is_valid = example.header, example.kind == "valid"
    if not is_valid and "fails" not in header:
        return "it does not name with '#+ fails:' the constraint component that it fails"
    try:
        expected = [] if is_valid else [_expected(header, setup.iris)]
        results = _results(setup, example, shape)
    except (IriError, StoreError) as error:
        return str(error)
    if results is None:
        # A valid example of a shape that forbids properties has none of them, and so is not reached.
        is_spared = is_valid and finds_by_property(setup.shapes, shape)
        return None if is_spared else f"no node of the example is reached by {example.subject}"
    found = sorted({(result.component, path_text(result.path, setup.shapes, setup.iris)) for result in results})
    return None if found == expected else f"expected {_listed(expected)}, found {_listed(found)}"


def _results(setup: _Setup, example: Example, shape: rdflib.term.Node) -> list[Result] | None:
    """Return the results of the shape in the example, or None when the shape reaches no node of it."""
    own = tuple(memory_graph(example.quads))
    added = [statement for statement in own if statement not in setup.data]
    try:
        for statement in added:
            setup.data.add(statement)
        nodes = focus_nodes(setup.shapes, shape, setup.data) & {subject for subject, _, _ in own}
        if not nodes:
            return None
        return list(validate(setup.data, RetargetedShapes(setup.shapes).with_targets({shape: nodes})))
    finally:
        for statement in added:
            setup.data.remove(statement)


def _expected(header: dict[str, str], iris: Iris) -> tuple[str, str]:
    """Return the component and the path that an invalid example names."""
    component, path = header["fails"].rpartition(":")[2], _INVERSE.sub(r"^\1", header.get("path", ""))
    return component, _NAME.sub(lambda match: iris.shorten(iris.expand(match[0])), path)


def _missing(by_name: dict[str, rdflib.term.Node], kinds: dict[str, set[str]], places: Statements) -> list[Finding]:
    return [
        places.finding(
            "example/missing",
            f"{name} has no {kind} example",
            f"add one as {name}/{kind}-*.ttl to the folder of examples",
            str(shape),
            shape=str(shape),
        )
        for name, shape in by_name.items()
        for kind in ("valid", "invalid")
        if kind not in kinds[name]
    ]


def _listed(results: list[tuple[str, str]]) -> str:
    items = [f"{component} of {path}" if path else component for component, path in results]
    return " and ".join(items) or "no result"


def _local(shape: rdflib.term.Node) -> str:
    return str(shape).replace("#", "/").rpartition("/")[2]
