"""Public data sets are published as they come, with ten lines of settings at most, and nothing of them is changed.

What the registries of the machine do not have is tried with ``--datasets-from DIR``, a directory of working trees named
``owner+name``; ``--datasets-page docs/datasets.md`` writes the page.
"""

import pyoxigraph as ox
import pytest

from datasets.conftest import Published
from datasets.results import plain_results
from datasets.statements import canonical
from datasets.table import MAX_SETTINGS, data_sets
from twingraph.settings import Limits


@pytest.mark.parametrize("data_set", data_sets(), ids=lambda data_set: data_set.name)
def test_settings_have_ten_lines_at_most(data_set):
    assert 0 < len(data_set.lines) <= MAX_SETTINGS


def test_statements_published_are_those_of_the_files(published: Published, record):
    built = published.built
    ours = canonical(published.statements)
    assert len(ours) == len(published.statements)
    assert ours == canonical(published.expected)
    findings = ", ".join(f"{count:,} {rule}" for rule, count in sorted(built.findings.items()))
    record(statements=len(ours), files=len(built.files), findings=findings, build=built.seconds)


def test_results_of_shapes_are_those_of_pyshacl(published: Published, record):
    built = published.built
    if not built.shapes:
        record(results=None)
        return
    expected, seconds = published.timed(lambda: plain_results(built, published.expected))
    assert built.focus_nodes > 0
    assert built.results == expected
    record(results=expected.total(), focus_nodes=built.focus_nodes, pyshacl=seconds)


def test_query_over_http_counts_what_the_files_say(published: Published, endpoint, record):
    # The engine takes numbers of one value for one term, however they are written.
    store = ox.Store()
    store.bulk_extend(published.expected)
    workers = Limits(workers=1, reserve_workers=0)
    endpoint.serve(published.built.settings.model_copy(update={"limits": workers}))
    query = "SELECT (COUNT(*) AS ?count) WHERE { GRAPH ?graph { ?s ?p ?o } }"
    answer = endpoint.http.get("/sparql", params={"query": query}, headers={"Accept": "application/json"}).json()
    [row] = answer["results"]["bindings"]
    assert int(row["count"]["value"]) == len(store)
    record(served=len(store))
