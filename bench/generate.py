"""Growing the publication: its own ontology, shapes, queries and data, with invented documents beside the real ones.

    python bench/generate.py --triples 100000 --seed 1 --output bench/.cache/data/100000

The statements are counted as a release holds them: those written, and those that the publication's rules derive.
The same seed over the same publication gives the same bytes. Nothing is held in memory but names.
"""

import argparse
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from documents import Document, Samples, Shared
from turtle_file import Tally, TurtleFile, literal
from twingraph.publication.assembly import assemble
from twingraph.settings import FILE_NAME, load_settings
from world import invent, read_concepts, read_countries, write_actors, write_places

FACTS = "bench.json"
_ROOT = Path(__file__).parent.parent
_COPIED = ("ontology", "data", "shapes", "queries")
_PER_ACTIVITY = 100
_PER_DOCUMENT = 5000
_DOCUMENTS = (6, 900)
_FIRST_NUMBER = 100
# What grown files need beyond the graphs of the real ones, and no source archive: nobody has the invented texts.
_GRAPHS = """[[graphs]]
files = "data/inferred/*.ttl"
graph = "graph/inferred"
"""


@dataclass(frozen=True)
class Grown:
    """What was grown, as it stands in ``bench.json`` beside the settings."""

    seed: int
    asked: int
    triples: int
    written: int
    documents: int
    activities: int
    kinds: dict[str, int]
    samples: dict[str, list[str]]


def generate(triples: int, seed: int, output: Path, source: Path = _ROOT) -> Grown:
    """Write a publication whose release holds about so many triples into ``output``, replacing what is there."""
    settings = load_settings(source)
    _copy(source, output)
    real = assemble(settings)
    tally = Tally(written=sum(1 for _ in real.reading.lines), derived=len(real.derived))
    random = Random(seed)
    concepts = read_concepts(source / settings.folders.ontology, settings.base_iri)
    countries = read_countries(source / "data/reference/places.ttl", settings.base_iri)
    estimate = max(0, triples - tally.total) // _PER_ACTIVITY
    world = invent(random, concepts, estimate)
    prefixes = dict(settings.prefixes)
    reference = output / "data" / "reference"
    with TurtleFile(reference / "grown-places.ttl", prefixes, tally) as file:
        write_places(random, world, countries, file)
    with TurtleFile(reference / "grown-actors.ttl", prefixes, tally) as file:
        write_actors(random, world, file)
    with TurtleFile(output / "data" / "inferred" / "grown.ttl", prefixes, tally) as inferred:
        shared = Shared(world, random, Random(seed + 1), tally, Samples(), prefixes, output, inferred, set())
        documents, activities = _documents(shared, triples, reference / "grown-documents.ttl")
    shared.samples.names["theme"] = [theme.name for theme in concepts["theme"]]
    kinds, names = dict(sorted(tally.kinds.items())), dict(sorted(shared.samples.names.items()))
    grown = Grown(seed, triples, tally.total, tally.written, documents, activities, kinds, names)
    (output / FACTS).write_text(json.dumps(vars(grown), indent=1) + "\n", encoding="utf-8")
    return grown


def _documents(shared: Shared, triples: int, path: Path) -> tuple[int, int]:
    """Write the documents, the first ones longer, and return how many documents and activities there are."""
    low, high = _DOCUMENTS
    count = min(high, max(low, triples // _PER_DOCUMENT))
    begin, activities = shared.tally.total, 0
    weights = [(rank + 1) ** -0.3 for rank in range(count)]
    with TurtleFile(path, shared.prefixes, shared.tally) as file:
        for index in range(count):
            number = _FIRST_NUMBER + index
            document = Document(shared, number, activities)
            _describe(file, shared, number, document.language)
            share = sum(weights[: index + 1]) / sum(weights)
            document.grow(begin + round((triples - begin) * share))
            activities = document.activities
            shared.samples.add(shared.sampling, "document", f"document:{number}")
    return count, activities


def _describe(file: TurtleFile, shared: Shared, number: int, language: str) -> None:
    publisher = shared.world.actors[shared.world.actor_ranks.draw(shared.random)].name
    pairs = [
        ("rdfs:label", literal(f"Report {number}", "en")),
        ("dcterms:title", literal(f"Report {number}", language)),
        ("dcterms:language", literal(language)),
        ("dcterms:publisher", publisher),
        ("tw:documentNumber", literal(str(number))),
        ("tw:documentType", "document-type:follow-up-report"),
        ("tw:fileName", literal(f"{number}.txt")),
        ("tw:sha256", literal(hashlib.sha256(str(number).encode()).hexdigest())),
    ]
    file.thing(f"document:{number}", "tw:SourceDocument", pairs)


def _copy(source: Path, output: Path) -> None:
    if output.exists():
        shutil.rmtree(output)
    output.mkdir(parents=True)
    for folder in _COPIED:
        shutil.copytree(source / folder, output / folder, ignore=shutil.ignore_patterns("examples"))
    text = (source / FILE_NAME).read_text(encoding="utf-8")
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("sources"))
    adapted = kept.replace("[title]", 'sources = "no-archive"\n\n[title]', 1).replace(
        "[[graphs]]", _GRAPHS + "[[graphs]]", 1
    )
    (output / FILE_NAME).write_text(adapted, encoding="utf-8")


def main() -> None:
    """Grow a publication as the command line says."""
    parser = argparse.ArgumentParser(description="Grow the publication to a number of triples.")
    parser.add_argument("--triples", type=int, default=100_000, help="as the release holds them, derived ones included")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    grown = generate(given.triples, given.seed, given.output)
    print(f"{grown.triples} triples ({grown.written} written) in {grown.documents} documents at {given.output}")


if __name__ == "__main__":
    main()
