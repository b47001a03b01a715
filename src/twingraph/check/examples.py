"""Examples of shapes, checks and rules: small files of RDF that show what each of them finds or derives.

``{name}/{kind}-*.ttl`` (or ``.trig``) is an example of the shape, check or rule called ``name``, in the folder
``examples`` beside it. Lines at its top that begin with ``#+`` state what is expected. Each example is added to the
ontology, without other data.

- A shape has ``valid-*``, which conforms, and ``invalid-*``, which has one result and names its constraint component
  with ``#+ fails:`` and its path, if it has one, with ``#+ path:`` as SPARQL or Turtle writes it: ``p``, ``^p``,
  ``[ sh:inversePath p ]``. Only that shape is evaluated, at those of its focus nodes that are in the example.
- A check has ``valid-*``, for which it returns no row, and ``invalid-*``, which names with ``#+ finds:`` the entity of
  each row that it returns.
- A rule has ``applies-*.trig``, in which the graph of derived statements is all that the rule derives from the rest,
  and ``ignores-*``, from which it derives nothing.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import pyoxigraph as ox
import rdflib

from twingraph.check.shacl.graphs import MemoryGraph, memory_graph
from twingraph.check.shacl.shapes import (
    Result,
    RetargetedShapes,
    ShapeError,
    focus_nodes,
    is_targeted_by_property,
    node_shapes,
    path_text,
    validate,
)
from twingraph.check.statements import Statements
from twingraph.errors import IriError, QueryError, StoreError
from twingraph.findings import Finding, Location
from twingraph.publication.files import Publication
from twingraph.publication.query_files import QueryFile
from twingraph.publication.reading import FileParser
from twingraph.publication.working_store import derive, load, run_query
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuadsWriter

_HEADER = re.compile(r"^#\+\s*(?P<name>\w+):\s*(?P<value>.*?)\s*$", re.MULTILINE)
# The names in a path; between them are SPARQL's operators.
_INVERSE = re.compile(r"\[\s*sh:inversePath\s+(\S+)\s*\]")
_NAME = re.compile(r"<[^>]*>|[A-Za-z][\w-]*:[\w-]*")


@dataclass(frozen=True)
class Example:
    """An example's path relative to the publication, its text and its statements."""

    path: str
    text: str
    quads: tuple[ox.Quad, ...]

    @property
    def subject(self) -> str:
        """The name of the shape, check or rule that it is an example of, which is its folder's name."""
        return self.path.split("/")[-2]

    @property
    def kind(self) -> str:
        """The word that its file name begins with, such as ``valid`` or ``invalid``."""
        return self.path.rpartition("/")[2].partition("-")[0]

    @cached_property
    def header(self) -> dict[str, str]:
        """The entries of its ``#+`` lines."""
        return {match["name"]: match["value"] for match in _HEADER.finditer(self.text)}


def read_examples(publication: Publication, paths: Iterable[Path]) -> tuple[list[Example], list[Finding]]:
    """Return the examples in these files, and findings for files that do not parse."""
    examples, findings, parser = [], [], FileParser(publication)
    for path in paths:
        parsed = parser.parse(path, "", NQuadsWriter())
        if isinstance(parsed, Finding):
            findings.append(parsed)
        else:
            examples.append(Example(parsed.path, parser.source(path).text(), tuple(parsed.quads)))
    return examples, findings


@dataclass(frozen=True, slots=True)
class _Subjects:
    """What examples are of: the ``noun`` for it, the names, the two kinds of examples that each must have.

    ``problem`` returns what is wrong with an example, or None; ``missing`` the finding that a name lacks a kind.
    """

    noun: str
    names: tuple[str, ...]
    kinds: tuple[str, str]
    problem: Callable[[Example], str | None]
    missing: Callable[[str, str], Finding]


