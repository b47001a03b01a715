"""The process that has the working store: ``python -m twingraph.publication.query_process``."""

from functools import partial

import pyoxigraph as ox

from twingraph.child_process import serve
from twingraph.errors import QueryError, TwingraphError
from twingraph.processes import limit_memory
from twingraph.publication.query_files import QueryFile
from twingraph.publication.working_store import Derive, Load, QueryResult, Select, derive, extended, run_query
from twingraph.rdf.iris import Iris
from twingraph.rdf.nquads import NQuads


def answer(store: ox.Store, request: object) -> NQuads | QueryResult | QueryError | None:
    """Return the reply to a request of the working store; an error of its query is returned, not raised."""
    try:
        match request:
            case Load(lines, memory_bytes):
                store.bulk_extend(lines)
                if memory_bytes is not None:
                    limit_memory(memory_bytes)
            case Derive(rule, iris, graph, None):
                return derive([rule], store, iris, graph)
            case Derive(rule, iris, graph, example):
                with extended(store, example or ()):
                    return _derived(store, rule, iris, graph)
            case Select(text, iris, limit, example):
                with extended(store, example):
                    return run_query(store, text, iris, limit)
    except QueryError as error:
        return error
    except TwingraphError as error:  # such as a query that is too long to be read
        return QueryError(str(error))
    return None


def _derived(store: ox.Store, rule: QueryFile, iris: Iris, graph: str) -> NQuads:
    """Return what a rule derives, without adding it to the store."""
    lines = derive([rule], store, iris, graph)
    for quad in lines:
        store.remove(quad)
    return lines


if __name__ == "__main__":
    serve(partial(answer, ox.Store()))
