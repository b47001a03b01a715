"""The mutated queries of `make fuzz`: the same for a seed and a number, bounded, and asked of a real server."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from urllib.parse import urlsplit

import pytest

from conftest import REPOSITORY
from running import ENVIRONMENT

QUERIES = [
    "SELECT * WHERE { ?s ?p ?o OPTIONAL { ?o ?q ?r } }",
    "PREFIX : <http://example.org/> ASK { :a :b ?c FILTER(?c > 1) }",
]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "bench"))
    return importlib.import_module


def test_a_number_gives_the_same_query_each_time(bench):
    mutated = bench("mutate").mutated
    first = [mutated(QUERIES, 1, number) for number in range(200)]
    assert first == [mutated(QUERIES, 1, number) for number in range(200)]
    assert len(set(first)) > 150
    assert max(map(len, first)) <= 50_010


def test_an_interrupted_run_goes_on_where_it_was(bench, address, tmp_path):
    fuzz, port, state = bench("fuzz"), urlsplit(address).port, tmp_path / "state.json"
    whole = fuzz.Tally(seed=1)
    fuzz.run(port, QUERIES, whole, 60, tmp_path / "whole.json")
    fuzz.run(port, QUERIES, fuzz.resumed(state, 1), 25, state)
    later = fuzz.resumed(state, 1)
    assert later.done == 25
    fuzz.run(port, QUERIES, later, 60, state)
    assert later.statuses == whole.statuses == Counter(json.loads(state.read_text())["statuses"])


def test_no_mutated_query_makes_a_fault(address, tmp_path):
    command = [
        sys.executable,
        str(REPOSITORY / "bench" / "fuzz.py"),
        "--count",
        "500",
        "--state",
        str(tmp_path / "x.json"),
    ]
    port = str(urlsplit(address).port)
    ran = subprocess.run(
        [*command, "--port", port], capture_output=True, text=True, check=False, timeout=300, env=ENVIRONMENT
    )
    if "no queries in" in ran.stderr:
        pytest.skip(ran.stderr.strip())
    assert ran.returncode == 0, ran.stdout + ran.stderr
