"""The server that the suites ask, the failures that are known, and the table at the end of a run."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from conformance.endpoint import Endpoint, listening
from conformance.known import known_failure
from conformance.manifests import MISSING, SUITES, Dataset
from conformance.publications import quads_of, throw_away
from conformance.tables import Result, as_markdown, as_text, table
from twingraph.settings import Settings

_KEY = "conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance-page", type=Path, default=None, help="write the tables of the suites to this page")


@pytest.fixture(scope="session")
def endpoint():
    """The listener, with nothing behind it yet."""
    with listening() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def serve(endpoint: Endpoint, tmp_path_factory) -> Callable[[Dataset], httpx.Client]:
    """Serve a test's dataset, if it is not served already, and return a client to ask with."""
    written: dict[Dataset, Settings] = {}

    def serve(dataset: Dataset) -> httpx.Client:
        if dataset not in written:
            directory = tmp_path_factory.mktemp("publication") / "publication"
            written[dataset] = throw_away(directory, dataset.base, quads_of(dataset))
        if endpoint.served is not written[dataset]:
            endpoint.serve(written[dataset])
        return endpoint.http

    return serve


class Outcome:
    """Writes into a test's report what was asked and how the answer compared."""

    def __init__(self, request: pytest.FixtureRequest, record: Callable[[str, object], None]) -> None:
        self._request, self._record = request, record

    def __call__(self, suite: str, name: str, format_: str) -> None:
        """Say what is asked, before it is; from here on a known failure is expected."""
        self._record(_KEY, (suite, name, format_))
        self.expect(name, format_)

    def expect(self, name: str, format_: str) -> None:
        """Expect a failure if it is a known one; for tests of our own, which no table counts."""
        if failure := known_failure(name, format_):
            self._request.applymarker(pytest.mark.xfail(reason=f"{failure.cause}: {failure.reason}", strict=True))

    def match(self, match: str) -> None:
        """Say how the answer compared with what was expected."""
        self._record("match", str(match))

    def skip(self, reason: str) -> None:
        """Leave a test of the suites out, and say why on the page."""
        self._record("match", reason)
        pytest.skip(reason)


@pytest.fixture
def outcome(request, record_property) -> Outcome:
    """Say which suite, test and format this is, for the table."""
    return Outcome(request, record_property)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print the table, and write the page when it is wanted."""
    results = sorted(_results(terminalreporter.stats), key=lambda result: (result.suite, result.test))
    if not results:
        return
    terminalreporter.section("conformance over HTTP: tests passed of tests asked")
    for line in as_text(table(results)):
        terminalreporter.write_line(line)
    page = config.getoption("--conformance-page", default=None)
    if page and not SUITES.is_dir():
        terminalreporter.write_line(f"{page} is not written: {MISSING}")
    elif page:
        page.write_text(as_markdown(results), encoding="utf-8")


_OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "xfailed": "failed", "skipped": "skipped"}


def _results(stats) -> list[Result]:
    found = []
    for name, outcome in _OUTCOMES.items():
        for report in stats.get(name, ()):
            properties = dict(getattr(report, "user_properties", ()))
            if _KEY in properties:
                suite, test, format_ = properties[_KEY]
                found.append(Result(suite, test, format_, outcome, properties.get("match", "")))
    return found
