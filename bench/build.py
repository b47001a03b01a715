"""Where the time of a build goes, step by step, beside what `oxigraph load` alone takes for the same quads.

    python bench/build.py --triples 100000

The build runs in a process of its own, so that its peak of memory is its own; the steps are timed from outside, by
wrapping the functions that the program itself calls, and sum up to the whole.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from generate import FACTS, generate
from places import CACHE, COMPETITORS, RESULTS, data
from report import write_report
from run import commit, prepare, say
from servers import timed
from twingraph.release import build as building
from twingraph.release import pipeline
from twingraph.settings import load_settings

# Step, the module that calls it, and the name it calls; what runs within another step is counted there only.
_STEPS = (
    ("parse", pipeline, "read"),
    ("derive", pipeline, "derive"),
    ("parse shapes and queries", pipeline, "read_shapes"),
    ("canonical N-Quads", building, "canonical_nquads"),
    ("compress and hash", building, "compress"),
    ("manifest", building, "_manifest"),
    ("load and optimize the store", building, "_write_store"),
)
_SHACL = "check: shapes"

Spent = tuple[float, float]


def build_once(publication: Path) -> dict[str, Any]:
    """Build a release from nothing; return each step's seconds, wall-clock and CPU, and the peak of memory in MiB."""
    spent: dict[str, Spent] = {}
    settings = load_settings(publication)
    shutil.rmtree(settings.releases, ignore_errors=True)
    with ExitStack() as stack:
        for step, module, name in _STEPS:
            stack.enter_context(patch.object(module, name, _timed(spent, step, getattr(module, name))))
        stack.enter_context(
            patch.object(pipeline, "_STEPS", tuple(_timed_check(spent, step) for step in pipeline._STEPS))
        )
        begin = _now()
        built = building.build(settings)
        total = _since(begin)
    shacl = spent.pop(_SHACL)
    rest = _minus(total, shacl, *spent.values())
    ordered = [*spent.items(), ("everything else", rest), ("all but SHACL", _minus(total, shacl)), ("SHACL", shacl)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"steps": ordered, "total": total, "shacl": shacl, "peak": peak, "quads": built.release.manifest.quads}


def native_load(quads: Path) -> dict[str, float]:
    """Return the seconds that the native tool takes to load and optimize the quads."""
    location = CACHE / "scratch" / "load"
    shutil.rmtree(location, ignore_errors=True)
    binary = str(COMPETITORS / "oxigraph")
    load = timed([binary, "load", "--location", str(location), "--file", str(quads)])
    optimize = timed([binary, "optimize", "--location", str(location)])
    return {"seconds": load[0] + optimize[0], "cpu": load[1] + optimize[1], "load_only": load[0]}


def _ratios(built: dict[str, Any], load: dict[str, float]) -> Spent:
    """Return how many times as long as the native load the build took without SHACL."""
    own = _minus(built["total"], built["shacl"])
    return own[0] / load["seconds"], own[1] / load["cpu"]


def _timed(spent: dict[str, Spent], step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        begin = _now()
        try:
            return function(*arguments, **options)
        finally:
            before, now = spent.get(step, (0.0, 0.0)), _since(begin)
            spent[step] = before[0] + now[0], before[1] + now[1]

    return call


def _timed_check(spent: dict[str, Spent], step: Any) -> Any:
    return replace(step, run=_timed(spent, f"check: {step.name}", step.run))


def _now() -> Spent:
    """Return the wall clock and the CPU time of this process and of the children it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)


def _since(begin: Spent) -> Spent:
    return _minus(_now(), begin)


def _minus(total: Spent, *parts: Spent) -> Spent:
    return total[0] - sum(part[0] for part in parts), total[1] - sum(part[1] for part in parts)


def main() -> None:
    """Measure builds as the command line says, keep the numbers and write the report."""
    parser = argparse.ArgumentParser(description="Time a build step by step.")
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="grow the data anew")
    parser.add_argument("--once", action="store_true", help="print one build's numbers as JSON (what the others call)")
    given = parser.parse_args()
    publication = data(given.triples)
    if given.once:
        print(json.dumps(build_once(publication)))
        return
    if given.fresh or not (publication / FACTS).exists():
        say(f"growing {given.triples:,} triples")
        generate(given.triples, given.seed, publication)
    say("building")
    command = [sys.executable, __file__, "--once", "--triples", str(given.triples)]
    built = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    say("loading with the native tool")
    loaded = prepare(given.triples, given.seed)
    load = native_load(loaded.quads)
    ratios = dict(zip(("wall", "cpu"), _ratios(built, load), strict=True))
    about = {"asked": given.triples, "commit": commit(), "when": datetime.now(UTC).isoformat(timespec="minutes")}
    result = {**about, **built, "load": load, "ratio": ratios, "bytes": loaded.quads.stat().st_size}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"build-{given.triples}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_report()


if __name__ == "__main__":
    main()
