"""A plugin of pytest that writes which tests execute which lines of twingraph, and how long those that pass take.

It is used by `mutants.py`, as ``-p tracing``; the environment variable MUTANTS_TRACE names the file to write. It uses
coverage itself, because the contexts of pytest-cov are empty with pytest 9.2.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

TRACE = "MUTANTS_TRACE"


class Tracer:
    """Measures each test, its fixtures included, as a context of its own."""

    def __init__(self) -> None:
        self._coverage = Coverage(data_file=None, source=["twingraph"], config_file=False, messages=False)
        self._coverage.set_option(
            "run:disable_warnings", ["module-not-measured", "module-not-imported", "no-data-collected"]
        )
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Execute a test in its context."""
        self._coverage.switch_context(item.nodeid)
        begin = time.perf_counter()
        result = yield
        self._seconds[item.nodeid] = time.perf_counter() - begin
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what did not pass."""
        if report.failed or report.skipped:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the trace."""
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, Any] = {}
        for file in data.measured_files():
            found = data.contexts_by_lineno(file)
            lines[str(Path(file).relative_to(Path.cwd()))] = {
                line: sorted(set(tests) - {""}) for line, tests in found.items()
            }
        seconds = {name: taken for name, taken in self._seconds.items() if name not in self._failed}
        Path(os.environ[TRACE]).write_text(json.dumps({"seconds": seconds, "lines": lines}), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Measure all tests of the run."""
    config.pluginmanager.register(Tracer(), "tracer")
