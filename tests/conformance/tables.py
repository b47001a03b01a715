"""What a run of the suites came to: the tables for the terminal and for ``docs/conformance.md``."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.known import CAUSES, known_failures
from conformance.manifests import OUT_OF_SCOPE

# The columns, in order; a suite shows those that it was asked in.
FORMATS = ("json", "xml", "csv", "tsv", "turtle", "ntriples", "rdfxml", "jsonld", "syntax", "conversation")
_INTRODUCTION = """\
# Conformance to SPARQL 1.1

`make conformance` writes this page. It loads the data of each test of the W3C's suites as a throw-away publication,
asks the server over HTTP, and compares what comes with what the suite expects. The numbers are tests passed of tests
asked; a query is asked in every format that its form has (by GET, as a form and directly, by turns), each read back by
code that shares nothing with the engine.

Answers are equal when their solutions or triples are, up to the names of blank nodes, and in order where the suite
gives an order. Terms are compared as they stand; {by_value} of the {passed} answers that pass do so by value only, for
instance `1.50` where the suite writes `1.5`: the engine keeps the value of a number, not its spelling. CSV has no
terms, so there texts are compared. A query that calls a function which does not exist here counts as well formed when
the answer says just that.

Answers to queries have literals as the engine writes them: by their value. Whole graphs (`/graph-store`, `/graph/PATH`)
and the files of a release have every term as it was written.

Where the engine alone would answer otherwise than the specification says, `sparql/rewrites/` writes the query so that
it gives the answer that is meant, if there is a way. What remains is below.
"""


@dataclass(frozen=True)
class Result:
    """How one test in one format came out: ``passed``, ``failed`` or ``skipped``; ``match`` says how it compared."""

    suite: str
    test: str
    format: str
    outcome: str
    match: str = ""


def table(results: Iterable[Result]) -> list[list[str]]:
    """Return a row for each suite and one for all: its tests that pass in every format, then format by format."""
    by_suite: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.outcome != "skipped":
            by_suite[result.suite].append(result)
    asked = {result.format for group in by_suite.values() for result in group}
    formats = [name for name in FORMATS if name in asked]
    rows = [["suite", "tests", *formats]]
    rows += [[suite, *_row(group, formats)] for suite, group in by_suite.items()]
    everything = [result for group in by_suite.values() for result in group]
    return [*rows, ["all", *_row(everything, formats)]]


def _row(results: list[Result], formats: list[str]) -> list[str]:
    return [_share(results), *(_share([one for one in results if one.format == name]) for name in formats)]


def _share(results: list[Result]) -> str:
    """Return how many tests passed of those asked; one that was asked in several ways must pass in all."""
    tests = {result.test for result in results}
    failed = {result.test for result in results if result.outcome == "failed"}
    return f"{len(tests - failed)}/{len(tests)}" if tests else ""


def as_text(rows: list[list[str]]) -> Iterator[str]:
    """Yield the table's lines for a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([row[0].ljust(len(first)), *rest]).rstrip()


def as_markdown(results: list[Result]) -> str:
    """Return the page: the table, every failure by name with its cause, and what is out of scope."""
    passed = [result for result in results if result.outcome == "passed" and result.match]
    by_value = sum(result.match == "same values" for result in passed)
    header, *rows = table(results)
    lines = [_INTRODUCTION.format(by_value=by_value, passed=len(passed)), "## Results", ""]
    lines += [_line(header), _line(["---", *("--:" for _ in header[1:])]), *map(_line, rows), ""]
    return "\n".join([*lines, *_failures(results), *_left_out(results)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _failures(results: list[Result]) -> Iterator[str]:
    failed = {result.test for result in results if result.outcome == "failed"}
    titles = dict(zip(CAUSES, ("The engine's own", "Ours, still to be done"), strict=True))
    yield "## Failures by name"
    for cause, title in titles.items():
        groups = [one for one in known_failures() if one.cause == cause]
        yield f"\n### {title}\n"
        for one in groups:
            names = ", ".join(f"`{name}`" for name in one.tests if "/" in name)
            where = f" (in {', '.join(one.formats)})" if one.formats else ""
            yield f"- {one.reason}{where}: {names}"
        if not groups:
            yield "None."
    unknown = failed - {name for one in known_failures() for name in one.tests}
    if unknown:
        yield "\n### Of no known cause\n"
        yield from (f"- `{name}`" for name in sorted(unknown))


def _left_out(results: list[Result]) -> Iterator[str]:
    yield "\n## Out of scope\n"
    reasons: dict[str, list[str]] = defaultdict(list)
    for folder, reason in OUT_OF_SCOPE.items():
        reasons[reason].append(folder)
    for result in results:
        if result.outcome == "skipped":
            reasons[result.match].append(result.test)
    for reason, names in reasons.items():
        yield f"- {reason}: {', '.join(f'`{name}`' for name in sorted(names))}"
    yield ""
