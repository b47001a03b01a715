"""How the engine is asked: prefixes that a query may use undeclared, functions that it lacks, datasets that overlap."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, TypeGuard

import pyoxigraph as ox

from twingraph.rdf.terms import Term

Answer = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples

_UNKNOWN = re.compile(r"The custom function <(.+)> is not supported", re.DOTALL)
# A query with more unknown functions than this is refused.
_MOST = 64


def ask(store: ox.Store, text: str, **options: Any) -> Answer:
    """Return a store's answer to a query, with the options of its ``query``; raises what that raises.

    A call of a function that the engine does not have is an error of its expression, not of the query (SPARQL 1.1,
    sections 17.3 and 17.6): BIND leaves its variable unbound, a FILTER does not hold, COALESCE goes on. The engine
    refuses the query instead, and names the function; it is asked again with a function in its place that has no value.
    """
    unknown: dict[ox.NamedNode, Callable[..., Term | None]] = {}
    while True:
        try:
            return store.query(text, custom_functions=unknown, **options)
        except RuntimeError as error:
            named = _UNKNOWN.fullmatch(str(error))
            if not named or len(unknown) >= _MOST:
                raise
            unknown[ox.NamedNode(named[1])] = _no_value


def _no_value(*_: object) -> None:
    return None


class Prefixes:
    """The prefixes that queries may use: the engine takes longer to read them all than to answer a look-up."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._marks = tuple((f"{prefix}:", prefix, namespace) for prefix, namespace in namespaces.items())

    def mentioned(self, text: str) -> dict[str, str]:
        """Return those that a query may mention."""
        # Any letter may be written as an escape.
        escaped = "\\u" in text or "\\U" in text
        return {prefix: namespace for mark, prefix, namespace in self._marks if escaped or mark in text}


class Datasets:
    """The datasets that queries name (FROM), in which a triple that several graphs hold counts once."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._overlaps: dict[tuple[str, str], bool] = {}
        self._last: tuple[object, ox.Store] = ((), ox.Store())

    def open(self, default: tuple[str, ...], named: tuple[str, ...]) -> tuple[ox.Store, tuple[str, ...]]:
        """Return where to ask, and the graphs that make up the default graph there; an empty name is its own.

        The engine gives a triple once for each graph. Where graphs share none, it may be asked itself; else their
        merge is made in a store apart, which is kept for the next query over the same dataset.
        """
        graphs = tuple(dict.fromkeys(default))
        if not any(self._overlap(*sorted(pair)) for pair in combinations(graphs, 2)):
            return self._store, graphs
        key = (frozenset(graphs), frozenset(named))
        if self._last[0] != key:
            self._last = (key, self._merge(graphs, named))
        return self._last[1], ("",)

    def _overlap(self, one: str, other: str) -> bool:
        if (one, other) not in self._overlaps:
            test = f"ASK {{ GRAPH <{one}> {{ ?s ?p ?o }} GRAPH <{other}> {{ ?s ?p ?o }} }}"
            self._overlaps[one, other] = bool(self._store.query(test))
        return self._overlaps[one, other]

    def _merge(self, default: tuple[str, ...], named: tuple[str, ...]) -> ox.Store:
        merge = ox.Store()
        for iri in default:
            merge.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in self._quads(iri))
        for iri in named:
            merge.bulk_extend(self._quads(iri))
        return merge

    def _quads(self, iri: str) -> Iterator[ox.Quad]:
        return self._store.quads_for_pattern(None, None, None, ox.NamedNode(iri))


def used_prefixes(namespaces: Mapping[str, str], triples: Iterable[ox.Triple]) -> dict[str, str]:
    """Return the prefixes that some IRI in the triples needs: a reader wants no others."""
    terms = {term for one in triples for term in (one.subject, one.predicate, one.object)}
    iris = {term.value if isinstance(term, ox.NamedNode) else term.datatype.value for term in terms if _has_iri(term)}
    stems = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for iri in iris}
    return {prefix: namespace for prefix, namespace in namespaces.items() if namespace in stems}


def _has_iri(term: Term) -> TypeGuard[ox.NamedNode | ox.Literal]:
    return isinstance(term, ox.NamedNode | ox.Literal)
