"""The description of a release's dataset: VoID and the datasets of SPARQL 1.1 Service Description, counted, never said.

It is made when a release is built, from the release's own statements; a server adds what depends on where it stands.
Everything in it is named under ``{base}.well-known/void#``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import pyoxigraph as ox

from twingraph.datasets import DefaultGraph
from twingraph.errors import ParameterError
from twingraph.iris import Iris
from twingraph.query_text import read_query, with_prefixes
from twingraph.saved import SavedQuery, body
from twingraph.settings import Settings
from twingraph.terms import ntriples

DESCRIPTION = "description.nt"
VOID = "http://rdfs.org/ns/void#"
SD = "http://www.w3.org/ns/sparql-service-description#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SH = "http://www.w3.org/ns/shacl#"
DCTERMS = "http://purl.org/dc/terms/"
_INTEGER = ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")
_TYPE = f"<{RDF}type>".encode()
_NAMESPACE = re.compile(r".*[#/]")
_TAG = re.compile(rb'"@([A-Za-z]+(?:-[A-Za-z0-9]+)+) ')
# How many things of the largest classes stand as examples.
_EXAMPLES = 10
_LANGUAGES = (RDF, RDFS, "http://www.w3.org/2002/07/owl#", "http://www.w3.org/2004/02/skos/core#")

Statement = tuple[str, str, ox.NamedNode | ox.Literal]


def part(base: str, *names: str) -> str:
    """Return the IRI of a part of the description."""
    return f"{base}.well-known/void#{'/'.join(names)}"


def serialize(statements: Iterable[Statement]) -> bytes:
    """Return statements as sorted N-Triples, each once."""
    lines = {f"<{subject}> <{predicate}> {ntriples(value)} .\n" for subject, predicate, value in statements}
    return "".join(sorted(lines)).encode()


def language_tags(canonical: bytes) -> tuple[str, ...]:
    """Return the language tags with capitals that a release's literals have; a few more do no harm."""
    return tuple(sorted({tag.decode() for tag in set(_TAG.findall(canonical)) if tag != tag.lower()}))


def describe_release(canonical: bytes, settings: Settings, queries: Sequence[SavedQuery]) -> bytes:
    """Return the description of the statements in canonical N-Quads, as N-Triples with its lines sorted."""
    iris, union = settings.iris, settings.default_graph == DefaultGraph.UNION
    whole, graphs = _count(canonical, union=union)
    return serialize(
        [
            *_whole(settings, whole, graphs),
            *_default(iris, whole if union else graphs.get("", Tally())),
            *(one for name in sorted(graphs) if name for one in _graph(iris, name, graphs[name])),
            *(one for query in queries for one in _query(query, iris)),
        ]
    )


@dataclass(slots=True)
class Tally:
    """How much is in a graph: its triples, subjects, things of each class and triples of each property."""

    triples: int = 0
    subjects: int = 0
    properties: Counter[bytes] = field(default_factory=Counter)
    classes: Counter[bytes] = field(default_factory=Counter)
    examples: dict[bytes, bytes] = field(default_factory=dict)
    last: bytes = b""

    def add(self, subject: bytes, predicate: bytes, value: bytes) -> None:
        """Count a triple; they come sorted, so equal subjects come one after the other."""
        self.triples += 1
        if subject != self.last:
            self.subjects += 1
            self.last = subject
        self.properties[predicate] += 1
        if predicate == _TYPE and value.startswith(b"<"):
            self.classes[value] += 1
            self.examples.setdefault(value, subject)


def _count(canonical: bytes, *, union: bool) -> tuple[Tally, dict[str, Tally]]:
    """Return the tally of the whole, in which a triple counts once however many graphs hold it, and of each graph."""
    whole, graphs, before = Tally(), dict[str, Tally](), b""
    for line in canonical.split(b"\n")[:-1]:
        triple, graph = _split(line)
        subject, predicate, value = triple.split(b" ", 2)
        graphs.setdefault(graph.decode(), Tally()).add(subject, predicate, value)
        if triple != before:
            whole.add(subject, predicate, value)
            before = triple
    return whole, graphs


def _split(line: bytes) -> tuple[bytes, bytes]:
    """Return the triple and the graph's name, empty for the default graph, of a line of canonical N-Quads."""
    statement = line[:-2]
    triple, _, last = statement.rpartition(b" ")
    names = last.startswith((b"<", b"_:")) and b'"' not in last
    return (triple, last.strip(b"<>")) if names and triple.count(b" ") > 1 else (statement, b"")


