"""Columns of every kind of value are sorted without ending the process, which the engine alone does not survive."""

import json
import subprocess
import sys
from random import Random

import pytest

XSD = "http://www.w3.org/2001/XMLSchema#"
ZONES = ("", "", "Z", "+02:00", "-05:00", "+13:00", "-13:00", "+14:00")
# Sorts each column that it is given, rewritten or not, and prints the number of rows.
SORT = """
import json, sys
import pyoxigraph as ox
from twingraph.sparql.rewrites import DatasetFacts, rewritten
for column in json.load(sys.stdin):
    store = ox.Store()
    for number, (text, kind) in enumerate(column):
        value = ox.Literal(text, language="en") if kind == "@" else ox.Literal(text, datatype=ox.NamedNode(kind))
        store.add(ox.Quad(ox.NamedNode(f"http://e/{number}"), ox.NamedNode("http://e/p"), value))
    facts = DatasetFacts((), (), lambda text: bool(store.query(text)), None,
                         lambda text: [row[0].value for row in store.query(text)], True)
    for order in ("?o", "DESC(?o)", "COALESCE(?o, 1)"):
        text = f"SELECT ?o {{ ?s <http://e/p> ?o }} ORDER BY {order}"
        text = rewritten(text, facts) if sys.argv[1] == "rewritten" else text
        print(sum(1 for _ in store.query(text)), flush=True)
"""


def value(random, kind):
    zone, year = random.choice(ZONES), random.choice(("2000", "2001", "12001", "-0005"))
    month, day, hour = random.randint(1, 3), random.randint(1, 3), random.randint(0, 23)
    large = random.choice((3, 2**24, 2**53)) + random.randint(-3, 3)
    durations = {"yearMonthDuration": ("P1M", "P1Y", "-P5M"), "dayTimeDuration": ("P30D", "P31D", "PT5H", "-P1D")}
    texts = {
        "integer": str(large),
        "decimal": f"{large}.{random.randint(0, 9)}",
        "float": random.choice((f"{float(large)}", "NaN", "INF", "-0")),
        "double": random.choice((repr(float(large)), "NaN", "-INF", "0")),
        "date": f"{year}-{month:02}-{day:02}{zone}",
        "dateTime": f"{year}-{month:02}-{day:02}T{hour:02}:00:00{zone}",
        "time": f"{hour:02}:10:00{zone}",
        "gYear": f"{year}{zone}",
        "gYearMonth": f"{year}-{month:02}{zone}",
        "gMonth": f"--{month:02}{zone}",
        "gMonthDay": f"--{month:02}-{day:02}{zone}",
        "gDay": f"---{day:02}{zone}",
        "duration": random.choice(("P1M", "P2M", "P30D", "P31D", "P1M1D", "P1M31D", "P2M1D", "PT36H", "-P1M", "P0D")),
        **{name: random.choice(some) for name, some in durations.items()},
        "boolean": random.choice(("true", "false")),
    }
    if random.random() < 0.05 or kind not in texts:
        return random.choice(("", "1z", "9", "10", "2001-01-01", "2001-13-01", "bad", "P1M", "é"))
    return texts[kind]


def column(seed):
    """Return some hundred values of one to all kinds."""
    random = Random(seed)
    kinds = [
        "integer", "decimal", "float", "double", "date", "dateTime", "time", "gYear", "gYearMonth", "gMonth", "gDay",
        "gMonthDay", "duration", "yearMonthDuration", "dayTimeDuration", "boolean", "string", "anyURI", "@", "own",
    ]  # fmt: skip
    some = random.sample(kinds, random.choice((1, 2, 3, len(kinds))))
    found = []
    for _ in range(random.choice((60, 300))):
        kind = random.choice(some)
        iri = {"@": "@", "own": "http://e/datatype"}.get(kind, XSD + kind)
        found.append((value(random, kind), iri))
    return found


def sort(columns, how):
    return subprocess.run(
        [sys.executable, "-c", SORT, how], input=json.dumps(columns), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("begin", [0, 15, 30, 45])
def test_no_column_ends_the_process(begin):
    columns = [column(seed) for seed in range(begin, begin + 15)]
    done = sort(columns, "rewritten")
    assert done.returncode == 0, done.stderr[-500:]
    assert list(map(int, done.stdout.split())) == [len(one) for one in columns for _ in range(3)]


def test_the_engine_alone_does_not_survive_them():
    assert sort([column(seed) for seed in range(30)], "alone").returncode < 0, (
        "drop order_by, when its other test says so"
    )
