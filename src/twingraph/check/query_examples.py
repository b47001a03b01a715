"""Examples of checks and rules, which run in the process of a working store, each within its limits."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import pyoxigraph as ox

from twingraph.check.examples import Example, Subjects, check_examples, read_examples
from twingraph.check.statements import statement
from twingraph.findings import Finding, Location
from twingraph.publication.files import Publication
from twingraph.publication.query_files import QueryFile, read_query_files
from twingraph.publication.working_store import QueryResult, WorkingStore
from twingraph.rdf.blank_nodes import equal_nodes
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads


def check_examples_of_queries(publication: Publication, ontology: WorkingStore) -> tuple[Finding, ...]:
    """Return what is wrong with the examples of a publication's checks and rules; ``ontology`` as below."""
    of_checks, findings = read_examples(publication, publication.check_example_files)
    of_rules, more = read_examples(publication, publication.rule_example_files)
    checks = read_query_files(publication, publication.check_files)
    rules = read_query_files(publication, publication.rule_files)
    iris = publication.settings.iris
    graph = iris.graph(publication.settings.derivations[0].graph)
    return (
        *findings,
        *more,
        *check_examples_of_checks(checks, of_checks, ontology, iris),
        *check_examples_of_rules(rules, of_rules, ontology, iris, graph),
    )


def check_examples_of_checks(
    checks: Iterable[QueryFile], examples: Iterable[Example], ontology: WorkingStore, iris: Iris
) -> tuple[Finding, ...]:
    """Return the examples for which a check does not report what they state, and the checks that lack one.

    ``ontology`` is a store with the statements that all examples are added to.
    """

    @cache
    def baseline(check: QueryFile) -> Counter[str]:
        # What a check reports about the ontology itself does not count for an example.
        return _reported(ontology.query(check.text))

    by_name = _by_name(checks)

    def problem(example: Example) -> str | None:
        expected = Counter(iris.expand(name) for name in example.header.get("finds", "").split())
        if (example.kind == "invalid") != bool(expected):
            return "an invalid example, and no other, must state what is found, as in #+ finds: activity:visit"
        check = by_name[example.subject]
        found = _reported(ontology.query_with(example.quads, check.text)) - baseline(check)
        return None if found == expected else f"expected {_names(expected, iris)}, found {_names(found, iris)}"

    return tuple(check_examples(_subjects("check", by_name, ("valid", "invalid"), problem), examples))


def check_examples_of_rules(
    rules: Iterable[QueryFile], examples: Iterable[Example], ontology: WorkingStore, iris: Iris, graph: str
) -> tuple[Finding, ...]:
    """Return the examples from which a rule does not derive what they state, and the rules that lack one.

    ``ontology`` is a store with the statements that all examples are added to, ``graph`` the IRI of the graph of
    derived statements.
    """
    derived_graph, by_name = ox.NamedNode(graph), _by_name(rules)

    @cache
    def baseline(rule: QueryFile) -> NQuads:
        # What a rule derives from the ontology itself does not count for an example.
        return ontology.derive_from(NQuads(), rule, graph)

    def problem(example: Example) -> str | None:
        expected = {quad.triple for quad in example.quads if quad.graph_name == derived_graph}
        if (example.kind == "applies") != bool(expected):
            return f"an example that applies, and no other, must have derived statements in {iris.shorten(graph)}"
        rule = by_name[example.subject]
        given = NQuads.of(quad for quad in example.quads if quad.graph_name != derived_graph)
        found = _relabelled(
            {quad.triple for quad in ontology.derive_from(given + baseline(rule), rule, graph)}, expected
        )
        if found == expected:
            return None
        return f"not derived: {_triples(expected - found)}; derived but not expected: {_triples(found - expected)}"

    return tuple(check_examples(_subjects("rule", by_name, ("applies", "ignores"), problem), examples))


def _relabelled(found: set[ox.Triple], expected: set[ox.Triple]) -> set[ox.Triple]:
    """Return triples with the labels of those expected for blank nodes that are equal there."""
    names = equal_nodes(*([statement(each) for each in triples] for triples in (found, expected)))

    def renamed(term: Any) -> Any:
        is_renamed = isinstance(term, ox.BlankNode) and str(term) in names
        return ox.BlankNode(names[str(term)].removeprefix("_:")) if is_renamed else term

    return {ox.Triple(renamed(each.subject), each.predicate, renamed(each.object)) for each in found}


def _reported(result: QueryResult) -> Counter[str]:
    return Counter(dict(zip(result.columns, row, strict=True)).get("entity") or "" for row in result.rows)


def _by_name(queries: Iterable[QueryFile]) -> dict[str, QueryFile]:
    return {PurePosixPath(query.path).stem: query for query in queries}


def _subjects(
    noun: str, by_name: Mapping[str, QueryFile], kinds: tuple[str, str], problem: Callable[[Example], str | None]
) -> Subjects:
    def missing(name: str, kind: str) -> Finding:
        remedy = f"add one as examples/{name}/{kind}-*.ttl beside the query"
        place = Location(by_name[name].path, 1)
        return Finding("example/missing", f"{name} has no example of the kind {kind}", remedy, location=place)

    return Subjects(noun, tuple(by_name), kinds, problem, missing)


def _names(found: Counter[str], iris: Iris) -> str:
    return " ".join(sorted(map(iris.shorten, found.elements()))) or "nothing"


def _triples(triples: set[ox.Triple]) -> str:
    return ", ".join(sorted(map(str, triples))) or "nothing"
