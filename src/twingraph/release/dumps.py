"""The dumps of a release: its statements in other formats than ``quads.nq.gz``, of everything and of each graph.

They are made from the canonical lines, never from the store, so that terms are as written and the same lines give the
same bytes; and as streams, in memory that does not depend on the number of statements. What a format cannot represent
is left out and counted.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox
from pydantic import BaseModel, ConfigDict

from twingraph.rdf.formats import GRAPHS, JSON_LD, N_QUADS, RDF_XML, Format, by_name
from twingraph.rdf.nquads import NQuads, rows_of
from twingraph.settings import Dumps
from twingraph.store.exact import QUADS
from twingraph.store.output_filters import finished_output

FOLDER, EVERYTHING = "dumps", "all"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# So many files are open at once, and so many graphs at most are written one after the other in a dump of everything.
_MAX_FILES = 400
# A path that is the same in each file system, and in a URL without escapes.
_SAFE = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*){0,5}")
_MAX_NAME = 100
_HASH_DIGITS = 16
# gzip without a name and a time in the header, and the level of `quads.nq.gz`.
_GZIP, _LEVEL = 16 + zlib.MAX_WBITS, 6
# Names that are not those of property elements (RDF 1.1 XML Syntax, section 6.1.4), and rdf:li, which is counted.
_RESERVED = frozenset(
    _RDF + name
    for name in (
        *("RDF", "Description", "ID", "about", "parseType", "resource", "nodeID", "datatype", "li"),
        *("bagID", "aboutEach", "aboutEachPrefix"),
    )
)
# Names without a colon (Namespaces in XML 1.0, section 4; XML 1.0, section 2.3), from their last character on.
_STARTS = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_END = re.compile(rf"[{_STARTS}\-.0-9\u00b7\u0300-\u036f\u203f-\u2040]*")
_START = re.compile(rf"[{_STARTS}]")
# What no XML document can contain (XML 1.0, section 2.2).
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Dump(BaseModel):
    """A file under ``dumps/``, or ``quads.nq.gz``: ``format`` by name, the ``graph`` (all if None), size and SHA-256.

    ``omitted`` statements of the ``triples`` (of a dump of everything: quads) cannot be represented in the format.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    format: str
    graph: str | None = None
    is_compressed: bool
    bytes: int
    sha256: str
    statements: int
    omitted: int = 0

    @property
    def path(self) -> str:
        """The path of its file in the release."""
        return self.name if self.name == QUADS else f"{FOLDER}/{self.name}"

    @property
    def syntax(self) -> Format:
        """The entry of its format."""
        return by_name(self.format, GRAPHS)


class Order(BaseModel):
    """What is to be written: the file of canonical ``lines`` to the folder ``directory``, with files in ``work``.

    ``graphs`` has the number of statements of each graph, ``tags`` the language tags that are not lower-case.
    """

    lines: Path
    directory: Path
    work: Path
    base: str
    graphs: dict[str, int]
    prefixes: dict[str, str]
    tags: tuple[str, ...]
    dumps: Dumps


def quads_dump(directory: Path, sha256: str, statements: int) -> Dump:
    """Return the entry of ``quads.nq.gz``, which is in the directory of a release."""
    return Dump(
        name=QUADS,
        format=N_QUADS.name,
        is_compressed=True,
        bytes=(directory / QUADS).stat().st_size,
        sha256=sha256,
        statements=statements,
    )


def write_dumps(order: Order) -> Iterator[Dump]:
    """Write the dumps and yield each; raises OSError."""
    by_graph = _by_graph(order)
    for format_ in map(_format, order.dumps.formats):
        if format_ != N_QUADS:  # a release has them anyway
            yield _everything(order, format_, by_graph)
    for graph, path in by_graph.items() if len(by_graph) <= order.dumps.max_graphs else ():
        for format_ in map(_format, order.dumps.graph_formats):
            yield _one_graph(order, format_, graph, path)


def _format(name: str) -> Format:
    return by_name(name, GRAPHS)


def _file_name(graph: str, base: str) -> str:
    path = graph.removeprefix(base).removeprefix("graph/") if graph.startswith(base) else ""
    if not graph:
        return "graphs/default"
    if path == "default" or len(path) > _MAX_NAME or not _SAFE.fullmatch(path):
        path = f"by-hash/{hashlib.sha256(graph.encode()).hexdigest()[:_HASH_DIGITS]}"
    return f"graphs/{path}"


def _by_graph(order: Order) -> dict[str, Path]:
    """Write the triples of each graph to a file of its own and return the files; none if there are too many graphs."""
    if len(order.graphs) > _MAX_FILES:
        return {}
    paths = {graph: order.work / f"graph-{number}.nt" for number, graph in enumerate(sorted(order.graphs))}
    with ExitStack() as stack:
        files = {_term(graph): stack.enter_context(path.open("wb")) for graph, path in paths.items()}
        for block in NQuads.in_file(order.lines).blocks():
            for subject, predicate, value, graph in rows_of(block):
                files[graph].write(b"%b %b %b .\n" % (subject, predicate, value))
    return paths


def _term(graph: str) -> bytes:
    return graph.encode() if not graph or graph.startswith("_:") else f"<{graph}>".encode()


