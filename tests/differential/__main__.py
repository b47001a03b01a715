"""Compare our store with Jena: ``python -m differential --seed 1 --count 10000`` (from ``tests/``)."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from differential.comparison import Comparison, cause_of
from differential.engines import jena, ours


def main() -> int:
    """Run what is asked for and print what was found; 1 when there is something new."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int, default=1000, help="how many random queries")
    asked = options.parse_args()
    return int(_compared(asked.seed, asked.count) > 0)


def _compared(seed: int, count: int) -> int:
    theirs, own = jena(), ours()
    causes: Counter[str] = Counter()
    try:
        with tempfile.TemporaryDirectory() as directory:
            for found in Comparison(theirs, own, Path(directory)).run(seed, count):
                if found:
                    cause = cause_of(found)
                    causes[cause] += 1
                    if not cause:
                        print(found.text, flush=True)
    finally:
        theirs.close()
        own.close()
    print(f"{count} random queries, seed {seed}: {causes.total()} differences")
    for cause, number in causes.most_common():
        print(f"{number:6} {cause or 'NEW'}")
    return causes[""]


if __name__ == "__main__":
    sys.exit(main())