def _whole(settings: Settings, whole: Tally, graphs: Mapping[str, Tally]) -> Iterator[Statement]:
    base, iris = settings.base_iri, settings.iris
    dataset = part(base, "dataset")
    yield dataset, f"{RDF}type", ox.NamedNode(f"{SD}Dataset")
    yield from _counts(iris, "dataset", whole)
    for language, text in settings.title.items():
        yield dataset, f"{DCTERMS}title", ox.Literal(text, language=language)
    for language, text in settings.description.items():
        yield dataset, f"{DCTERMS}description", ox.Literal(text, language=language)
    if settings.licence:
        yield dataset, f"{DCTERMS}license", ox.NamedNode(settings.licence)
    yield dataset, f"{VOID}uriSpace", ox.Literal(base)
    yield dataset, f"{SD}defaultGraph", ox.NamedNode(part(base, "default-graph"))
    for name in filter(None, graphs):
        yield dataset, f"{SD}namedGraph", ox.NamedNode(part(base, _short(iris, name)))
        yield dataset, f"{VOID}subset", ox.NamedNode(part(base, _short(iris, name), "content"))
    for namespace in sorted({match[0] for iri in _terms(whole) if (match := _NAMESPACE.match(iri))}):
        yield dataset, f"{VOID}vocabulary", ox.NamedNode(namespace)
    own = [row for row in whole.classes.items() if not row[0].decode()[1:].startswith(_LANGUAGES)]
    for class_, _ in sorted(own, key=lambda row: (-row[1], row[0]))[:_EXAMPLES]:
        if whole.examples[class_].startswith(b"<"):
            yield dataset, f"{VOID}exampleResource", ox.NamedNode(_iri(whole.examples[class_]))


def _default(iris: Iris, tally: Tally) -> Iterator[Statement]:
    graph = part(iris.base, "default-graph")
    yield graph, f"{RDF}type", ox.NamedNode(f"{SD}Graph")
    yield graph, f"{RDF}type", ox.NamedNode(f"{VOID}Dataset")
    yield from _sums(graph, tally)


def _graph(iris: Iris, name: str, tally: Tally) -> Iterator[Statement]:
    short = _short(iris, name)
    named, content = part(iris.base, short), part(iris.base, short, "content")
    yield named, f"{RDF}type", ox.NamedNode(f"{SD}NamedGraph")
    yield named, f"{SD}name", ox.NamedNode(name)
    yield named, f"{SD}graph", ox.NamedNode(content)
    yield content, f"{RDF}type", ox.NamedNode(f"{SD}Graph")
    yield from _counts(iris, f"{short}/content", tally)


def _counts(iris: Iris, name: str, tally: Tally) -> Iterator[Statement]:
    """Yield how much is in a dataset, in the things of each class and in the triples of each property."""
    dataset = part(iris.base, name)
    yield dataset, f"{RDF}type", ox.NamedNode(f"{VOID}Dataset")
    yield from _sums(dataset, tally)
    kinds = (("class", "entities", tally.classes), ("property", "triples", tally.properties))
    for kind, unit, counts in kinds:
        for term, count in counts.items():
            one = part(iris.base, name, kind, _short(iris, _iri(term)))
            yield dataset, f"{VOID}{kind}Partition", ox.NamedNode(one)
            yield one, f"{VOID}{kind}", ox.NamedNode(_iri(term))
            yield one, f"{VOID}{unit}", _number(count)


def _sums(dataset: str, tally: Tally) -> Iterator[Statement]:
    yield dataset, f"{VOID}triples", _number(tally.triples)
    yield dataset, f"{VOID}distinctSubjects", _number(tally.subjects)
    yield dataset, f"{VOID}classes", _number(len(tally.classes))
    yield dataset, f"{VOID}properties", _number(len(tally.properties))


def _query(saved: SavedQuery, iris: Iris) -> Iterator[Statement]:
    """Yield a saved query as an example to run, when it needs no values."""
    try:
        text = with_prefixes(body(saved.bind({}, iris)), iris.namespaces)
    except ParameterError:
        return
    form = read_query(text, iris.namespaces, iris.base).form
    node = f"{iris.base}queries/{saved.name}"
    yield node, f"{RDF}type", ox.NamedNode(f"{SH}SPARQLExecutable")
    yield node, f"{RDF}type", ox.NamedNode(f"{SH}SPARQL{form.title()}Executable")
    yield node, f"{RDFS}label", ox.Literal(saved.title)
    yield node, f"{RDFS}comment", ox.Literal(saved.description or saved.title)
    yield node, f"{SH}{form.lower()}", ox.Literal(text)
    yield node, f"{DCTERMS}isPartOf", ox.NamedNode(part(iris.base, "dataset"))


def _terms(tally: Tally) -> Iterator[str]:
    return (_iri(term) for term in (*tally.properties, *tally.classes))


def _iri(term: bytes) -> str:
    return term.decode()[1:-1]


def _number(count: int) -> ox.Literal:
    return ox.Literal(str(count), datatype=_INTEGER)


def _short(iris: Iris, iri: str) -> str:
    """Return a name for an IRI that may stand in a fragment: its path below the base, its prefixed name, or all."""
    if iri.startswith(iris.base):
        return quote(iri.removeprefix(iris.base), safe="/:-_.~")
    return quote(iris.shorten(iri), safe=":-_.~")
