"""Examples of shapes, which are validated in a process that is ended at the limits."""

import re
from collections.abc import Iterable

from rdflib.term import URIRef

from twingraph.check.examples import Example, Subjects, check_examples
from twingraph.check.shacl.example_validation import ExampleShapes
from twingraph.check.shacl.shapes import is_targeted_by_property, node_shapes, shapes_graph
from twingraph.check.statements import Statements
from twingraph.findings import Finding
from twingraph.rdf.iris import Iris

# The names in a path; between them are SPARQL's operators.
_INVERSE = re.compile(r"\[\s*sh:inversePath\s+(\S+)\s*\]")
_NAME = re.compile(r"<[^>]*>|[A-Za-z][\w-]*:[\w-]*")


def check_examples_of_shapes(
    examples: Iterable[Example], validation: ExampleShapes, shapes: Statements
) -> tuple[Finding, ...]:
    """Return the examples that do not show what they state, and the node shapes that lack one."""
    graph, iris = shapes_graph(shapes.quads, shapes.iris), shapes.iris
    by_name = {str(shape).replace("#", "/").rpartition("/")[2]: str(shape) for shape in node_shapes(graph)}

    def problem(example: Example) -> str | None:
        is_valid, header = example.kind == "valid", example.header
        if not is_valid and "fails" not in header:
            return "it does not state with '#+ fails:' which constraint component it fails"
        shape = by_name[example.subject]
        expected = [] if is_valid else [_expected_result(header, iris)]
        found = validation.results(example.quads, shape)
        if found is None:
            # A valid example of a shape that forbids properties has none of them, and so no focus node.
            is_exempt = is_valid and is_targeted_by_property(graph, URIRef(shape))
            return None if is_exempt else f"no node of the example is a focus node of {example.subject}"
        return None if list(found) == expected else f"expected {_listed(expected)}, found {_listed(found)}"

    def missing(name: str, kind: str) -> Finding:
        remedy, shape = f"add one as {name}/{kind}-*.ttl to the folder of examples", by_name[name]
        return shapes.finding("example/missing", f"{name} has no {kind} example", remedy, shape, shape=shape)

    names, kinds = tuple(by_name), ("valid", "invalid")
    subjects = Subjects("node shape", names, kinds, problem, missing, "shape/limit", "shapes_seconds")
    return tuple(check_examples(subjects, examples))


def _expected_result(header: dict[str, str], iris: Iris) -> tuple[str, str]:
    """Return the component and the path that an invalid example states; raises IriError."""
    component, path = header["fails"].rpartition(":")[2], _INVERSE.sub(r"^\1", header.get("path", ""))
    return component, _NAME.sub(lambda match: iris.shorten(iris.expand(match[0])), path)


def _listed(results: Iterable[tuple[str, str]]) -> str:
    items = [f"{component} of {path}" if path else component for component, path in results]
    return " and ".join(items) or "no result"
