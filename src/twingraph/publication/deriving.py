"""Deriving statements: the publication's rules, SPARQL CONSTRUCT queries run in the order of their names.

Each rule sees the union of all graphs and what earlier rules derived. What a rule constructs and the
files do not say goes into the graph of derived statements. Rules may call functions on EDTF literals::

    BIND(<urn:x-twingraph:function:earliest>(?edtf) AS ?day)

which give an ``xsd:date``, or nothing (an unbound variable) for an end that is open.
"""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import pyoxigraph as ox

from twingraph.errors import DateError, QueryError
from twingraph.publication.files import QueryFile
from twingraph.rdf.edtf import EDTF, bounds
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads, NQuadsWriter
from twingraph.rdf.terms import Term
from twingraph.sparql.syntax_errors import query_error

_XSD_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")


def derive(rules: Iterable[QueryFile], store: ox.Store, iris: Iris, graph: str, path: Path | None = None) -> NQuads:
    """Apply the rules to the store and return what they derive, each statement once, in the named graph ``graph``.

    The statements are added to the store and written to the file ``path`` or, without one, to memory. Raises
    QueryError, with the rule's path, when a rule is malformed or is not a CONSTRUCT query.
    """
    writer = NQuadsWriter(path)
    for rule in rules:
        store.bulk_extend(writer.add_triples(_new(store, rule, iris), graph))
    return writer.lines


def _new(store: ox.Store, rule: QueryFile, iris: Iris) -> list[ox.Triple]:
    """Return what a rule constructs and the store does not have yet."""
    triples = dict.fromkeys(_construct(store, rule, iris))
    predicates = {triple.predicate for triple in triples}
    known = {quad.triple for predicate in predicates for quad in store.quads_for_pattern(None, predicate, None)}
    return [triple for triple in triples if triple not in known]


def _construct(store: ox.Store, rule: QueryFile, iris: Iris) -> ox.QueryTriples:
    try:
        answer = store.query(
            rule.text,
            base_iri=iris.base,
            prefixes=dict(iris.namespaces),
            use_default_graph_as_union=True,
            custom_functions=_FUNCTIONS,
        )
    except SyntaxError as error:
        found = query_error(error, rule.text)
        raise QueryError(f"{rule.path}: {found.message}", found.line, found.column) from error
    if not isinstance(answer, ox.QueryTriples):
        raise QueryError(f"{rule.path}: a rule must be a CONSTRUCT query")
    return answer


def _literal(term: Term, end: str) -> ox.Literal | None:
    if not isinstance(term, ox.Literal) or term.datatype.value != EDTF:
        return None
    try:
        day: date | None = getattr(bounds(term.value), end)
    except DateError:  # reported by the check of dates, which names file and line
        return None
    return None if day is None else ox.Literal(day.isoformat(), datatype=_XSD_DATE)


_FUNCTIONS: dict[ox.NamedNode, Callable[..., Term | None]] = {
    ox.NamedNode("urn:x-twingraph:function:earliest"): lambda term: _literal(term, "earliest"),
    ox.NamedNode("urn:x-twingraph:function:latest"): lambda term: _literal(term, "latest"),
}
