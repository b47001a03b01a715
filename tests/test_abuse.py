"""A short soak in abuse: a real server is afterwards as it was before. `make abuse` does it for an hour."""

import importlib
import subprocess
import sys

from conftest import REPOSITORY
from running import ENVIRONMENT

SECONDS = 20


def test_nothing_has_grown_after_mixed_abuse():
    command = [sys.executable, str(REPOSITORY / "bench" / "abuse.py"), "--seconds", str(SECONDS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=ENVIRONMENT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "nothing has grown" in ran.stdout


def test_what_has_grown_is_named(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "bench"))
    abuse, watching = importlib.import_module("abuse"), importlib.import_module("watching")
    State, Latency, Vitals = abuse.State, watching.Latency, watching.Vitals
    quiet = Latency(p50=0.002, p95=0.004, worst=0.01, asked=150, failed=0)
    begin = State(1, Vitals(front=100, workers_memory=90, workers=3, descriptors=20, threads=7), quiet)
    assert list(abuse.worse(begin, begin)) == []
    slow = Latency(p50=0.02, p95=0.004, worst=0.01, asked=150, failed=2)
    end = State(2, Vitals(front=200, workers_memory=900, workers=44, descriptors=90, threads=70), slow)
    said = "; ".join(abuse.worse(begin, end))
    for word in ("anew", "100 -> 200 MiB", "90 -> 900", "44, not 3", "20 -> 90", "7 -> 70", "p50", "2 look-ups"):
        assert word in said
    assert "p95" not in said
