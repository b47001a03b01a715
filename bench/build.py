"""Where the time of a build goes, step by step, beside what `oxigraph load` alone takes for the same quads.

    python bench/build.py --triples 100000

A build is measured twice, each in a process of its own: once as it is, and once without the shapes, which is what SHACL
does not cost. Steps run beside one another, so their seconds do not add up to the whole; their CPU seconds do. A step's
CPU is that of the thread that it runs on and of the processes that it waits for.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generate import FACTS, generate
from places import CACHE, COMPETITORS, data
from processes import resident
from records import commit, keep, say
from run import prepare
from servers import timed
from twingraph.release.build import build
from twingraph.settings import load_settings

_SHAPES = "check: shapes"
_OWN_RELEASES = "releases-measured"
_SAMPLES_PER_SECOND = 4

Spent = tuple[float, float]


@dataclass
class Watched:
    """What each step of a build took, in wall-clock and CPU seconds."""

    spent: dict[str, Spent] = field(default_factory=dict)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Measure a step on the thread that it runs on."""
        begin = _now(resource.RUSAGE_THREAD)
        try:
            yield
        finally:
            self.spent[step] = _minus(_now(resource.RUSAGE_THREAD), begin)
            say(f"{step}: {self.spent[step][0]:.1f} s, CPU {self.spent[step][1]:.1f} s")


def build_once(publication: Path, *, with_shapes: bool) -> dict[str, Any]:
    """Build a release from nothing; return what each step and the whole took."""
    options = {} if with_shapes else {"folders__shapes": "no-shapes"}
    settings = load_settings(publication, folders__releases=_OWN_RELEASES, **options)
    shutil.rmtree(settings.releases, ignore_errors=True)
    watched = Watched()
    begin = _now(resource.RUSAGE_SELF)
    built = build(settings, observer=watched)
    total = _minus(_now(resource.RUSAGE_SELF), begin)
    store = sum(path.stat().st_size for path in (built.release.directory / "store").iterdir())
    return {"steps": watched.spent, "total": total, "quads": built.release.manifest.quads, "store": store}


def native_load(quads: Path) -> dict[str, float]:
    """Return the seconds that the native tool takes to load and optimize the quads."""
    location = CACHE / "scratch" / "load"
    shutil.rmtree(location, ignore_errors=True)
    binary = str(COMPETITORS / "oxigraph")
    load = timed([binary, "load", "--location", str(location), "--file", str(quads)])
    optimize = timed([binary, "optimize", "--location", str(location)])
    return {"seconds": load[0] + optimize[0], "cpu": load[1] + optimize[1], "load_only": load[0]}


def measured(triples: int, *, with_shapes: bool) -> dict[str, Any]:
    """Return what `build_once` gives in a process of its own, and the most memory that its processes had together."""
    command = [sys.executable, __file__, "--once", "--triples", str(triples)]
    peak = 0.0
    with subprocess.Popen(
        [*command, *([] if with_shapes else ["--without-shapes"])], stdout=subprocess.PIPE
    ) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(1 / _SAMPLES_PER_SECOND)
        output = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"the build ended with {process.returncode}")
    return {**json.loads(output), "peak": peak}


def _summary(whole: dict[str, Any], without: dict[str, Any], load: dict[str, float]) -> dict[str, Any]:
    """Return the steps of the build without shapes, and then what SHACL adds to it."""
    steps = {name: spent for name, spent in without["steps"].items() if name != _SHAPES}
    cpu = without["total"][1] - sum(spent for _, spent in steps.values())
    shacl = whole["steps"][_SHAPES]
    ordered = [*steps.items(), ("everything else", (None, cpu)), ("all but SHACL", without["total"]), ("SHACL", shacl)]
    ratio = {"wall": without["total"][0] / load["seconds"], "cpu": without["total"][1] / load["cpu"]}
    return {
        "steps": ordered,
        "total": whole["total"],
        "without": without["total"],
        "shacl": shacl,
        "peak": whole["peak"],
        "peak_without": without["peak"],
        "quads": whole["quads"],
        "store": whole["store"],
        "load": load,
        "ratio": ratio,
    }


def _now(who: int) -> Spent:
    """Return the wall clock and the CPU time of this process or thread and of the children that were waited for."""
    used = [resource.getrusage(each) for each in (who, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)


def _minus(total: Spent, part: Spent) -> Spent:
    return total[0] - part[0], total[1] - part[1]


def main() -> None:
    """Measure builds as the command line says, keep the numbers and write the report."""
    parser = argparse.ArgumentParser(description="Time a build step by step.")
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="grow the data anew")
    parser.add_argument("--once", action="store_true", help="print one build's numbers as JSON (what the others call)")
    parser.add_argument("--without-shapes", action="store_true", help="with --once: build without SHACL")
    given = parser.parse_args()
    publication = data(given.triples)
    if given.once:
        print(json.dumps(build_once(publication, with_shapes=not given.without_shapes)))
        return
    if given.fresh or not (publication / FACTS).exists():
        say(f"growing {given.triples:,} triples")
        generate(given.triples, given.seed, publication)
    about = {"asked": given.triples, "commit": commit(), "when": datetime.now(UTC).isoformat(timespec="minutes")}
    say("building without shapes")
    without = measured(given.triples, with_shapes=False)
    say("building")
    whole = measured(given.triples, with_shapes=True)
    say("loading with the native tool")
    loaded = prepare(given.triples, given.seed, releases=_OWN_RELEASES)
    load = native_load(loaded.quads)
    result = {**about, **_summary(whole, without, load), "bytes": loaded.quads.stat().st_size}
    keep("build", given.triples, result)


if __name__ == "__main__":
    main()
