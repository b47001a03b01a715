"""Where the benchmark keeps what it downloads, grows and measures; all of it is ignored by git."""

from pathlib import Path

BENCH = Path(__file__).parent
ROOT = BENCH.parent
CACHE = BENCH / ".cache"
RESULTS = BENCH / "results"
COMPETITORS = CACHE / "venv" / "bin"
FUSEKI = CACHE / "jena-fuseki-server.jar"


def data(triples: int) -> Path:
    """Return the directory of the grown publication of a size."""
    return CACHE / "data" / str(triples)
