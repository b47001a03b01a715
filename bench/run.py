"""Servers side by side on the same data: latency, throughput, CPU, memory, caches, and a client that sends killers.

python bench/run.py                                # 100,000 triples, a few minutes
python bench/run.py --triples 1000000 --full
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from client import AnswerError
from generate import FACTS, generate
from measure import Asker, Plan, beside_a_killer, compare, each_template, mixed, repeated
from places import CACHE, data
from records import commit, keep, say
from servers import SERVERS, Data, NotAvailableError, Server, native
from templates import load_templates
from twingraph.release.archive import Archive
from twingraph.settings import load_settings

QUICK = Plan(rounds=3, seconds=0.4, mixed_seconds=2.5, clients=(1, 2, 8))
FULL = Plan(rounds=5, seconds=1.0, mixed_seconds=6.0, clients=(1, 2, 8))
# Answers one query at a time in one process: more clients would only wait.
_ONE_CLIENT = {"rdflib-endpoint"}
# A server that uses less of a core than this in a second (and such waiting ends after so many seconds) is at rest.
_REST, _PATIENCE = 0.05, 180
_DRAWS, _LARGE = 3, 1_000_000


def prepare(triples: int, seed: int, *, fresh: bool = False, releases: str | None = None) -> Data:
    """Grow the publication and build its release, where that is not done yet, and unpack its quads.

    ``releases`` names another folder of releases, which holds one.
    """
    publication = data(triples)
    if fresh or not (publication / FACTS).exists():
        say(f"growing {triples:,} triples")
        generate(triples, seed, publication)
    if Archive(load_settings(publication, folders__releases=releases).releases).current_id() is None:
        say("building the release")
        command = [Path(sys.executable).parent / "twingraph", "-C", publication, "build"]
        subprocess.run(command, check=True, capture_output=True)
    release = Archive(load_settings(publication, folders__releases=releases).releases).current()
    quads = publication / "quads.nq"
    with gzip.open(release.directory / "quads.nq.gz") as packed, quads.open("wb") as file:
        shutil.copyfileobj(packed, file)
    scratch = CACHE / "scratch"
    scratch.mkdir(exist_ok=True)
    return Data(publication, quads, release.manifest.quads, scratch)


@contextmanager
def running(data: Data, names: Sequence[str]) -> Iterator[tuple[list[Server], dict[str, str]]]:
    """Start the servers; yield those that run, and why the others do not."""
    servers: list[Server] = []
    missing: dict[str, str] = {}
    try:
        for name in names:
            say(f"starting {name}")
            try:
                servers.append(SERVERS[name](data))
            except (NotAvailableError, AnswerError, subprocess.CalledProcessError) as error:
                missing[name] = str(error)
        for server in servers:
            _await_rest(server)
        yield servers, missing
    finally:
        for server in servers:
            server.stop()


def run(triples: int, plan: Plan, names: Sequence[str], loaded: Data) -> dict[str, object]:
    """Measure everything and return it as it goes into the JSON file."""
    facts = json.loads((loaded.publication / FACTS).read_text(encoding="utf-8"))
    asker = Asker(load_templates(load_settings(loaded.publication)), facts["samples"])
    with running(loaded, names) as (servers, missing):
        result = {**_about(loaded, plan), "missing": missing, "facts": {**facts, "samples": {}}}
        result["loads"] = {server.name: _load(server) for server in servers}
        say("comparing answers")
        answers, slow = compare(servers, asker, _DRAWS if triples < _LARGE else 1)
        result["rows"] = answers
        skipped = set(_failed(answers))
        result["skipped"] = sorted(skipped)
        say("each template")
        result["templates"] = each_template(servers, asker, plan, skipped, slow)
        say("the mix")
        result["mixed"] = mixed(servers, asker, plan, _ONE_CLIENT)
        say("repeated questions")
        pair = [server for server in servers if server.name in ("twingraph", native(loaded.count))]
        result["repeated"] = repeated(pair, asker, plan)
        result["memory"] = {server.name: vars(server.memory()) for server in servers}
        say("beside a killer")
        result["killer"] = {server.name: beside_a_killer(server, asker, plan.mixed_seconds * 2) for server in pair}
    return result


def _await_rest(server: Server) -> None:
    """Wait until a server has done what it does at its start, such as filling its caches."""
    deadline, before = time.monotonic() + _PATIENCE, server.cpu()
    while time.monotonic() < deadline:
        time.sleep(1)
        now = server.cpu()
        if now - before < _REST:
            return
        before = now


def _failed(answers: dict[str, list[dict[str, int | str]]]) -> Iterator[tuple[str, str]]:
    for template, draws in answers.items():
        for row in draws:
            yield from ((name, template) for name, count in row.items() if isinstance(count, str))


def _about(loaded: Data, plan: Plan) -> dict[str, object]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "commit": commit(),
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "processor": model,
        "load": os.getloadavg()[0],
        "quads": loaded.count,
        "bytes": loaded.quads.stat().st_size,
        "native": native(loaded.count),
        "plan": vars(plan),
    }


def _load(server: Server) -> dict[str, float]:
    resident = server.memory()
    times = {"seconds": server.load_seconds, "cpu": server.load_cpu, "start": server.start_seconds}
    return {**times, "resident": resident.resident, "proportional": resident.proportional}


def main() -> None:
    """Measure as the command line says, keep the raw numbers and write the report."""
    parser = argparse.ArgumentParser(description="Compare servers side by side.")
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="more and longer rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--fresh", action="store_true", help="grow the data and build the release anew")
    parser.add_argument("--only", nargs="+", choices=list(SERVERS), default=list(SERVERS), help="these servers only")
    given = parser.parse_args()
    # So that the servers are stopped when this is ended from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    plan = FULL if given.full else QUICK
    if given.rounds:
        plan = Plan(given.rounds, plan.seconds, plan.mixed_seconds, plan.clients)
    loaded = prepare(given.triples, given.seed, fresh=given.fresh)
    result = run(given.triples, plan, given.only, loaded)
    keep("run", given.triples, result)


if __name__ == "__main__":
    main()
