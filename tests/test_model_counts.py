"""docs/model.md is true of the graph: its counts, its table of times, its rules; and its queries give rows."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from twingraph.publication.assembly import assemble
from twingraph.rdf.edtf import bounds
from twingraph.settings import load_settings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```sparql\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
COUNTS = re.findall(r"^\| (`(?:tw|scheme):[^|]*?) \| ([^|]*) \| (\d+) \| ([^|]*) \|$", PAGE, flags=re.MULTILINE)
TIMES = re.findall(
    r"^\| `([^`]+)` \| [^|]+ \| (\d{4}-\d\d-\d\d|none) \| (\d{4}-\d\d-\d\d|none) \|$", PAGE, flags=re.MULTILINE
)
MEMBERSHIP = {"tw": "?thing a ?kind", "scheme": "?thing skos:inScheme ?kind"}


@pytest.fixture(scope="module")
def ask():
    settings = load_settings(ROOT)
    assembly = assemble(settings)
    store = ox.Store()
    store.bulk_extend([*assembly.reading.lines, *assembly.derived])

    def rows(query):
        answer = store.query(
            query,
            base_iri=settings.base_iri,
            prefixes=dict(settings.iris.namespaces),
            use_default_graph_as_union=True,
        )
        return list(answer)

    return rows


def test_the_page_has_its_tables_and_queries():
    assert len(QUERIES) == 17
    assert len(COUNTS) == 37
    assert len(TIMES) == 18


@pytest.mark.parametrize("row", COUNTS, ids=[names for names, *_ in COUNTS])
def test_a_count_is_the_graphs(ask, row):
    names, _, count, _ = row
    kinds = re.findall(r"`([^`]+)`", names)
    pattern = MEMBERSHIP[kinds[0].partition(":")[0]]
    found = ask(f"SELECT (COUNT(DISTINCT ?thing) AS ?n) WHERE {{ VALUES ?kind {{ {' '.join(kinds)} }} {pattern} }}")
    assert int(found[0]["n"].value) == int(count)


@pytest.mark.parametrize("row", COUNTS, ids=[names for names, *_ in COUNTS])
def test_a_count_far_from_the_expected_one_has_its_reason(row):
    _, expected, count, reason = row
    figures = [int(figure) for figure in re.findall(r"\d+", expected)]
    if figures and not min(figures) * 0.9 <= int(count) <= max(figures) * 1.1:
        assert reason.strip()


def test_every_class_of_the_ontology_is_counted(ask):
    classes = ask('SELECT (STRAFTER(STR(?class), "#") AS ?name) WHERE { GRAPH graph:ontology { ?class a owl:Class } }')
    counted = set(re.findall(r"`tw:(\w+)`", "".join(names for names, *_ in COUNTS)))
    assert {row["name"].value for row in classes} == counted


@pytest.mark.parametrize(("edtf", "earliest", "latest"), TIMES)
def test_the_table_of_times_is_what_the_program_does(edtf, earliest, latest):
    found = bounds(edtf)
    assert (str(found.earliest or "none"), str(found.latest or "none")) == (earliest, latest)


@pytest.mark.parametrize("query", QUERIES, ids=range(1, len(QUERIES) + 1))
def test_a_query_of_the_page_gives_rows(ask, query):
    assert ask(query)


def test_every_rule_is_described():
    described = set(re.findall(r"^\| `(\d\d-[a-z-]+)` \|", PAGE, flags=re.MULTILINE))
    assert described == {path.stem for path in (ROOT / "ontology" / "rules").glob("*.rq")}
