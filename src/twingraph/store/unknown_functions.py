"""Functions that the engine does not have: a call of one is an error of its expression, not of the query.

So says the specification (SPARQL 1.1, sections 17.3 and 17.6), and so do other engines: BIND leaves its variable
unbound, a FILTER does not hold, COALESCE goes on. The engine refuses the query, and names the function, before it gives
anything of an answer; it is then asked again with a function that gives nothing in its place.
"""

import re
from collections.abc import Callable
from typing import Any

import pyoxigraph as ox

_UNKNOWN = re.compile(r"The custom function <(.+)> is not supported", re.DOTALL)
# A query with more unknown functions than this is refused.
_MOST = 64
_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def ask_with_unknown_functions(
    store: ox.Store, text: str, **options: Any
) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
    """Return what a store answers to a query, with the options of its ``query``; raises what that raises."""
    unknown: dict[ox.NamedNode, Callable[..., _Term | None]] = {}
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
