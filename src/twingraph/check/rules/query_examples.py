"""Examples of checks and rules: what a check reports and what it does not, what a rule derives and what it does not.

They lie in the folder ``examples`` beside the queries. A check has ``{check}/valid-*``, of which it reports nothing,
and ``{check}/invalid-*``, which names with ``#+ finds:`` the entity of each row that it gives. A rule has
``{rule}/applies-*.trig``, in which the graph of derived statements is all that the rule derives from the rest, and
``{rule}/ignores-*``, from which it derives nothing. Each is added to the ontology, without other data.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import PurePosixPath

import pyoxigraph as ox

from twingraph.check.examples import Example
from twingraph.errors import IriError, QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.files import QueryFile
from twingraph.publication.working_store import derive, load, run_query
from twingraph.rdf.iris import Iris

_REMEDY = "mend the example, or the query if it is the one that is wrong"


def check_examples_of_checks(
    checks: Iterable[QueryFile], examples: Iterable[Example], ontology: Iterable[ox.Quad], iris: Iris
) -> tuple[Finding, ...]:
    """Return the examples of which a check does not report what they say, and the checks that lack one."""
    store = load(ontology)

    def reported(check: QueryFile) -> Counter[str]:
        result = run_query(store, check.text, iris)
        return Counter(dict(zip(result.columns, row, strict=True)).get("entity") or "" for row in result.rows)

    # What a check reports of the ontology itself is no finding of an example.
    known = cache(reported)

    def problem(check: QueryFile, example: Example) -> str | None:
        expected = Counter(iris.expand(name) for name in example.header.get("finds", "").split())
        if (example.kind == "invalid") != bool(expected):
            return "an invalid example, and no other, names what is found: #+ finds: activity:visit"
        before = known(check)
        with _added(store, example.quads):
            found = reported(check) - before
        return None if found == expected else f"expected {_names(expected, iris)}, found {_names(found, iris)}"

    return tuple(_findings(checks, examples, ("valid", "invalid"), problem))


def check_examples_of_rules(
    rules: Iterable[QueryFile], examples: Iterable[Example], ontology: Iterable[ox.Quad], iris: Iris, graph: str
) -> tuple[Finding, ...]:
    """Return the examples from which a rule does not derive what they say, and the rules that lack one.

    ``graph`` is the IRI of the graph of derived statements.
    """
    asserted, derived_graph = tuple(ontology), ox.NamedNode(graph)

    @cache
    def store_for(rule: QueryFile) -> ox.Store:
        # What a rule derives from the ontology itself is not derived from an example.
        store = load(asserted)
        derive([rule], store, iris, graph)
        return store

    def problem(rule: QueryFile, example: Example) -> str | None:
        expected = {quad.triple for quad in example.quads if quad.graph_name == derived_graph}
        if (example.kind == "applies") != bool(expected):
            return f"an example that applies, and no other, has what is derived in the graph {iris.shorten(graph)}"
        store = store_for(rule)
        with _added(store, (quad for quad in example.quads if quad.graph_name != derived_graph)):
            derived = derive([rule], store, iris, graph)
            for quad in derived:
                store.remove(quad)
        found = {quad.triple for quad in derived}
        if found == expected:
            return None
        return f"not derived: {_listed(expected - found)}; derived but not expected: {_listed(found - expected)}"

    return tuple(_findings(rules, examples, ("applies", "ignores"), problem))


def _findings(
    queries: Iterable[QueryFile],
    examples: Iterable[Example],
    kinds: tuple[str, str],
    problem: Callable[[QueryFile, Example], str | None],
) -> Iterator[Finding]:
    by_name = {PurePosixPath(query.path).stem: query for query in queries}
    seen = set()
    for example in examples:
        seen.add((example.subject, example.kind))
        query = by_name.get(example.subject)
        if query is None:
            yield example.wrong(f"there is no query {example.subject}", "rename the folder")
        elif example.kind not in kinds:
            yield example.wrong(f"its name begins with neither {' nor '.join(kinds)}", "rename the file")
        else:
            try:
                message = problem(query, example)
            except (QueryError, IriError) as error:
                message = str(error)
            if message:
                yield example.wrong(message, _REMEDY)
    for name, query in by_name.items():
        for kind in kinds:
            if (name, kind) not in seen:
                remedy = f"add one as examples/{name}/{kind}-*.ttl beside the query"
                message = f"{name} has no example of the kind {kind}"
                yield Finding("example/missing", message, remedy, location=Location(query.path, 1))


@contextmanager
def _added(store: ox.Store, quads: Iterable[ox.Quad]) -> Iterator[None]:
    """Have some quads in a store for a while."""
    new = [quad for quad in quads if quad not in store]
    store.extend(new)
    try:
        yield
    finally:
        for quad in new:
            store.remove(quad)


def _names(found: Counter[str], iris: Iris) -> str:
    return " ".join(sorted(map(iris.shorten, found.elements()))) or "nothing"


def _listed(triples: set[ox.Triple]) -> str:
    return ", ".join(sorted(map(str, triples))) or "nothing"
