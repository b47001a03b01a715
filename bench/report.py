"""The report: the measured part of docs/benchmarks.md, from the raw numbers of the last run of each size.

python bench/report.py
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from statistics import median
from typing import Any

from places import RESULTS, ROOT

_PAGE = ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_OWN, _DISK, _RDFLIB = "twingraph", "oxigraph (disk)", "rdflib-endpoint"
_LOOK_UPS = ("01-look-up", "17-label")

Samples = Mapping[str, Sequence[Mapping[str, Any]]]


def write_report() -> None:
    """Write the measured part of the page anew; what people wrote around it stays."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in _sorted("run")]
    builds = [json.loads(path.read_text(encoding="utf-8")) for path in _sorted("build")]
    parts = [*_targets(runs, builds), *(line for run in runs for line in _run(run)), *_builds(builds)]
    page = _PAGE.read_text(encoding="utf-8") if _PAGE.exists() else f"# Benchmarks\n\n{_BEGIN}\n{_END}\n"
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _PAGE.write_text(f"{before}{_BEGIN}\n\n" + "\n".join(parts) + f"\n\n{_END}{after}", encoding="utf-8")


def p(samples: Sequence[Mapping[str, Any]], share: float) -> float:
    """Return the median over the rounds of a percentile of the seconds."""
    return _median(_nearest(sample["seconds"], share) for sample in samples if sample["seconds"])


def cpu(samples: Sequence[Mapping[str, Any]]) -> float:
    """Return the median over the rounds of the CPU seconds per request."""
    return _median(sample["cpu"] / len(sample["seconds"]) for sample in samples if sample["seconds"])


def rate(samples: Sequence[Mapping[str, Any]]) -> float:
    """Return the median over the rounds of the requests a second."""
    return _median(sample["rate"] for sample in samples)


