"""Saved queries: every one is well formed, can be asked with its defaults and gives the rows that it promises."""

from collections.abc import Iterable

import pyoxigraph as ox

from twingraph.errors import ParameterError, QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.engine import ask
from twingraph.publication.saved_queries import SavedQuery
from twingraph.rdf.iris import Iris

# What stands in for a value that the asker must give, to see whether the query is well formed.
_STAND_INS = {
    "iri": "urn:x-twingraph:any",
    "string": "any",
    "integer": "1",
    "decimal": "1.0",
    "date": "2000-01-01",
    "boolean": "true",
}


def run_saved_queries(
    queries: Iterable[SavedQuery], store: ox.Store, iris: Iris, *, count_rows: bool = True
) -> tuple[Finding, ...]:
    """Return what is wrong with the saved queries; their rows are counted unless the data is known to be incomplete."""
    findings = (_run(query, store, iris, count_rows=count_rows) for query in queries)
    return tuple(finding for finding in findings if finding)


def _run(query: SavedQuery, store: ox.Store, iris: Iris, *, count_rows: bool) -> Finding | None:
    required = {parameter.name: _STAND_INS[parameter.type] for parameter in query.parameters if not parameter.default}
    try:
        # What is more than promised need not be counted, and may be millions.
        rows = len(ask(store, query.bind(required, iris), iris, max(query.rows, 1)).rows)
    except ParameterError as error:
        remedy = "mend the parameter's default in the header"
        return Finding("query/parameter", str(error), remedy, location=_header(query, error.parameter))
    except QueryError as error:
        place = Location(query.path, error.line, error.column)
        return Finding("query/syntax", error.message, "mend the query", location=place)
    if count_rows and not required and rows < query.rows:
        message = f"the query gives {rows} {'row' if rows == 1 else 'rows'}, its header promises at least {query.rows}"
        remedy = "see whether data is missing or the query is wrong; else lower rows in the header"
        return Finding("query/rows", message, remedy, location=_header(query, "rows:"))
    return None


def _header(query: SavedQuery, word: str) -> Location:
    lines = query.text.splitlines()
    numbers = (number for number, line in enumerate(lines, 1) if line.startswith("#+") and word in line)
    return Location(query.path, next(numbers, 1))
