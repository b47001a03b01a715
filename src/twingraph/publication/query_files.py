"""Files of queries: rules, checks and saved queries; one that cannot be read is a finding, and the others are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from twingraph.errors import QueryError
from twingraph.findings import Finding, Location
from twingraph.publication.files import Publication
from twingraph.publication.saved_queries import SavedQuery, parse_saved_query
from twingraph.publication.sources import invalid_utf8, not_utf8, unreadable


@dataclass(frozen=True, slots=True)
class QueryFile:
    """The text of a rule or a check; ``path`` is relative to the publication."""

    path: str
    text: str


@dataclass(frozen=True)
class SavedQueries:
    """The saved queries that could be parsed, and a finding for each of the others."""

    queries: tuple[SavedQuery, ...]
    findings: tuple[Finding, ...]


def read_saved_queries(publication: Publication) -> SavedQueries:
    """Return the saved queries, sorted by name."""
    queries: dict[str, SavedQuery] = {}
    findings = []
    for path in publication.query_files:
        name = publication.relative(path)
        file = read_query_file(publication, path)
        if isinstance(file, Finding):
            findings.append(file)
            continue
        try:
            query = parse_saved_query(name, file.text)
        except QueryError as error:
            remedy = "fix the lines that begin with #+"
            findings.append(Finding("query/header", error.message, remedy, location=Location(name, error.line)))
            continue
        if query.name in queries:
            message = f"there is already a query {query.name} in {queries[query.name].path}"
            findings.append(Finding("query/name", message, "rename one of the files", location=Location(name, 1)))
        queries.setdefault(query.name, query)
    return SavedQueries(tuple(queries[name] for name in sorted(queries)), tuple(findings))


def read_query_files(publication: Publication, paths: Iterable[Path]) -> tuple[QueryFile, ...]:
    """Return the texts of rules or checks, in the order of ``paths``, without those that cannot be read."""
    files = (read_query_file(publication, path) for path in paths)
    return tuple(file for file in files if isinstance(file, QueryFile))


def unreadable_query_files(publication: Publication, paths: Iterable[Path]) -> tuple[Finding, ...]:
    """Return a finding for each of the files that `read_query_files` leaves out."""
    files = (read_query_file(publication, path) for path in paths)
    return tuple(file for file in files if isinstance(file, Finding))


def read_query_file(publication: Publication, path: Path) -> QueryFile | Finding:
    """Return the text of a file, or the finding that it cannot be read or is not UTF-8."""
    name = publication.relative(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        return unreadable(name, error)
    place = invalid_utf8(iter([content]))
    return not_utf8(name, *place) if place else QueryFile(name, content.decode())
