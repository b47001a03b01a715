"""Reading a data set with other code than ours, and comparing statements up to the names of blank nodes."""

import json
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin
from xml.etree.ElementTree import canonicalize

import pyoxigraph as ox
import rdflib

from datasets.publishing import Built

_FORMATS = {
    ".ttl": "turtle", ".nt": "nt", ".nq": "nquads", ".trig": "trig", ".rdf": "xml", ".owl": "xml", ".xml": "xml",
    ".jsonld": "json-ld",
}  # fmt: skip
_DATASETS = ("nquads", "trig", "json-ld")
_STRING = "http://www.w3.org/2001/XMLSchema#string"
_XML = "http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral"
_SKOLEM = ".well-known/genid/"
_DEFAULT = "urn:x-rdflib:default"

Contexts = dict[str, object]


@dataclass(frozen=True)
class _Where:
    """What a file is read with: the folder it comes from, the base IRI, and the contexts of JSON-LD by their IRIs."""

    root: Path
    base: str
    contexts: Contexts


def expected(built: Built) -> set[ox.Quad]:
    """Return the statements of a data set's files, read by whom the table says, each in the graph of its file."""
    read = _READERS[built.data_set.oracle]
    where = _Where(built.source, built.settings.base_iri, _contexts(built))
    files = enumerate(built.files)
    return {quad for number, (path, graph) in files for quad in _placed(read(path, where), graph, number)}


def published_quads(built: Built) -> set[ox.Quad]:
    """Return the statements of the release, with blank nodes where it has names of graphs made from blank nodes."""
    start = urljoin(built.settings.base_iri, _SKOLEM)

    def blank(term):
        is_made = isinstance(term, ox.NamedNode) and term.value.startswith(start)
        return ox.BlankNode(term.value.removeprefix(start)) if is_made else term

    return {
        ox.Quad(blank(quad.subject), quad.predicate, blank(quad.object), blank(quad.graph_name))
        for quad in built.quads()
    }


def canonical(quads: Iterable[ox.Quad]) -> set[str]:
    """Return quads as canonical N-Quads (RDFC-1.0), language tags in lower case as RDF 1.1 compares them.

    Literals of XML are compared as canonical XML, which the engine's parser of RDF/XML leaves to be done.
    """
    dataset = ox.Dataset(_comparable(quad) for quad in quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return set(map(str, dataset))


def _comparable(quad: ox.Quad) -> ox.Quad:
    value = quad.object
    if isinstance(value, ox.Literal) and value.language:
        value = ox.Literal(value.value, language=value.language.lower(), direction=value.direction)
    elif isinstance(value, ox.Literal) and value.datatype.value == _XML:
        value = ox.Literal(canonicalize(f"<x>{value.value}</x>"), datatype=value.datatype)
    return ox.Quad(quad.subject, quad.predicate, value, quad.graph_name)


def _placed(quads: Iterable[ox.Quad], graph: str, number: int) -> Iterator[ox.Quad]:
    """Yield the quads of a file, those of its default graph in the graph of the file; its blank nodes are its own."""

    def own(term):
        return ox.BlankNode(f"f{number}x{term.value}") if isinstance(term, ox.BlankNode) else term

    for quad in quads:
        is_default = isinstance(quad.graph_name, ox.DefaultGraph)
        target = ox.NamedNode(graph) if is_default else own(quad.graph_name)
        yield ox.Quad(own(quad.subject), quad.predicate, own(quad.object), target)


def rdflib_graph(path: Path, base: str) -> rdflib.Graph:
    """Return a file as rdflib reads it."""
    return _parse(path.read_bytes(), path.suffix, base, rdflib.Graph())


def _by_rdflib(path: Path, where: _Where) -> Iterator[ox.Quad]:
    if _FORMATS[path.suffix] not in _DATASETS:
        for triple in rdflib_graph(path, where.base):
            yield ox.Quad(*map(_term, triple))
        return
    content = path.read_bytes()
    if path.suffix == ".jsonld":
        content = json.dumps(_inlined(json.loads(content), where.contexts)).encode()
    dataset = _parse(content, path.suffix, where.base, rdflib.Dataset())
    for subject, predicate, value, graph in dataset.quads():  # type: ignore[attr-defined]
        is_named = graph is not None and str(graph) != _DEFAULT
        target = _term(graph) if is_named else ox.DefaultGraph()
        yield ox.Quad(_term(subject), _term(predicate), _term(value), target)


def _parse(content: bytes, suffix: str, base: str, target: rdflib.Graph) -> rdflib.Graph:
    with warnings.catch_warnings(), _as_written():
        warnings.simplefilter("ignore")
        target.parse(data=content, format=_FORMATS[suffix], publicID=base)
    return target


def _contexts(built: Built) -> Contexts:
    """Return the contexts of JSON-LD that the settings name, by their IRIs."""
    files = tomllib.loads(built.data_set.settings).get("files", {}).get("contexts", {})
    return {iri: json.loads((built.directory / name).read_bytes())["@context"] for iri, name in files.items()}


def _inlined(value: object, contexts: Contexts) -> object:
    """Return a document of JSON-LD with the contexts in place of their IRIs."""
    if isinstance(value, list):
        return [_inlined(each, contexts) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _inlined(each, contexts) for key, each in value.items()}
    named = inner.get("@context")
    if isinstance(named, str):
        inner["@context"] = contexts[named]
    elif isinstance(named, list):
        inner["@context"] = [contexts[each] if isinstance(each, str) else each for each in named]
    return inner


@contextmanager
def _as_written() -> Iterator[None]:
    """Have rdflib keep the lexical forms of literals."""
    before, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        yield
    finally:
        rdflib.NORMALIZE_LITERALS = before


def _term(term: rdflib.term.Node):
    match term:
        case rdflib.URIRef():
            return ox.NamedNode(str(term))
        case rdflib.BNode():
            return ox.BlankNode(str(term))
        case rdflib.Literal(language=str(tag)):
            return ox.Literal(str(term), language=tag.lower())
        case rdflib.Literal(datatype=kind):
            return ox.Literal(str(term), datatype=ox.NamedNode(str(kind or _STRING)))
    raise TypeError(repr(term))


def _by_engine(path: Path, where: _Where) -> Iterator[ox.Quad]:
    format_ = ox.RdfFormat.from_extension("rdf" if path.suffix in (".owl", ".xml") else path.suffix[1:])
    yield from ox.parse(path.read_bytes(), format=format_, base_iri=where.base)


def _by_suite(path: Path, where: _Where) -> Iterator[ox.Quad]:
    """Yield what the W3C's suite says that a file of its means, and what the engine reads of those without a result.

    The suite's results resolve against the address of the file itself, a publication against its base.
    """
    result = next((file for suffix in (".nt", ".nq") if (file := path.with_suffix(suffix)).exists()), None)
    if result is None:
        yield from _by_engine(path, where)
        return
    own = f"{where.base}{path.relative_to(where.root)}"
    for quad in ox.parse(result.read_bytes(), format=ox.RdfFormat.from_extension(result.suffix[1:])):
        terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        yield ox.Quad(*(_rebased(term, own, where.base) for term in terms))


def _rebased(term, own: str, base: str):
    if isinstance(term, ox.NamedNode) and term.value.startswith(own):
        return ox.NamedNode(base + term.value.removeprefix(own))
    return term


_READERS: dict[str, Callable[[Path, _Where], Iterator[ox.Quad]]] = {
    "rdflib": _by_rdflib,
    "engine": _by_engine,
    "suite": _by_suite,
}
