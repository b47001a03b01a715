"""The statistics of a release, and its description with VoID and SPARQL 1.1 Service Description.

Both are computed from the release's canonical lines when it is built; the server adds what depends on its address.
Resources of the description have IRIs under ``{base}.well-known/void#``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile
from operator import itemgetter
from urllib.parse import quote

import pyoxigraph as ox

from twingraph.errors import ParameterError
from twingraph.publication.saved_queries import SavedQuery, body
from twingraph.rdf.iris import Iris, resolve
from twingraph.rdf.nquads import NQuads, Row
from twingraph.rdf.terms import DefaultGraph, ntriples
from twingraph.settings import Settings
from twingraph.sparql.query import read_query, with_prefixes

_TYPE = b"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


@dataclass(slots=True)
class Tally:
    """The numbers of triples and subjects in a graph, of triples by property, and of instances by class.

    Terms are in N-Quads.
    """

    triples: int = 0
    subjects: int = 0
    properties: Counter[bytes] = field(default_factory=Counter)
    classes: Counter[bytes] = field(default_factory=Counter)


@dataclass(slots=True)
class Counts:
    """The tally of the release, in which a triple that is in several graphs counts once, and of each graph by IRI.

    The default graph has an empty name; ``examples`` has the first instance of each class.
    """

    whole: Tally = field(default_factory=Tally)
    graphs: dict[str, Tally] = field(default_factory=dict)
    examples: dict[bytes, bytes] = field(default_factory=dict)


def count(lines: NQuads) -> Counts:
    """Count what is in canonical lines, which are sorted."""
    counter = _Counter()
    for rows in lines.rows():
        counter.add(rows)
    return counter.counts


class _Counter:
    """Counts sorted rows block by block, without counting twice what continues from one block to the next."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._last: Row = (b"", b"", b"", b"")
        self._last_graphs: set[bytes] = set()

    def add(self, rows: list[Row]) -> None:
        """Count the rows of the next block."""
        whole = self.counts.whole
        repeated = [row for before, row in zip(chain((self._last,), rows), rows, strict=False) if before[:3] == row[:3]]
        self._add_triples(Counter(map(itemgetter(3, 1), rows)), len(rows) - len(repeated))
        whole.properties.subtract(map(itemgetter(1), repeated))
        self._add_things([row for row in rows if row[1] == _TYPE and row[2].startswith(b"<")])
        whole.classes.subtract(row[2] for row in repeated if row[1] == _TYPE and row[2].startswith(b"<"))
        self._add_subjects(rows)

    def _add_triples(self, found: Counter[tuple[bytes, bytes]], distinct: int) -> None:
        self.counts.whole.triples += distinct
        for (graph, predicate), number in found.items():
            tally = self._tally(graph)
            tally.triples += number
            tally.properties[predicate] += number
            self.counts.whole.properties[predicate] += number

    def _add_things(self, rows: list[Row]) -> None:
        for (graph, class_), number in Counter(map(itemgetter(3, 2), rows)).items():
            self._tally(graph).classes[class_] += number
            self.counts.whole.classes[class_] += number
        for subject, _, class_, _ in rows:
            self.counts.examples.setdefault(class_, subject)

    def _add_subjects(self, rows: list[Row]) -> None:
        first, last = rows[0][0], rows[-1][0]
        again = first == self._last[0]
        pairs = set(map(itemgetter(0, 3), rows))
        self.counts.whole.subjects += len({subject for subject, _ in pairs}) - again
        for graph, number in Counter(graph for _, graph in pairs).items():
            self._tally(graph).subjects += number
        for graph in _graphs(first, rows) & self._last_graphs if again else ():
            self._tally(graph).subjects -= 1
        self._last_graphs = _graphs(last, reversed(rows)) | (self._last_graphs if again and first == last else set())
        self._last = rows[-1]

    def _tally(self, graph: bytes) -> Tally:
        return self.counts.graphs.setdefault(graph.decode().strip("<>"), Tally())


