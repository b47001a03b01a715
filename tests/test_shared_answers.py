"""Clients that ask the same at the same time: what they may share, and what each must have of its own."""

import asyncio

import httpx
import pytest

from conftest import TESTS, copy_publication
from running import serving, twingraph
from twingraph.sparql.query import is_volatile, may_be_volatile

PAIRS = "{ ?a rdfs:label ?b . ?c ?d ?e }"
LARGE = f"SELECT * {PAIRS} ORDER BY ?a ?b ?c ?d ?e LIMIT 3000"
FUNCTIONS = ["NOW()", "RAND()", "UUID()", "STRUUID()"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    copy = copy_publication(TESTS / "tiny", tmp_path_factory.mktemp("shared") / "tiny")
    copy.append("twingraph.toml", "\n[limits]\nworkers = 2\nreserve_workers = 0\nbuffer_bytes = 1000\n")
    assert twingraph(copy.directory, "build").returncode == 0
    with serving(copy.directory) as address:
        yield address


def answers(address, query, clients):
    """Return what so many clients are answered who ask the same at once."""

    async def run():
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as http:
            asked = [http.get("/sparql", params={"query": query, "format": "json"}) for _ in range(clients)]
            return await asyncio.gather(*asked)

    return asyncio.run(run())


def test_a_large_answer_is_whole_for_each_client(address):
    first, *others = answers(address, LARGE, 3)
    assert len(first.json()["results"]["bindings"]) == 3000
    assert all(other.content == first.content for other in others)


@pytest.mark.parametrize("function", ["UUID()", "STRUUID()"])
def test_each_client_has_a_value_of_its_own(address, function):
    query = f"SELECT ({function} AS ?id) ?n {{ {{ SELECT (COUNT(*) AS ?n) {PAIRS} }} }}"
    found = answers(address, query, 2)
    found += answers(address, query, 1)
    assert len({one.json()["results"]["bindings"][0]["id"]["value"] for one in found}) == 3


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_that_varies_is_known(function):
    query = f"SELECT ({function.lower()} AS ?x) {{}}"
    assert may_be_volatile(query)
    assert is_volatile(query)
