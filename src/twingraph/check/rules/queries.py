"""Checks in SPARQL, where any row is a violation, and saved queries, which must run and return enough rows."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from twingraph.check.statements import Statements
from twingraph.errors import LimitError, ParameterError, QueryError, WorkerLostError
from twingraph.findings import Finding, Location
from twingraph.publication.query_files import QueryFile
from twingraph.publication.saved_queries import SavedQuery, parse_header
from twingraph.publication.working_store import QueryResult, WorkingStore, stopped
from twingraph.rdf.iris import Iris


def run_checks(checks: Iterable[QueryFile], store: WorkingStore, statements: Statements) -> tuple[Finding, ...]:
    """Return a finding for each row of each check, and for each check that cannot run."""
    return tuple(finding for file in checks for finding in _check_findings(file, store, statements))


def _check_findings(file: QueryFile, store: WorkingStore, statements: Statements) -> Iterator[Finding]:
    try:
        title, remedy, result = _run_check(file, store)
    except QueryError as error:
        place = Location(file.path, error.line, error.column)
        yield Finding("query/syntax", error.message, "correct the check, which was not run", location=place)
        return
    except (LimitError, WorkerLostError) as error:
        yield _stopped("check", file.path, error)
        return
    rule = f"check/{PurePosixPath(file.path).stem}"
    for values in result.rows:
        row = dict(zip(result.columns, values, strict=True))
        message, focus = row["message"] or title, row["entity"] or ""
        yield statements.finding(rule, message, remedy, focus, row.get("property"), row.get("value"))


def _stopped(what: str, path: str, error: LimitError | WorkerLostError) -> Finding:
    remedy = f"make the {what} cheaper, or raise the limit; it was not evaluated"
    return Finding("query/limit", stopped(what, error), remedy, location=Location(path, 1))


def _run_check(file: QueryFile, store: WorkingStore) -> tuple[str, str, QueryResult]:
    """Return the title and the remedy of a check, and its rows; raises QueryError."""
    header = parse_header(file.path, file.text)
    if missing := [name for name in ("title", "remedy") if not header.get(name)]:
        raise QueryError(f"the header lacks {' and '.join(missing)}", 1, 1)
    result = store.query(file.text)
    if not {"entity", "message"} <= set(result.columns):
        raise QueryError("a check must be a SELECT with the columns ?entity ?property ?value ?message", 1, 1)
    return str(header["title"]), str(header["remedy"]).strip(), result


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
    queries: Iterable[SavedQuery], store: WorkingStore, iris: Iris, *, count_rows: bool = True
) -> tuple[Finding, ...]:
    """Return what is wrong with the saved queries; ``count_rows`` is false when the data is known to be incomplete."""
    findings = (_run_saved_query(query, store, iris, count_rows=count_rows) for query in queries)
    return tuple(finding for finding in findings if finding)


def _run_saved_query(query: SavedQuery, store: WorkingStore, iris: Iris, *, count_rows: bool) -> Finding | None:
    required = {
        parameter.name: _SAMPLE_VALUES[parameter.type] for parameter in query.parameters if not parameter.default
    }
    try:
        # There may be millions of rows more than the header states.
        rows = len(store.query(query.bind(required, iris), max(query.rows, 1)).rows)
    except ParameterError as error:
        remedy = "correct the parameter's default in the header"
        return Finding("query/parameter", str(error), remedy, location=_header(query, error.parameter))
    except QueryError as error:
        place = Location(query.path, error.line, error.column)
        return Finding("query/syntax", error.message, "correct the query", location=place)
    except (LimitError, WorkerLostError) as error:
        return _stopped("saved query", query.path, error)
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
