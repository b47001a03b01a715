"""A server under attack, watched from outside: what its processes hold (Linux), and what another client meets."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, sleep
from types import TracebackType

from places import BENCH
from processes import tree

_MIB = 2**20
_TICK = os.sysconf("SC_CLK_TCK")
_FRONT, _WORKER = "twingraph.server.process", "twingraph.workers.worker"
_ENDING = 20.0


@dataclass(frozen=True)
class Vitals:
    """What a server holds: memory resident in MiB, and the front's open descriptors and threads."""

    front: float
    workers_memory: float
    workers: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return (
            f"front {self.front:.0f} MiB, {self.workers} workers {self.workers_memory:.0f} MiB, "
            f"{self.descriptors} descriptors, {self.threads} threads"
        )


@dataclass(frozen=True)
class Latency:
    """Seconds that look-ups took from when they were due, and how many were not answered with 200."""

    p50: float
    p95: float
    worst: float
    asked: int
    failed: int

    def __str__(self) -> str:
        p50, p95, worst = (f"{seconds * 1000:.0f}" for seconds in (self.p50, self.p95, self.worst))
        return f"look-ups p50 {p50} ms, p95 {p95} ms, worst {worst} ms, {self.failed} of {self.asked} failed"


def front_of(pid: int) -> int:
    """Return the process that answers requests among a server's, the process itself when it is of another kind."""
    return next((each for each in tree(pid) if _FRONT in _command(each)), pid)


def vitals(pid: int) -> Vitals:
    """Return what the server of this process holds now."""
    front, processes = front_of(pid), tree(pid)
    workers = [memory for each in processes if _WORKER in _command(each) and (memory := resident(each))]
    return Vitals(resident(front), sum(workers), len(workers), _count(front, "fd"), _count(front, "task"))


def resident(pid: int) -> float:
    """Return the MiB that one process holds, 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MIB
    except (OSError, IndexError):
        return 0.0


def cpu(pid: int) -> float:
    """Return the CPU seconds that one process has used; raises OSError when it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


class Lookups:
    """Another client's look-ups, asked all the while from a process of its own."""

    def __init__(self, port: int) -> None:
        self._command = [sys.executable, str(BENCH / "lookups.py"), str(port)]
        self._asked: list[tuple[float, float, int]] = []

    def __enter__(self) -> "Lookups":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def asked(self) -> int:
        """How many were answered so far, or not."""
        return len(self._asked)

    def between(self, begin: float, end: float, patience: float = 60.0) -> Latency:
        """Return how look-ups fared that were due in a time (of `perf_counter`); waits for those still unanswered."""
        deadline = perf_counter() + patience
        while not (self._asked and self._asked[-1][0] >= end) and perf_counter() < deadline:
            sleep(0.02)
        asked = [one for one in list(self._asked) if begin <= one[0] < end]
        # The one that has no answer yet is as late as it is now.
        if perf_counter() >= deadline:
            last = self._asked[-1][0] if self._asked else begin
            asked.append((last, perf_counter() - last, 0))
        return _latency(asked)

    def undisturbed(self, seconds: float) -> Latency:
        """Return how they fare for some seconds from now on."""
        begin = perf_counter()
        sleep(seconds)
        return self.between(begin, begin + seconds)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            due, seconds, status = line.split()
            self._asked.append((float(due), float(seconds), int(status)))


@contextmanager
def serving(directory: Path, **limits: object) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Serve a publication on a free port, with limits of one's own; yield the port and the process."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TWINGRAPH_") and not name.lower().endswith("_proxy")
    }
    environment |= {f"TWINGRAPH_LIMITS__{name.upper()}": str(value) for name, value in limits.items()}
    command = [sys.executable, "-m", "twingraph", "-C", str(directory), "serve", "--port", "0"]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        try:
            for line in process.stdout or ():
                if address := re.search(r"http://[0-9.]+:(\d+)", line):
                    port = int(address[1])
                    break
            else:
                log.seek(0)
                raise RuntimeError(f"the server does not start: {log.read()[-2000:]}")
            _wait_for_workers(process.pid)
            yield port, process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING)
            process.kill()


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _wait_for_workers(pid: int) -> None:
    end = monotonic() + _ENDING
    while vitals(pid).workers == 0:
        if monotonic() > end:
            raise RuntimeError("the server has no workers")
        sleep(0.05)


def _latency(asked: Sequence[tuple[float, float, int]]) -> Latency:
    seconds = sorted(one for _, one, _ in asked) or [0.0]
    p50, p95 = (seconds[int(len(seconds) * part)] for part in (0.5, 0.95))
    return Latency(p50, p95, seconds[-1], len(asked), sum(status != 200 for _, _, status in asked))


def _count(pid: int, what: str) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/{what}"))  # noqa: PTH208 - only how many
    except OSError:
        return 0


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
