"""Queries of the W3C's suites with small faults put into them: an error must be one of ours, and no engine may end."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from conformance.manifests import MISSING, SUITES
from differential.engines import Engine, Failure, ours

_PIECES = (
    "{", "}", "(", ")", "GRAPH ?g {", "OPTIONAL {", "MINUS {", "?x", "<a>", ".", ";", "*", "+", "^", '"', "'", "SELECT",
    "ORDER BY ?x", "1", "-1", ":p*", "BNODE(?x)", "LANG(?x)", "GROUP_CONCAT(?x)", "TRUE", "\\u0041", "#", "\n",
    "UNION {", "FILTER", "BIND(1 AS ?y)", "VALUES ?x { 1 }", "FROM <g>", "EXISTS {", "!", "IN", "a", "[]", "()", ",",
    "\0",
)  # fmt: skip
_EXPECTED = {
    "QueryError", "QueryTooLongError", "FederationRefusedError", "UnknownGraphError", "UnsupportedFunctionError",
}  # fmt: skip


def run_mutations(seed: int, count: int) -> int:
    """Ask so many mutated queries; print the outcomes and return how many were faults."""
    engine, outcomes = ours(), Counter()
    try:
        for text, outcome in mutated(engine, seed, count):
            outcomes[outcome] += 1
            if is_fault(outcome):
                print(f"{outcome}: {text!r}", flush=True)
    finally:
        engine.close()
    print(f"{count} mutated queries, seed {seed}: " + ", ".join(f"{n} {one}" for one, n in outcomes.most_common()))
    return sum(number for outcome, number in outcomes.items() if is_fault(outcome))


def is_fault(outcome: str) -> bool:
    """Tell whether an outcome is neither an answer nor an error of the query."""
    return outcome != "answered" and outcome not in _EXPECTED


def mutated(engine: Engine, seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Yield mutated queries and what became of each."""
    texts = w3c_queries()
    assert texts, MISSING
    data = Path(__file__).with_name("mutation_data.nq")
    engine.load(data, "union")
    for number in range(count):
        random = Random(f"{seed}/{number}")
        text = mutation(random, random.choice(texts), random.choice(texts))
        answer = engine.ask(text)
        yield text, answer.kind if isinstance(answer, Failure) else "answered"


def w3c_queries() -> list[str]:
    """Return the texts of all queries in the suites."""
    files = sorted(path for path in SUITES.rglob("*.rq"))
    return [path.read_text(encoding="utf-8", errors="replace") for path in files]


def mutation(random: Random, text: str, other: str) -> str:
    """Return a query with one to four faults."""
    for _ in range(random.randint(1, 4)):
        place, length = random.randrange(len(text) + 1), random.choice((0, 1, 3, 10))
        pick = random.random()
        if pick < 0.35:
            text = text[:place] + random.choice(_PIECES) + text[place:]
        elif pick < 0.6:
            text = text[:place] + text[place + length :]
        elif pick < 0.75:
            text = text[:place] + f" {random.choice(_PIECES)} " + text[place + length :]
        elif pick < 0.9:
            begin = random.randrange(len(other) + 1)
            text = text[:place] + other[begin : begin + 30] + text[place:]
        else:
            text = text[: place + length] + text[place:]
    return text
