"""A small seeded part of what ``make differential`` runs, and the differences that are known."""

import os
from random import Random

import pytest

from differential.comparison import Comparison, cause_of, known_causes
from differential.engines import jena, ours
from differential.generator import PREFIXES, Generator
from jena import missing

pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing() or "everything is here"),
]


@pytest.fixture(scope="module")
def engines():
    pair = jena(), ours()
    yield pair
    for engine in pair:
        engine.close()


@pytest.fixture
def comparison(engines, tmp_path):
    return Comparison(engines[0], engines[1], tmp_path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_queries_are_answered_as_jena_answers_them(comparison, seed):
    found = [one for one in comparison.run(seed, 100) if one]
    new = [one.text for one in found if not cause_of(one)]
    assert not new, "\n".join(new)


@pytest.mark.parametrize("cause", known_causes(), ids=lambda cause: cause.name)
def test_a_known_difference_is_still_one(comparison, cause):
    comparison.load({":g1": cause.data.split(" . ")}, "union")
    found = comparison.text_differs(PREFIXES + cause.query)
    assert found, f"{cause.name} makes no difference any more: take it out of known_differences.toml"
    assert cause_of(found) == cause.name


def test_what_differs_is_found_and_shrunk(engines, tmp_path):
    comparison = Comparison(engines[0], engines[1], tmp_path)
    comparison.load({":g1": [":a :p :b"]}, "union")
    (tmp_path / "other.nq").write_text("")
    engines[1].load(tmp_path / "other.nq", "default")
    queries = (Generator(Random(f"shrunk/{number}")).query() for number in range(40))
    found = [one for one in map(comparison.differs, queries) if one]
    assert found
    assert min(len(one.query.removeprefix(PREFIXES)) for one in found) < 60
