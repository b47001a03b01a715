"""The prefixes of a graph stand in one order, in every format that has them, however the engine's pieces come."""

import io
import re

import pyoxigraph as ox
import pytest

from twingraph.rdf.formats import N_TRIPLES, RDF_XML, TRIG, TURTLE
from twingraph.store.output_filters import ordered_prefixes

PREFIXES = {letter: f"http://{letter}.example/" for letter in "qwertyuiopasdfghjklzxcvbnm"}
TRIPLES = [
    ox.Triple(ox.NamedNode(f"http://{x}.example/s"), ox.NamedNode("http://p.example/p"), ox.Literal("x")) for x in "ab"
]


@pytest.mark.parametrize("format_", [TURTLE, TRIG, RDF_XML], ids=lambda one: one.name)
@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("triples", [TRIPLES, []], ids=["some", "none"])
def test_prefixes_stand_in_order_and_nothing_is_lost(format_, size, triples):
    body = ox.serialize(triples, format=format_.engine, prefixes=PREFIXES)
    output = io.BytesIO()
    with ordered_prefixes(output, format_) as writer:
        for start in range(0, len(body), size):
            writer.write(body[start : start + size])
    found = re.findall(r"\b([a-z])(?:: <|=\")http://\1.example/", output.getvalue().decode())
    assert found == sorted(found)
    assert len(found) == (len(PREFIXES) if triples or format_ is RDF_XML else 0)
    assert sorted(output.getvalue()) == sorted(body)
    assert list(ox.parse(output.getvalue(), format=format_.engine)) == list(ox.parse(body, format=format_.engine))


def test_a_format_without_prefixes_is_passed_by():
    output = io.BytesIO()
    with ordered_prefixes(output, N_TRIPLES) as writer:
        assert writer is output
