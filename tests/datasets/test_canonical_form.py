"""Canonical N-Quads are those of RDFC-1.0: by the W3C's tests, and as another implementation writes random datasets.

The tests are those of the repository ``w3c/rdf-canon``: a folder ``rdf-canon`` beside the W3C's other suites, or a
working tree ``w3c+rdf-canon`` in the directory that ``--datasets-from`` names.
"""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pyoxigraph as ox
import pytest

from conformance.manifests import CONFORMANCE
from datasets.conftest import repositories
from datasets.origins import UnavailableError, directory, fetch
from datasets.table import package
from running import canonical_nquads
from twingraph.errors import ReleaseError
from twingraph.rdf.canonical import write_canonical
from twingraph.rdf.nquads import NQuads

_RANDOM = 25


def _suite(config: pytest.Config) -> Path | None:
    chosen = repositories(config)
    folders = [CONFORMANCE / "rdf-canon", *([chosen / "w3c+rdf-canon/tests"] if chosen else [])]
    return next((folder for folder in folders if folder.is_dir()), None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "entry" in metafunc.fixturenames:
        suite = _suite(metafunc.config)
        missing = pytest.param(None, marks=pytest.mark.skip("the tests of w3c/rdf-canon are not here"), id="missing")
        entries = json.loads((suite / "manifest.jsonld").read_text())["entries"] if suite else []
        metafunc.parametrize("entry", [pytest.param(each, id=each["id"][1:]) for each in entries] or [missing])


def parsed(file: Path) -> list[ox.Quad]:
    return list(ox.parse(file.read_bytes(), format=ox.RdfFormat.N_QUADS))


def test_canonical_form_is_that_of_the_suite(entry, request, tmp_path):
    suite = _suite(request.config)
    if entry.get("hashAlgorithm", "SHA256") != "SHA256":
        pytest.skip("releases are canonicalized with SHA-256 only")
    before = suite / entry["action"]
    if entry["type"] == "rdfc:RDFC10NegativeEvalTest":
        with pytest.raises(
            ReleaseError, match="no canonical labels within 3 seconds: 10 blank nodes in the graph DEFAULT"
        ):
            write_canonical(NQuads.of(parsed(before)), tmp_path / "canonical.nq", seconds=3)
        return
    after, result = canonical_nquads(parsed(before)), suite / entry["result"]
    if entry["type"] == "rdfc:RDFC10EvalTest":
        assert after == result.read_bytes()
    else:
        labels = json.loads(result.read_text())
        renamed = {_renamed(quad, labels) for quad in parsed(before)}
        assert set(ox.parse(after, format=ox.RdfFormat.N_QUADS)) == renamed


def _renamed(quad: ox.Quad, labels: dict[str, str]) -> ox.Quad:
    terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
    return ox.Quad(*(ox.BlankNode(labels[term.value]) if isinstance(term, ox.BlankNode) else term for term in terms))


@pytest.fixture(scope="module")
def rdf_canonize() -> Path:
    """The folder of another implementation, in JavaScript; without it the test is skipped, but not in CI."""
    found, node = package("rdf-canonize"), shutil.which("node")
    try:
        fetch([found])
        assert node
    except (UnavailableError, AssertionError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"rdf-canonize cannot be had: {error or 'node is not installed'}")
    return directory(found, None)


def _dataset(chance: random.Random) -> str:
    """Return a dataset in which many blank nodes look alike: rings, chains and trees of few properties and values."""
    nodes = [f"_:b{number}" for number in range(chance.randint(2, 12))]
    others = ["<urn:a>", '"x"', '"1"^^<urn:t>', '"y"@en']
    lines = []
    for _ in range(chance.randint(2, 24)):
        value = chance.choice(nodes if chance.random() < 0.8 else others)
        graph = chance.choice(["", "", "<urn:g> ", f"{chance.choice(nodes)} "])
        lines.append(f"{chance.choice(nodes)} <urn:p{chance.randint(0, 1)}> {value} {graph}.\n")
    ring = nodes[: chance.randint(0, len(nodes))]
    lines += [f"{one} <urn:next> {other} .\n" for one, other in zip(ring, [*ring[1:], *ring[:1]], strict=True)]
    return "".join(lines)


def test_random_datasets_have_the_form_that_another_implementation_gives_them(rdf_canonize):
    chance = random.Random(1)
    datasets = [_dataset(chance) for _ in range(_RANDOM)]
    command = ["node", str(Path(__file__).with_name("canonize.cjs")), str(rdf_canonize)]
    done = subprocess.run(command, input=json.dumps(datasets), capture_output=True, text=True, check=True, timeout=100)
    ours = [canonical_nquads(ox.parse(each, format=ox.RdfFormat.N_QUADS)).decode() for each in datasets]
    assert ours == json.loads(done.stdout)
