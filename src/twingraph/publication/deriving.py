"""Deriving statements: the publication's rules, SPARQL CONSTRUCT queries run in the order of their names.

Each rule sees the union of all graphs and what earlier rules derived. What a rule constructs and nobody has said
yet goes into the graph of derived statements. Rules may call functions on EDTF literals::

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
from twingraph.rdf.nquads import Lines, Spool
from twingraph.rdf.terms import Term
from twingraph.sparql.syntax_errors import query_error

_XSD_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")


def derive(rules: Iterable[QueryFile], store: ox.Store, iris: Iris, graph: str, keep: Path | None = None) -> Lines:
    """Return what the rules derive from the store, in the named graph ``graph``, each statement once, and add it there.

    It is kept in the file ``keep`` or, without one, in memory. Raises QueryError, with the rule's path, when a rule is
    malformed or is no CONSTRUCT query.
    """
    spool = Spool(keep)
    for rule in rules:
        store.bulk_extend(spool.add_triples(_new(store, rule, iris), graph))
    return spool.lines


def _new(store: ox.Store, rule: QueryFile, iris: Iris) -> list[ox.Triple]:
    """Return what a rule constructs and the store does not say."""
    triples = dict.fromkeys(_construct(store, rule, iris))
    said = _said(store, {triple.predicate for triple in triples})
    return [triple for triple in triples if triple not in said]


def _said(store: ox.Store, predicates: Iterable[ox.NamedNode]) -> set[ox.Triple]:
    """Return what the store says with these predicates, which is far less than all that it says."""
    return {quad.triple for predicate in predicates for quad in store.quads_for_pattern(None, predicate, None)}


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
        found = query_error(error, rule.text, iris.namespaces)
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