def _sorted(kind: str) -> list[Any]:
    return sorted(RESULTS.glob(f"{kind}-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))


def _run(run: dict[str, Any]) -> list[str]:
    plan = run["plan"]
    lines = [f"## Serving {run['quads']:,} triples", ""]
    lines.append(
        f"Commit {run['commit']}, {run['when']}, {run['cores']} cores ({run['processor']}), load average "
        f"{run['load']:.1f} at the beginning; {plan['rounds']} rounds, {plan['seconds']} s a template and "
        f"{plan['mixed_seconds']} s a mix. The native server with the same kind of store is {run['native']}."
    )
    lines += [f"- not available: {name}: {why}" for name, why in run["missing"].items()]
    return [*lines, "", *_loads(run), *_templates(run), *_mixes(run), *_repeats(run), *_killers(run), *_agreement(run)]


def _loads(run: dict[str, Any]) -> list[str]:
    rows = []
    for name, load in run["loads"].items():
        loaded = f"{load['seconds']:.1f}" if load["seconds"] else "see Building"
        per_second = f"{run['quads'] / load['seconds']:,.0f}" if load["seconds"] else ""
        after = run["memory"].get(name, {}).get("proportional", nan)
        cells = (loaded, per_second, _number(load["cpu"], 1), f"{load['start']:.1f}")
        rows.append([name, *cells, f"{load['proportional']:.0f}", f"{after:.0f}"])
    head = ["server", "load s", "triples/s", "CPU s", "start s", "MiB loaded", "MiB after the run"]
    return ["### Loading and memory", "", *_table(head, rows), ""]


def _templates(run: dict[str, Any]) -> list[str]:
    names = list(run["loads"])
    times, ratios = [], []
    for template, samples in run["templates"].items():
        own = {name: samples.get(name, []) for name in names}
        times.append([template, *(_cell(p(own[name], 0.5), p(own[name], 0.95), 1000) for name in names)])
        native, mine = own[run["native"]], own[_OWN]
        against = [_ratio(cpu(mine), cpu(native)), _ratio(p(mine, 0.5), p(native, 0.5))]
        faster = [_ratio(p(own[name], 0.5), p(mine, 0.5)) for name in names if name not in (_OWN, run["native"])]
        ratios.append([template, f"{cpu(mine) * 1000:.2f}", *against, *faster])
    others = [f"{name}: p50 / ours" for name in names if name not in (_OWN, run["native"])]
    head = ["template", "our CPU ms", "CPU / native", "p50 / native", *others]
    first = ["### Each template, one client, no question asked twice: p50 (p95) in ms", ""]
    second = ["### Each template as ratios (the last columns: how many times slower the other is)", ""]
    return [*first, *_table(["template", *names], times), "", *second, *_table(head, ratios), ""]


def _mixes(run: dict[str, Any]) -> list[str]:
    rows = []
    for clients, samples in run["mixed"].items():
        native, disk = samples.get(run["native"], []), samples.get(_DISK, [])
        for name, own in samples.items():
            cells = [f"{rate(own):,.0f}", _number(p(own, 0.5) * 1000), _number(p(own, 0.95) * 1000)]
            cells += [_number(cpu(own) * 1000), _ratio(cpu(own), cpu(native)), _ratio(rate(own), rate(native))]
            failed = sum(sample["failed"] for sample in own)
            rows.append([clients, name, *cells, _ratio(rate(own), rate(disk)), str(failed)])
    head = ["clients", "server", "requests/s", "p50 ms", "p95 ms", "CPU ms each", "CPU / native", "rate / native"]
    title = "### The researcher's mix, no question asked twice"
    return [title, "", *_table([*head, "rate / oxigraph (disk)", "failed"], rows), ""]


def _repeats(run: dict[str, Any]) -> list[str]:
    look_up = _native_look_up(run)
    rows = []
    for template, samples in run["repeated"].items():
        own, native = samples.get(_OWN, []), samples.get(run["native"], [])
        fresh = run["templates"][template].get(_OWN, [])
        cells = (f"{rate(own):,.0f}", f"{cpu(own) * 1000:.2f}", _ratio(cpu(fresh), cpu(own)))
        rows.append([template, *cells, _ratio(cpu(own), look_up), _ratio(cpu(own), cpu(native))])
    head = ["template", "requests/s", "CPU ms each", "CPU uncached / cached", "CPU / native look-up"]
    title = "### twingraph asked the same question again and again"
    return [title, "", *_table([*head, "CPU / native, same question"], rows), ""]


def _killers(run: dict[str, Any]) -> list[str]:
    rows = []
    for name, samples in run["killer"].items():
        alone, beside = [samples["alone"]], [samples["beside"]]
        times = [_number(p(each, share) * 1000) for each in (alone, beside) for share in (0.5, 0.95)]
        failed = str(samples["beside"]["failed"])
        rows.append([name, *times, _ratio(p(beside, 0.95), p(alone, 0.95)), failed])
    head = ["server", "p50 alone ms", "p95 alone ms", "p50 beside ms", "p95 beside ms", "p95 / undisturbed", "failed"]
    return ["### One client beside another that sends only queries that never end", "", *_table(head, rows), ""]


def _agreement(run: dict[str, Any]) -> list[str]:
    total = agreed = 0
    lines = []
    for template, draws in run["rows"].items():
        differing = [draw for draw in draws if len({str(count) for count in draw.values()}) > 1]
        total, agreed = total + len(draws), agreed + len(draws) - len(differing)
        for draw in differing[:1]:
            counts = ", ".join(f"{name} {count}" for name, count in draw.items())
            lines.append(f"- {template} ({len(differing)} of {len(draws)} draws), for instance: {counts}")
    title = f"### Do the servers agree? {agreed} of {total} questions have the same number of rows everywhere"
    return [title, "", *lines, ""]


def _targets(runs: Sequence[dict[str, Any]], builds: Sequence[dict[str, Any]]) -> list[str]:
    checks: list[tuple[str, float, bool, Callable[[dict[str, Any]], float]]] = [
        ("mix: CPU / native", 1.15, True, lambda run: _of_mix(run, cpu, "1", run["native"])),
        ("mix: rate / oxigraph (disk), 8 clients", 1.5, False, lambda run: _of_mix(run, rate, "8", _DISK)),
        ("bare look-ups uncached: CPU / native, the worse", 2.2, True, _worst_look_up),
        ("cached, the worst template: CPU / native look-up", 1.0, True, _worst_cached),
        ("every template: times faster than rdflib-endpoint, the least", 5.0, False, _least_over_rdflib),
        ("beside a killer: p95 / undisturbed", 2.0, True, _killed),
    ]
    rows = [
        [name, f"{'≤' if below else '≥'} {limit}", *(_verdict(measure(run), limit, below) for run in runs)]
        for name, limit, below, measure in checks
    ]
    for clock, name in (("wall", "time"), ("cpu", "CPU")):
        ratios = {build["asked"]: build["ratio"][clock] for build in builds}
        values = (ratios.get(run["facts"]["asked"], nan) for run in runs)
        title = f"build without SHACL / oxigraph load, {name}"
        rows.append([title, "≤ 3.0", *(_verdict(value, 3.0, True) for value in values)])
    head = ["target (set for 1,000,000 triples)", "", *(f"{run['quads']:,} triples" for run in runs)]
    return ["## Targets", "", *_table(head, rows), ""]


def _builds(builds: Sequence[dict[str, Any]]) -> list[str]:
    lines: list[str] = ["## Building", ""] if builds else []
    for build in builds:
        load, (seconds, spent) = build["load"], build["without"]
        lines += [f"### {build['quads']:,} triples, commit {build['commit']}, {build['when']}", ""]
        rows = [
            [name, "" if wall is None else f"{wall:.2f}", f"{cpu:.2f}", _ratio(cpu, load["cpu"])]
            for name, (wall, cpu) in build["steps"]
        ]
        lines += [*_table(["step", "seconds", "CPU s", "CPU / oxigraph load"], rows), ""]
        lines.append(
            f"`oxigraph load` and `optimize` of the same quads: {load['seconds']:.1f} s, CPU {load['cpu']:.1f} s. The "
            f"build without SHACL took {seconds:.1f} s, {build['ratio']['wall']:.2f} times as long (CPU {spent:.1f} s, "
            f"{build['ratio']['cpu']:.2f} times). The whole build took {build['total'][0]:.1f} s (CPU "
            f"{build['total'][1]:.1f} s), of which SHACL is {1 - seconds / build['total'][0]:.0%} (of the CPU "
            f"{build['shacl'][1] / build['total'][1]:.0%}). Peak resident memory of all processes together: "
            f"{build['peak']:,.0f} MiB, without SHACL {build['peak_without']:,.0f} MiB. Canonical N-Quads: "
            f"{build['bytes'] / 1e6:,.0f} MB; the store: {build['store'] / 1e6:,.0f} MB. Steps run beside one another: "
            f"their seconds do not add up."
        )
        lines.append("")
    return lines


def _of_mix(
    run: dict[str, Any], measure: Callable[[Sequence[Mapping[str, Any]]], float], clients: str, other: str
) -> float:
    samples: Samples = run["mixed"].get(clients, {})
    return measure(samples.get(_OWN, [])) / measure(samples.get(other, []))


def _native_look_up(run: dict[str, Any]) -> float:
    return cpu(run["templates"][_LOOK_UPS[0]].get(run["native"], []))


def _worst_look_up(run: dict[str, Any]) -> float:
    samples = [run["templates"][name] for name in _LOOK_UPS]
    return max(cpu(each.get(_OWN, [])) / cpu(each.get(run["native"], [])) for each in samples)


def _worst_cached(run: dict[str, Any]) -> float:
    return max(cpu(samples.get(_OWN, [])) for samples in run["repeated"].values()) / _native_look_up(run)


def _least_over_rdflib(run: dict[str, Any]) -> float:
    samples = (each for each in run["templates"].values() if each.get(_RDFLIB))
    return min((p(each[_RDFLIB], 0.5) / p(each[_OWN], 0.5) for each in samples), default=nan)


def _killed(run: dict[str, Any]) -> float:
    samples = run["killer"].get(_OWN)
    return p([samples["beside"]], 0.95) / p([samples["alone"]], 0.95) if samples else nan


def _verdict(value: float, limit: float, below: bool) -> str:
    if isnan(value):
        return "not measured"
    return f"{value:.2f} {'met' if (value <= limit if below else value >= limit) else '**missed**'}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _cell(middle: float, late: float, factor: float) -> str:
    return "" if isnan(middle) else f"{_number(middle * factor)} ({_number(late * factor)})"


def _number(value: float, digits: int = 2) -> str:
    return "" if isnan(value) else f"{value:.{digits if value < 100 else 0}f}"


def _ratio(value: float, other: float) -> str:
    return "" if isnan(value) or isnan(other) or not other else f"{value / other:.2f}"


def _median(values: Iterable[float]) -> float:
    found = list(values)
    return median(found) if found else nan


def _nearest(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    write_report()
