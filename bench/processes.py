"""What a server costs: the CPU seconds and the memory of its process and all processes below it (Linux, from /proc)."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _TIMES = 1, slice(11, 15)


@dataclass(frozen=True)
class Memory:
    """Mebibytes: ``resident`` counts shared pages in each process, ``proportional`` (PSS) once among all."""

    resident: float
    proportional: float


def tree(pid: int) -> list[int]:
    """Return the process and all below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = _stat(path)
        if fields:
            children.setdefault(int(fields[_PARENT]), []).append(int(path.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of the tree so far, that of children who ended and were waited for included."""
    stats = (_stat(Path(f"/proc/{each}/stat")) for each in tree(pid))
    return sum(int(ticks) for fields in stats if fields for ticks in fields[_TIMES]) / _TICK


def memory(pid: int) -> Memory:
    """Return what the tree holds in memory now."""
    sums = {"Rss:": 0, "Pss:": 0}
    for each in tree(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name in sums:
                sums[name] += int(value.split()[0])
    return Memory(sums["Rss:"] / 1024, sums["Pss:"] / 1024)


def resident(pid: int) -> float:
    """Return the mebibytes that the tree holds in memory now, shared pages counted in each process; cheap to ask."""
    pages = 0
    for each in tree(pid):
        with suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * _PAGE / 2**20


def _stat(path: Path) -> list[str]:
    """Return the fields after the command's name, which may hold spaces; none when the process is gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []
