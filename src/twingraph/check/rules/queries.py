"""Checks in SPARQL, where any row is a violation, and saved queries, which must run and return enough rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyoxigraph as ox

from twingraph.check.statements import Statements
from twingraph.errors import ParameterError, QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.files import QueryFile
from twingraph.publication.saved_queries import SavedQuery, parse_header
from twingraph.publication.working_store import QueryResult, run_query
from twingraph.rdf.iris import Iris


@dataclass(frozen=True, slots=True)
class _Check:
    """A check's name, and the title and remedy of its header."""

    name: str
    title: str
    remedy: str


def run_checks(checks: Iterable[QueryFile], store: ox.Store, statements: Statements) -> tuple[Finding, ...]:
    """Return a finding for each row of each check, and for each check that cannot run."""
    return tuple(finding for file in checks for finding in _run_check(file, store, statements))


def _run_check(file: QueryFile, store: ox.Store, statements: Statements) -> Iterator[Finding]:
    try:
        check = _describe(file, parse_header(file.path, file.text))
        answer = run_query(store, file.text, statements.iris)
        _require_columns(answer)
    except QueryError as error:
        place = Location(file.path, error.line, error.column)
        yield Finding("query/syntax", error.message, "correct the check, which was not run", location=place)
        return
    for row in answer.rows:
        yield _row_finding(check, dict(zip(answer.columns, row, strict=True)), statements)


def _require_columns(answer: QueryResult) -> None:
    if not {"entity", "message"} <= set(answer.columns):
        raise QueryError("a check is a SELECT with the columns ?entity ?property ?value ?message", 1, 1)


def _describe(file: QueryFile, header: dict[str, Any]) -> _Check:
    missing = [name for name in ("title", "remedy") if not header.get(name)]
    if missing:
        raise QueryError(f"the header lacks {' and '.join(missing)}", 1, 1)
    return _Check(PurePosixPath(file.path).stem, str(header["title"]), str(header["remedy"]).strip())


def _row_finding(check: _Check, row: dict[str, str | None], statements: Statements) -> Finding:
    message = row["message"] or check.title
    path, value = row.get("property"), row.get("value")
    return statements.finding(f"check/{check.name}", message, check.remedy, row["entity"] or "", path, value)


# Values for required parameters, to see whether the query is well formed.
_SAMPLE_VALUES = {
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
    """Return what is wrong with the saved queries; ``count_rows`` is false when the data is known to be incomplete."""
    findings = (_run_saved_query(query, store, iris, count_rows=count_rows) for query in queries)
    return tuple(finding for finding in findings if finding)


def _run_saved_query(query: SavedQuery, store: ox.Store, iris: Iris, *, count_rows: bool) -> Finding | None:
    required = {
        parameter.name: _SAMPLE_VALUES[parameter.type] for parameter in query.parameters if not parameter.default
    }
    try:
        # There may be millions of rows more than the header states.
        rows = len(run_query(store, query.bind(required, iris), iris, max(query.rows, 1)).rows)
    except ParameterError as error:
        remedy = "correct the parameter's default in the header"
        return Finding("query/parameter", str(error), remedy, location=_header(query, error.parameter))
    except QueryError as error:
        place = Location(query.path, error.line, error.column)
        return Finding("query/syntax", error.message, "correct the query", location=place)
    if count_rows and not required and rows < query.rows:
        message = (
            f"the query returns {rows} {'row' if rows == 1 else 'rows'}; its header requires at least {query.rows}"
        )
        remedy = "find out whether data is missing or the query is wrong; otherwise lower rows in the header"
        return Finding("query/rows", message, remedy, location=_header(query, "rows:"))
    return None


def _header(query: SavedQuery, word: str) -> Location:
    lines = query.text.splitlines()
    numbers = (number for number, line in enumerate(lines, 1) if line.startswith("#+") and word in line)
    return Location(query.path, next(numbers, 1))