def _graphs(subject: bytes, rows: Iterable[Row]) -> set[bytes]:
    """Return the graphs of the first rows with this subject."""
    return {row[3] for row in takewhile(lambda row: row[0] == subject, rows)}


DESCRIPTION = "description.nt"
VOID = "http://rdfs.org/ns/void#"
SD = "http://www.w3.org/ns/sparql-service-description#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SH = "http://www.w3.org/ns/shacl#"
DCTERMS = "http://purl.org/dc/terms/"
_INTEGER = ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")
_NAMESPACE = re.compile(r".*[#/]")
_TAG = re.compile(rb'"@([A-Za-z]+(?:-[A-Za-z0-9]+)+) ')
# The number of example resources, one for each of the largest classes.
_EXAMPLES = 10
_LANGUAGES = (RDF, RDFS, "http://www.w3.org/2002/07/owl#", "http://www.w3.org/2004/02/skos/core#")

Statement = tuple[str, str, ox.NamedNode | ox.Literal]


def fragment(base: str, *names: str) -> str:
    """Return the IRI of a resource of the description."""
    return resolve(base, f".well-known/void#{'/'.join(names)}")


def serialize(statements: Iterable[Statement]) -> bytes:
    """Return statements as sorted N-Triples, each once."""
    lines = {f"<{subject}> <{predicate}> {ntriples(value)} .\n" for subject, predicate, value in statements}
    return "".join(sorted(lines)).encode()


def language_tags(lines: NQuads) -> tuple[str, ...]:
    """Return the language tags in some lines that are not lower-case, and perhaps text that looks like a tag."""
    found = {tag for block in lines.blocks() for tag in set(_TAG.findall(block))}
    return tuple(sorted(tag for tag in map(bytes.decode, found) if tag != tag.lower()))


def describe_release(counts: Counts, settings: Settings, queries: Sequence[SavedQuery]) -> bytes:
    """Return the description of a release as sorted N-Triples."""
    iris, union = settings.iris, settings.default_graph == DefaultGraph.UNION
    graphs = counts.graphs
    return serialize(
        [
            *_whole(settings, counts),
            *_default(iris, counts.whole if union else graphs.get("", Tally())),
            *(one for name in sorted(graphs) if name for one in _graph(iris, name, graphs[name])),
            *(one for query in queries for one in _query(query, iris)),
        ]
    )


def _whole(settings: Settings, counts: Counts) -> Iterator[Statement]:
    base, iris, whole = settings.base_iri, settings.iris, counts.whole
    dataset = fragment(base, "dataset")
    yield dataset, f"{RDF}type", ox.NamedNode(f"{SD}Dataset")
    yield from _counts(iris, "dataset", whole)
    for language, text in settings.title.items():
        yield dataset, f"{DCTERMS}title", ox.Literal(text, language=language)
    for language, text in settings.description.items():
        yield dataset, f"{DCTERMS}description", ox.Literal(text, language=language)
    if settings.licence:
        yield dataset, f"{DCTERMS}license", ox.NamedNode(settings.licence)
    yield dataset, f"{VOID}uriSpace", ox.Literal(base)
    yield dataset, f"{SD}defaultGraph", ox.NamedNode(fragment(base, "default-graph"))
    for name in filter(None, counts.graphs):
        yield dataset, f"{SD}namedGraph", ox.NamedNode(fragment(base, _short(iris, name)))
        yield dataset, f"{VOID}subset", ox.NamedNode(fragment(base, _short(iris, name), "content"))
    for namespace in sorted({match[0] for iri in _terms(whole) if (match := _NAMESPACE.match(iri))}):
        yield dataset, f"{VOID}vocabulary", ox.NamedNode(namespace)
    own = [row for row in whole.classes.items() if not row[0].decode()[1:].startswith(_LANGUAGES)]
    for class_, _ in sorted(own, key=lambda row: (-row[1], row[0]))[:_EXAMPLES]:
        if counts.examples[class_].startswith(b"<"):
            yield dataset, f"{VOID}exampleResource", ox.NamedNode(_iri(counts.examples[class_]))


