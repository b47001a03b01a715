"""Answers queries with our embedded store, one a line, as ``engines.py`` writes and reads them."""

import base64
import gzip
import io
import sys
import tempfile
from pathlib import Path

from twingraph.errors import TwingraphError
from twingraph.rdf.formats import JSON, N_TRIPLES
from twingraph.rdf.terms import DefaultGraph
from twingraph.sparql.query import read_query
from twingraph.store.embedded import EmbeddedStore

BASE = "http://e/"


def load(path: str, mode: str) -> EmbeddedStore:
    """Return a store with the quads of a file."""
    quads = Path(path).read_bytes()
    store = EmbeddedStore(BASE, {}, DefaultGraph(mode))
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "quads.nq.gz").write_bytes(gzip.compress(quads))
        store.load(Path(directory), quads.count(b"\n"))
    return store


def ask(store: EmbeddedStore, text: str) -> tuple[str, bytes]:
    """Return the kind of an answer and the answer."""
    query = read_query(text, {}, BASE)
    output = io.BytesIO()
    store.query(query, N_TRIPLES if query.form.gives_graph else JSON, output)
    return "graph" if query.form.gives_graph else "results", output.getvalue()


def main() -> None:
    """Answer line by line."""
    store = EmbeddedStore(BASE, {})
    for line in sys.stdin:
        word, argument, *rest = line.rstrip("\n").split("\t")
        try:
            if word == "LOAD":
                store, kind, content = load(argument, rest[0]), "loaded", b""
            else:
                kind, content = ask(store, base64.b64decode(argument).decode("utf-8", "surrogateescape"))
            status = "OK"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            known = isinstance(error, TwingraphError)
            status, kind, content = (
                "ERROR",
                type(error).__name__ if known else f"!{type(error).__name__}",
                str(error).encode(),
            )
        sys.stdout.write(f"{status}\t{kind}\t{base64.b64encode(content).decode()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
