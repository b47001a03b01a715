"""The process that has the working store: ``python -m twingraph.publication.query_process``."""

from functools import partial

import pyoxigraph as ox

from twingraph.child_process import serve
from twingraph.errors import QueryError, TwingraphError
from twingraph.processes import limit_memory
from twingraph.publication.working_store import Derive, Load, QueryResult, Select, derive, run_query
from twingraph.rdf.nquads import NQuads


def answer(store: ox.Store, request: object) -> NQuads | QueryResult | QueryError | None:
    """Return the reply to a request of the working store; an error of its query is returned, not raised."""
    try:
        match request:
            case Load(lines, memory_bytes):
                store.bulk_extend(lines)
                limit_memory(memory_bytes)
            case Derive(rule, iris, graph):
                return derive([rule], store, iris, graph)
            case Select(text, iris, limit):
                return run_query(store, text, iris, limit)
    except QueryError as error:
        return error
    except TwingraphError as error:  # such as a query that is too long to be read
        return QueryError(str(error))
    return None


if __name__ == "__main__":
    serve(partial(answer, ox.Store()))