def _everything(order: Order, format_: Format, by_graph: Mapping[str, Path]) -> Dump:
    quads: Iterable[ox.Quad] | Iterable[ox.Triple]
    if not cast(ox.RdfFormat, format_.engine).supports_datasets:
        quads = _merged(order.lines)
    elif by_graph:
        quads = (quad for graph, path in by_graph.items() for quad in _of_graph(graph, path))
    else:
        quads = ox.parse(path=str(order.lines), format=ox.RdfFormat.N_QUADS)
    return _write(order, format_, EVERYTHING, None, quads, sum(order.graphs.values()))


def _of_graph(graph: str, path: Path) -> Iterator[ox.Quad]:
    name: ox.NamedNode | ox.BlankNode | ox.DefaultGraph
    if not graph:
        name = ox.DefaultGraph()
    else:
        name = ox.BlankNode(graph[2:]) if graph.startswith("_:") else ox.NamedNode(graph)
    for quad in ox.parse(path=str(path), format=ox.RdfFormat.N_TRIPLES):
        yield ox.Quad(quad.subject, quad.predicate, quad.object, name)


def _merged(lines: Path) -> Iterator[ox.Triple]:
    """Yield the triples of all graphs, each once."""
    last: tuple[bytes, ...] = ()
    for block in NQuads.in_file(lines).blocks():
        kept = []
        for row in rows_of(block):
            if row[:3] != last:
                last = row[:3]
                kept.append(b"%b %b %b .\n" % last)
        for quad in ox.parse(b"".join(kept), format=ox.RdfFormat.N_TRIPLES):
            yield quad.triple


def _one_graph(order: Order, format_: Format, graph: str, path: Path) -> Dump:
    quads: Iterable[ox.Quad] | Iterable[ox.Triple]
    if cast(ox.RdfFormat, format_.engine).supports_datasets:
        quads = _of_graph(graph, path)
    else:
        quads = (quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.N_TRIPLES))
    return _write(order, format_, _file_name(graph, order.base), graph, quads, order.graphs[graph])


def _write(
    order: Order,
    format_: Format,
    stem: str,
    graph: str | None,
    statements: Iterable[ox.Quad] | Iterable[ox.Triple],
    count: int,
) -> Dump:
    is_compressed = format_ == N_QUADS or count > order.dumps.compress_quads
    name = f"{stem}.{format_.extension}{'.gz' if is_compressed else ''}"
    path = order.directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = _Representable(format_)
    with path.open("wb") as file, _target(file, is_compressed=is_compressed) as target:
        with finished_output(cast("IO[bytes]", target), format_, order.tags) as output:
            engine, prefixes = cast(ox.RdfFormat, format_.engine), order.prefixes
            ox.serialize(kept.of(statements), output, format=engine, prefixes=prefixes)
        if kept.omitted and format_ == RDF_XML:
            target.write(f"<!-- {kept.omitted} statements cannot be represented in RDF/XML -->\n".encode())
    return Dump(
        name=name,
        format=format_.name,
        graph=graph,
        is_compressed=is_compressed,
        bytes=target.size,
        sha256=target.digest.hexdigest(),
        statements=count,
        omitted=kept.omitted,
    )


class _Representable:
    """Passes on what a format can represent, and counts the rest."""

    def __init__(self, format_: Format) -> None:
        self._accepts = _ACCEPTS.get(format_)
        self.omitted = 0

    def of(self, statements: Iterable[ox.Quad] | Iterable[ox.Triple]) -> Iterator[ox.Quad]:
        """Yield the statements that can be represented."""
        every = cast("Iterable[ox.Quad]", statements)  # `serialize` is typed for one or the other
        if self._accepts is None:
            yield from every
            return
        for one in every:
            if self._accepts(one):
                yield one
            else:
                self.omitted += 1


def _in_rdf_xml(one: ox.Quad | ox.Triple) -> bool:
    value = one.object
    if isinstance(value, ox.Triple) or not _is_element(one.predicate.value):
        return False
    return not (isinstance(value, ox.Literal) and (value.direction or _NOT_XML.search(value.value)))


@lru_cache(maxsize=4096)
def _is_element(predicate: str) -> bool:
    """Return whether an IRI can be written as the name of an XML element: a namespace and a local name."""
    end = _END.match(predicate[::-1])
    local = end[0] if end else ""
    return len(local) < len(predicate) and bool(_START.search(local)) and predicate not in _RESERVED


def _in_json_ld(one: ox.Quad | ox.Triple) -> bool:
    return not isinstance(one.object, ox.Triple)


_ACCEPTS: Mapping[Format, Callable[[ox.Quad | ox.Triple], bool]] = {RDF_XML: _in_rdf_xml, JSON_LD: _in_json_ld}


class _Target:
    """A file that is hashed and measured while it is written, and compressed if need be."""

    def __init__(self, file: IO[bytes], compressor: "zlib._Compress | None") -> None:
        self._file, self._compressor = file, compressor
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._put(self._compressor.compress(data) if self._compressor else data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: the file is flushed when it is closed."""

    def end(self) -> None:
        if self._compressor:
            self._put(self._compressor.flush())

    def _put(self, data: bytes) -> None:
        self.digest.update(data)
        self.size += len(data)
        self._file.write(data)


@contextmanager
def _target(file: IO[bytes], *, is_compressed: bool) -> Iterator[_Target]:
    target = _Target(file, zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP) if is_compressed else None)
    yield target
    target.end()