def _default(iris: Iris, tally: Tally) -> Iterator[Statement]:
    graph = fragment(iris.base, "default-graph")
    yield graph, f"{RDF}type", ox.NamedNode(f"{SD}Graph")
    yield graph, f"{RDF}type", ox.NamedNode(f"{VOID}Dataset")
    yield from _sums(graph, tally)


def _graph(iris: Iris, name: str, tally: Tally) -> Iterator[Statement]:
    short = _short(iris, name)
    named, content = fragment(iris.base, short), fragment(iris.base, short, "content")
    yield named, f"{RDF}type", ox.NamedNode(f"{SD}NamedGraph")
    yield named, f"{SD}name", ox.NamedNode(name)
    yield named, f"{SD}graph", ox.NamedNode(content)
    yield content, f"{RDF}type", ox.NamedNode(f"{SD}Graph")
    yield from _counts(iris, f"{short}/content", tally)


def _counts(iris: Iris, name: str, tally: Tally) -> Iterator[Statement]:
    """Yield the statistics of a dataset, with its class and property partitions."""
    dataset = fragment(iris.base, name)
    yield dataset, f"{RDF}type", ox.NamedNode(f"{VOID}Dataset")
    yield from _sums(dataset, tally)
    kinds = (("class", "entities", tally.classes), ("property", "triples", tally.properties))
    for kind, unit, counts in kinds:
        for term, count in counts.items():
            one = fragment(iris.base, name, kind, _short(iris, _iri(term)))
            yield dataset, f"{VOID}{kind}Partition", ox.NamedNode(one)
            yield one, f"{VOID}{kind}", ox.NamedNode(_iri(term))
            yield one, f"{VOID}{unit}", _number(count)


def _sums(dataset: str, tally: Tally) -> Iterator[Statement]:
    yield dataset, f"{VOID}triples", _number(tally.triples)
    yield dataset, f"{VOID}distinctSubjects", _number(tally.subjects)
    yield dataset, f"{VOID}classes", _number(len(tally.classes))
    yield dataset, f"{VOID}properties", _number(len(tally.properties))


def _query(saved: SavedQuery, iris: Iris) -> Iterator[Statement]:
    """Describe a saved query as an executable example, if its parameters have defaults."""
    try:
        text = with_prefixes(body(saved.bind({}, iris)), iris.namespaces)
    except ParameterError:
        return
    form = read_query(text, iris.namespaces, iris.base).form
    node = iris.resolve(f"queries/{saved.name}")
    yield node, f"{RDF}type", ox.NamedNode(f"{SH}SPARQLExecutable")
    yield node, f"{RDF}type", ox.NamedNode(f"{SH}SPARQL{form.title()}Executable")
    yield node, f"{RDFS}label", ox.Literal(saved.title)
    yield node, f"{RDFS}comment", ox.Literal(saved.description or saved.title)
    yield node, f"{SH}{form.lower()}", ox.Literal(text)
    yield node, f"{DCTERMS}isPartOf", ox.NamedNode(fragment(iris.base, "dataset"))


def _terms(tally: Tally) -> Iterator[str]:
    return (_iri(term) for term in (*tally.properties, *tally.classes))


def _iri(term: bytes) -> str:
    return term.decode()[1:-1]


def _number(count: int) -> ox.Literal:
    return ox.Literal(str(count), datatype=_INTEGER)


def _short(iris: Iris, iri: str) -> str:
    """Return a name of an IRI for use in a fragment: its path below the base, its prefixed name, or itself."""
    if iri.startswith(iris.base):
        return quote(iri.removeprefix(iris.base), safe="/:-_.~")
    return quote(iris.shorten(iri), safe=":-_.~")