def _findings(subjects: _Subjects, examples: Iterable[Example]) -> Iterator[Finding]:
    seen = set()
    for example in examples:
        seen.add((example.subject, example.kind))
        if example.subject not in subjects.names:
            yield _wrong(example, f"there is no {subjects.noun} {example.subject}", "rename the folder")
        elif example.kind not in subjects.kinds:
            yield _wrong(example, f"its name begins with neither {' nor '.join(subjects.kinds)}", "rename the file")
        else:
            try:
                message = subjects.problem(example)
            except (QueryError, IriError, StoreError, ShapeError) as error:
                message = str(error)
            if message:
                yield _wrong(example, message, f"correct the example, or the {subjects.noun} if that is wrong")
    for name in subjects.names:
        for kind in subjects.kinds:
            if (name, kind) not in seen:
                yield subjects.missing(name, kind)


def _wrong(example: Example, message: str, remedy: str) -> Finding:
    return Finding("example/wrong", message, remedy, location=Location(example.path, 1))


def check_examples_of_checks(
    checks: Iterable[QueryFile], examples: Iterable[Example], ontology: Iterable[ox.Quad], iris: Iris
) -> tuple[Finding, ...]:
    """Return the examples for which a check does not report what they state, and the checks that lack one."""
    store = load(ontology)

    def reported(check: QueryFile) -> Counter[str]:
        result = run_query(store, check.text, iris)
        return Counter(dict(zip(result.columns, row, strict=True)).get("entity") or "" for row in result.rows)

    # What a check reports about the ontology itself does not count for an example.
    baseline = cache(reported)
    by_name = _by_name(checks)

    def problem(example: Example) -> str | None:
        expected = Counter(iris.expand(name) for name in example.header.get("finds", "").split())
        if (example.kind == "invalid") != bool(expected):
            return "an invalid example, and no other, must state what is found, as in #+ finds: activity:visit"
        check = by_name[example.subject]
        before = baseline(check)
        with _temporarily_in(store, example.quads):
            found = reported(check) - before
        return None if found == expected else f"expected {_names(expected, iris)}, found {_names(found, iris)}"

    return tuple(_findings(_queries(by_name, ("valid", "invalid"), problem), examples))


def check_examples_of_rules(
    rules: Iterable[QueryFile], examples: Iterable[Example], ontology: Iterable[ox.Quad], iris: Iris, graph: str
) -> tuple[Finding, ...]:
    """Return the examples from which a rule does not derive what they state, and the rules that lack one.

    ``graph`` is the IRI of the graph of derived statements.
    """
    asserted, derived_graph, by_name = tuple(ontology), ox.NamedNode(graph), _by_name(rules)

    @cache
    def store_for(rule: QueryFile) -> ox.Store:
        # What a rule derives from the ontology itself does not count for an example.
        store = load(asserted)
        derive([rule], store, iris, graph)
        return store

    def problem(example: Example) -> str | None:
        expected = {quad.triple for quad in example.quads if quad.graph_name == derived_graph}
        if (example.kind == "applies") != bool(expected):
            return f"an example that applies, and no other, must have derived statements in {iris.shorten(graph)}"
        rule = by_name[example.subject]
        store = store_for(rule)
        with _temporarily_in(store, (quad for quad in example.quads if quad.graph_name != derived_graph)):
            derived = derive([rule], store, iris, graph)
            for quad in derived:
                store.remove(quad)
        found = {quad.triple for quad in derived}
        if found == expected:
            return None
        return f"not derived: {_triples(expected - found)}; derived but not expected: {_triples(found - expected)}"

    return tuple(_findings(_queries(by_name, ("applies", "ignores"), problem), examples))


def _by_name(queries: Iterable[QueryFile]) -> dict[str, QueryFile]:
    return {PurePosixPath(query.path).stem: query for query in queries}


