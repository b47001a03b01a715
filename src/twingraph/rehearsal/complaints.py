"""What a harvester would complain about, each with what to change, and the graph in which it looks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyoxigraph as ox

DCAT = "http://www.w3.org/ns/dcat#"
DCTERMS = "http://purl.org/dc/terms/"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class Level(StrEnum):
    """Whether a harvester would refuse something, or take it and miss something."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong, and what to do about it."""

    level: Level
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.level}: {self.text}{f'; {self.remedy}' if self.remedy else ''}"


def error(text: str, remedy: str = "") -> Complaint:
    """Return an error."""
    return Complaint(Level.ERROR, text, remedy)


def warning(text: str, remedy: str = "") -> Complaint:
    """Return a warning."""
    return Complaint(Level.WARNING, text, remedy)


class Described:
    """A graph, by subject and property."""

    def __init__(self, quads: Iterable[ox.Quad]) -> None:
        self.triples = {(one.subject, one.predicate, one.object) for one in quads}
        self._index: dict[tuple[str, str], list[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple]] = {}
        for subject, predicate, value in self.triples:
            self._index.setdefault((str(getattr(subject, "value", "")), predicate.value), []).append(value)

    def values(self, subject: str, predicate: str) -> list[str]:
        """Return the values of a property, sorted."""
        return sorted(str(getattr(one, "value", "")) for one in self._index.get((subject, predicate), ()))

    def instances(self, class_: str) -> list[str]:
        """Return the instances of a class, sorted."""
        wanted = ox.NamedNode(class_)
        return sorted(one[0] for one in self._index if one[1] == RDF_TYPE and wanted in self._index[one])


# What a profile wants of each class: property, whether it is mandatory, and the setting that provides it.
Wants = Mapping[str, tuple[tuple[str, bool, str], ...]]


def missing(graph: Described, wants: Wants) -> Iterator[Complaint]:
    """Yield a complaint for each property that no instance of its class may lack."""
    for class_, properties in wants.items():
        for subject in graph.instances(class_):
            for predicate, is_mandatory, setting in properties:
                if not graph.values(subject, predicate):
                    name = predicate.replace("#", "/").rpartition("/")[2]
                    kind = class_.replace("#", "/").rpartition("/")[2]
                    text = f"the {kind} <{subject}> has no {name}"
                    yield (error if is_mandatory else warning)(
                        text, f"set {setting} in twingraph.toml" if setting else ""
                    )


def unusual_nodes(graph: Described) -> Iterator[Complaint]:
    """Yield complaints about blank nodes and IRIs that no portal stores."""
    blank = {one for triple in graph.triples for one in triple if isinstance(one, ox.BlankNode)}
    if blank:
        yield error(f"there are {len(blank)} blank nodes, which portals lose", "give what they stand for an IRI")
    iris = {one.value for triple in graph.triples for one in triple if isinstance(one, ox.NamedNode)}
    for iri in sorted(iri for iri in iris if not iri.startswith(("http://", "https://", "mailto:"))):
        yield error(f"<{iri}> is not an address on the web")
