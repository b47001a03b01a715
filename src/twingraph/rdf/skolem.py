"""IRIs in place of blank nodes (RDF 1.1 Concepts, section 3.5), the same ones each time the same statements are read.

Blank nodes that are connected by statements make a component. Its IRIs consist of the hash of its canonical form
(RDFC-1.0) and a number in it, so they depend on no other statement of the publication; of components that are alike,
each has IRIs of its own. The work is done by the engine, in a process of its own (``python -m twingraph.rdf.skolem
IRI``), because it cannot be interrupted and there are graphs for which it would take years (RDFC-1.0, section 7.1).
"""

import io
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import pyoxigraph as ox

from twingraph.errors import PublicationError
from twingraph.processes import command, exit_with_parent
from twingraph.rdf.look_alikes import look_alikes
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import blank_nodes

_CANDIDATE = re.compile(rb"^[^\n]*_:[^\n]*\n", re.MULTILINE)
_LABEL = re.compile(r"_:c14n(\d+)")
# A line that no N-Quads have, after the lines of each file.
_END = b"#\n"
_DIGITS = 32
_SECONDS = 60.0


def skolemised(files: Sequence[NQuads], prefix: str, seconds: float = _SECONDS) -> list[Iterable[bytes]]:
    """Return the lines of each file, in blocks, with IRIs that begin with ``prefix`` in place of blank nodes.

    Statements with blank nodes come last. Raises PublicationError when naming them takes longer than ``seconds``.
    """
    found = [b"".join(line for block in file.blocks() for line in _CANDIDATE.findall(block)) for file in files]
    replaced = _named(found, prefix, seconds) if any(found) else found
    return [_lines(file, lines) for file, lines in zip(files, replaced, strict=True)]


def _lines(file: NQuads, replaced: bytes) -> Iterator[bytes]:
    for block in file.blocks():
        yield _CANDIDATE.sub(b"", block)
    yield replaced


def _named(files: Sequence[bytes], prefix: str, seconds: float) -> list[bytes]:
    try:
        process = subprocess.run(
            command("twingraph.rdf.skolem", prefix),
            input=b"".join(lines + _END for lines in files),
            stdout=subprocess.PIPE,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        why = look_alikes(b"".join(files))
        reason = f"no canonical labels within {seconds:g} seconds: {why}; use IRIs for them"
        raise PublicationError("blank nodes", reason) from error
    except subprocess.CalledProcessError as error:
        reason = f"the process that names them ended with {error.returncode}"
        raise PublicationError("blank nodes", reason) from error
    return _split(process.stdout)


def _split(content: bytes) -> list[bytes]:
    """Return the lines of each file, of which `_END` is the last; ends of lines are escaped within terms."""
    return [piece[1:] + b"\n" if piece else b"" for piece in (b"\n" + content).split(b"\n#")[:-1]]


def main() -> None:
    """Replace the blank nodes in the files on standard input, and write these to standard output."""
    exit_with_parent()
    prefix, copies = sys.argv[1], Counter[str]()
    for lines in _split(sys.stdin.buffer.read()):
        for text in _components(ox.parse(lines, format=ox.RdfFormat.N_QUADS)):
            sys.stdout.buffer.write(_with_iris(text, prefix, copies).encode())
        sys.stdout.buffer.write(_END)


def _with_iris(component: str, prefix: str, copies: Counter[str]) -> str:
    if not _LABEL.search(component):
        return component
    number = copies[component]
    copies[component] += 1
    name = sha256(f"{number or ''}{component}".encode()).hexdigest()[:_DIGITS]
    quads = ox.parse(component, format=ox.RdfFormat.N_QUADS)
    return _text(_replaced(quad, f"{prefix}{name}-") for quad in quads)


def _replaced(quad: ox.Quad, prefix: str) -> ox.Quad:
    subject, value, graph = (_iri(term, prefix) for term in (quad.subject, quad.object, quad.graph_name))
    return ox.Quad(subject, quad.predicate, value, graph)


def _iri(term: Any, prefix: str) -> Any:
    """Return a term with IRIs in place of blank nodes, also within a triple term (RDF 1.2)."""
    if isinstance(term, ox.Triple):
        return ox.Triple(_iri(term.subject, prefix), term.predicate, _iri(term.object, prefix))
    return ox.NamedNode(prefix + term.value.removeprefix("c14n")) if isinstance(term, ox.BlankNode) else term


def _components(quads: Iterable[ox.Quad]) -> Iterator[str]:
    """Yield the quads of each component in canonical form, and those without blank nodes."""
    above: dict[ox.BlankNode, ox.BlankNode] = {}
    with_nodes: list[tuple[ox.BlankNode, ox.Quad]] = []
    for quad in quads:
        nodes = list(blank_nodes(quad.subject, quad.object, quad.graph_name))
        if not nodes:
            yield _text([quad])
            continue
        with_nodes.append((nodes[0], quad))
        first, *others = (_root(above, node) for node in nodes)
        for root in others:
            above[root] = first
    components: dict[ox.BlankNode, list[ox.Quad]] = defaultdict(list)
    for node, quad in with_nodes:
        components[_root(above, node)].append(quad)
    for component in components.values():
        dataset = ox.Dataset(component)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        yield "".join(sorted(_text(dataset).splitlines(keepends=True)))


def _root(above: dict[ox.BlankNode, ox.BlankNode], node: ox.BlankNode) -> ox.BlankNode:
    while (parent := above.setdefault(node, node)) != node:
        above[node] = above[parent]
        node = parent
    return node


def _text(quads: Iterable[ox.Quad]) -> str:
    output = io.BytesIO()
    ox.serialize(quads, output, format=ox.RdfFormat.N_QUADS)
    return output.getvalue().decode()


if __name__ == "__main__":
    main()
