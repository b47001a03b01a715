"""The report: docs/benchmarks.md, from the raw numbers of the last runs of each size."""


def write_report() -> None: ...
