"""Whether a query gives another answer each time it is asked (SPARQL 1.1, sections 17.4.2.12, 17.4.4.5, 17.4.5.1)."""

import re
from itertools import pairwise

from twingraph.errors import QueryError
from twingraph.sparql.tokens import keyword, tokens_of

_FUNCTIONS = frozenset({"NOW", "RAND", "UUID", "STRUUID"})
# A letter may be written as an escape (section 19.2), which nobody does without a purpose.
_HINT = re.compile(r"NOW|RAND|UUID|\\u", re.IGNORECASE)


def may_be_volatile(text: str) -> bool:
    """Tell by one look at the text whether a query may call such a function; names and texts are taken for calls."""
    return bool(_HINT.search(text))


def is_volatile(text: str) -> bool:
    """Tell whether a query calls a function whose value is another one each time."""
    if not may_be_volatile(text):
        return False
    try:
        tokens = tuple(tokens_of(text))
    except QueryError:
        return True
    return any(keyword(token) in _FUNCTIONS and after.text == "(" for token, after in pairwise(tokens))