def _queries(
    by_name: Mapping[str, QueryFile], kinds: tuple[str, str], problem: Callable[[Example], str | None]
) -> _Subjects:
    def missing(name: str, kind: str) -> Finding:
        remedy = f"add one as examples/{name}/{kind}-*.ttl beside the query"
        place = Location(by_name[name].path, 1)
        return Finding("example/missing", f"{name} has no example of the kind {kind}", remedy, location=place)

    return _Subjects("query", tuple(by_name), kinds, problem, missing)


@contextmanager
def _temporarily_in(store: ox.Store, quads: Iterable[ox.Quad]) -> Iterator[None]:
    new = [quad for quad in quads if quad not in store]
    store.extend(new)
    try:
        yield
    finally:
        for quad in new:
            store.remove(quad)


def _names(found: Counter[str], iris: Iris) -> str:
    return " ".join(sorted(map(iris.shorten, found.elements()))) or "nothing"


def _triples(triples: set[ox.Triple]) -> str:
    return ", ".join(sorted(map(str, triples))) or "nothing"


def check_examples_of_shapes(
    examples: Iterable[Example], ontology: Iterable[ox.Quad], shapes: MemoryGraph, places: Statements
) -> tuple[Finding, ...]:
    """Return the examples that do not show what they state, and the node shapes that lack one.

    ``places`` locates the shapes in their files.
    """
    data, iris = memory_graph(ontology), places.iris
    by_name = {str(shape).replace("#", "/").rpartition("/")[2]: shape for shape in node_shapes(shapes)}

    def problem(example: Example) -> str | None:
        return _shape_problem(data, shapes, example, by_name[example.subject], iris)

    def missing(name: str, kind: str) -> Finding:
        remedy, shape = f"add one as {name}/{kind}-*.ttl to the folder of examples", str(by_name[name])
        return places.finding("example/missing", f"{name} has no {kind} example", remedy, shape, shape=shape)

    return tuple(_findings(_Subjects("node shape", tuple(by_name), ("valid", "invalid"), problem, missing), examples))


def _shape_problem(
    data: MemoryGraph, shapes: MemoryGraph, example: Example, shape: rdflib.term.Node, iris: Iris
) -> str | None:
    header, is_valid = example.header, example.kind == "valid"
    if not is_valid and "fails" not in header:
        return "it does not state with '#+ fails:' which constraint component it fails"
    expected = [] if is_valid else [_expected_result(header, iris)]
    results = _shape_results(data, shapes, example, shape)
    if results is None:
        # A valid example of a shape that forbids properties has none of them, and so no focus node.
        is_exempt = is_valid and is_targeted_by_property(shapes, shape)
        return None if is_exempt else f"no node of the example is a focus node of {example.subject}"
    found = sorted({(result.component, path_text(result.path, shapes, iris)) for result in results})
    return None if found == expected else f"expected {_listed(expected)}, found {_listed(found)}"


def _shape_results(
    data: MemoryGraph, shapes: MemoryGraph, example: Example, shape: rdflib.term.Node
) -> list[Result] | None:
    """Return the results of the shape in the example, or None when the example has no focus node of the shape."""
    own = tuple(memory_graph(example.quads))
    added = [triple for triple in own if triple not in data]
    try:
        for triple in added:
            data.add(triple)
        nodes = focus_nodes(shapes, shape, data) & {subject for subject, _, _ in own}
        if not nodes:
            return None
        return list(validate(data, RetargetedShapes(shapes).with_targets({shape: nodes})))
    finally:
        for triple in added:
            data.remove(triple)


def _expected_result(header: dict[str, str], iris: Iris) -> tuple[str, str]:
    """Return the component and the path that an invalid example states; raises IriError."""
    component, path = header["fails"].rpartition(":")[2], _INVERSE.sub(r"^\1", header.get("path", ""))
    return component, _NAME.sub(lambda match: iris.shorten(iris.expand(match[0])), path)


def _listed(results: list[tuple[str, str]]) -> str:
    items = [f"{component} of {path}" if path else component for component, path in results]
    return " and ".join(items) or "no result"
