"""Checks: queries of which any row is a violation, with the columns ?entity ?property ?value ?message."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyoxigraph as ox

from twingraph.check.statements import Statements
from twingraph.errors import QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.engine import Answer, ask
from twingraph.publication.files import QueryFile
from twingraph.publication.saved_queries import parse_header


@dataclass(frozen=True, slots=True)
class _Check:
    """A check's name and the words of its header."""

    name: str
    title: str
    remedy: str


def run_checks(checks: Iterable[QueryFile], store: ox.Store, statements: Statements) -> tuple[Finding, ...]:
    """Return a finding for each row of each check, and for each check that cannot be asked."""
    return tuple(finding for file in checks for finding in _run(file, store, statements))


def _run(file: QueryFile, store: ox.Store, statements: Statements) -> Iterator[Finding]:
    try:
        check = _describe(file, parse_header(file.path, file.text))
        answer = ask(store, file.text, statements.iris)
        _require_columns(answer)
    except QueryError as error:
        place = Location(file.path, error.line, error.column)
        yield Finding("query/syntax", error.message, "mend the check; it was not run", location=place)
        return
    for row in answer.rows:
        yield _finding(check, dict(zip(answer.columns, row, strict=True)), statements)


def _require_columns(answer: Answer) -> None:
    if not {"entity", "message"} <= set(answer.columns):
        raise QueryError("a check is a SELECT with the columns ?entity ?property ?value ?message", 1, 1)


def _describe(file: QueryFile, header: dict[str, Any]) -> _Check:
    missing = [name for name in ("title", "remedy") if not header.get(name)]
    if missing:
        raise QueryError(f"the header lacks {' and '.join(missing)}", 1, 1)
    return _Check(PurePosixPath(file.path).stem, str(header["title"]), str(header["remedy"]).strip())


def _finding(check: _Check, row: dict[str, str | None], statements: Statements) -> Finding:
    message = row["message"] or check.title
    path, value = row.get("property"), row.get("value")
    return statements.finding(f"check/{check.name}", message, check.remedy, row["entity"] or "", path, value)
