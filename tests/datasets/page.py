"""``docs/datasets.md``: which data sets were published, with which settings, and what came of it."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from datasets.table import DataSet, Origin, Package, Repository, data_sets

_INTRODUCTION = """\
# Data sets published as they come

`make datasets` writes this page. It takes {count} public data sets, changes nothing in their files, writes a
`twingraph.toml` of at most ten lines for each, and builds and serves them. A data set is listed when

- the release has the statements that others read in the files, literal for literal, compared in canonical form
  (RDFC-1.0): rdflib or, for the W3C's tests, the results of the suite itself. Language tags are compared in lower
  case and literals of XML as canonical XML; what the suite gives no result for is compared with the engine's parser;
- validation by its shapes gives what `pyshacl.validate` gives for the same statements and shapes: focus nodes, paths,
  values, constraint components and severities. Results alike in everything are counted once;
- a query over HTTP counts the same statements, as the engine counts numbers of one value as one.

Seconds are of the machine that wrote the page: of a build with all checks, and of pyshacl alone.

## Results

"""
_HEAD = ["data set", "files", "statements", "results of shapes", "focus nodes", "build, s", "pyshacl, s"]
_BY_HAND = """\
## By hand

The others come from packages of the registries and are tried by `make test`. These are larger, or in repositories
only. To try them, put a working tree of each commit below in a directory, as `owner+name`, and name the directory:

    .venv/bin/pytest tests/datasets --datasets-from DIR --datasets-page docs/datasets.md
"""


def page(facts: Mapping[str, Mapping]) -> str:
    """Return the page about the data sets that there are facts of."""
    chosen = [each for each in data_sets() if each.name in facts]
    lines = [_line(_HEAD), _line(["---", *("--:" for _ in _HEAD[1:])])]
    lines += [_line(_row(each, facts[each.name])) for each in chosen]
    return _INTRODUCTION.format(count=len(chosen)) + "\n".join([*lines, "", *_each(chosen, facts), ""])


def _row(data_set: DataSet, facts: Mapping) -> Iterator[str]:
    yield f"[{data_set.name}](#{data_set.name.replace('.', '')})"
    yield f"{facts['files']:,}"
    yield f"{facts['statements']:,}"
    results = facts["results"]
    yield "no shapes" if results is None else f"{results:,}"
    yield "" if results is None else f"{facts['focus_nodes']:,}"
    yield f"{facts['build']:.1f}"
    yield "" if results is None else f"{facts['pyshacl']:.1f}"


def _each(chosen: list[DataSet], facts: Mapping[str, Mapping]) -> Iterator[str]:
    for by_hand, group in groupby(chosen, lambda each: each.by_hand):
        yield _BY_HAND if by_hand else "## In the tests\n"
        for data_set in group:
            yield from _about(data_set, facts[data_set.name])


def _about(data_set: DataSet, facts: Mapping) -> Iterator[str]:
    yield f"### {data_set.name}\n"
    yield f"{data_set.title}. Licence: {data_set.licence}. From {_files(data_set)}.\n"
    shapes = [
        f"`{files.root}/{pattern}` of {_origin(files.origin)}"
        for files in data_set.shapes
        for pattern in files.patterns
    ]
    shapes += [f"`tests/datasets/shapes/{name}`" for name in data_set.own_shapes]
    if shapes:
        yield f"Shapes: {', '.join(shapes)}.\n"
    yield "\n".join(["```toml", *data_set.lines, "```", ""])
    yield f"Findings: {facts['findings']}.\n"
    if data_set.note:
        yield f"{data_set.note[0].upper()}{data_set.note[1:]}.\n"


def _files(data_set: DataSet) -> str:
    patterns = ", ".join(f"`{pattern}`" for pattern in data_set.files.patterns)
    return (
        f"{_origin(data_set.files.origin)}, {patterns}{f' in `{data_set.files.root}`' if data_set.files.root else ''}"
    )


def _origin(origin: Origin) -> str:
    match origin:
        case Package(registry, name, version):
            return f"{name} {version} ({'PyPI' if registry == 'pypi' else registry})"
        case Repository(name, commit):
            return f"the repository {name} at {commit[:12]}"


def _line(cells: Iterator[str] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"
