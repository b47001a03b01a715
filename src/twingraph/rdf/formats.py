"""The representations that clients can request.

Media types and file extensions are those that IANA has registered for the W3C's formats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from twingraph.errors import UnknownNameError


class FormatKind(StrEnum):
    """What a format can carry: the solutions of SELECT and ASK, a graph, or a page for people."""

    RESULTS = "results"
    GRAPH = "graph"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Format:
    """A representation: ``name`` and ``aliases`` are what ``?format=`` and ``--format`` take.

    ``also`` are other media types that clients ask for the same bytes by.
    """

    name: str
    media_type: str
    extension: str
    kind: FormatKind
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header; everything here is UTF-8, and text says so."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


_R, _G = FormatKind.RESULTS, FormatKind.GRAPH
JSON = Format("json", "application/sparql-results+json", "srj", _R, ("srj",), ("application/json",))
XML = Format("xml", "application/sparql-results+xml", "srx", _R, ("srx",), ("application/xml", "text/xml"))
CSV = Format("csv", "text/csv", "csv", _R)
TSV = Format("tsv", "text/tab-separated-values", "tsv", _R)
# Every Turtle document is one of N3, which clients ask for by several names.
_N3 = ("text/n3", "text/rdf+n3", "application/n3")
TURTLE = Format("turtle", "text/turtle", "ttl", _G, ("ttl", "n3"), ("application/turtle", "application/x-turtle", *_N3))
N_TRIPLES = Format("ntriples", "application/n-triples", "nt", _G, ("nt", "n-triples"))
JSON_LD = Format("jsonld", "application/ld+json", "jsonld", _G, ("json-ld", "json"), ("application/json",))
RDF_XML = Format("rdfxml", "application/rdf+xml", "rdf", _G, ("rdf", "xml"), ("application/xml", "text/xml"))
TRIG = Format("trig", "application/trig", "trig", _G)
N_QUADS = Format("nquads", "application/n-quads", "nq", _G, ("nq", "n-quads"))
HTML = Format("html", "text/html", "html", FormatKind.PAGE)

RESULTS: tuple[Format, ...] = (JSON, XML, CSV, TSV)
GRAPHS: tuple[Format, ...] = (TURTLE, N_TRIPLES, JSON_LD, RDF_XML, TRIG, N_QUADS)
FORMATS: tuple[Format, ...] = (*RESULTS, *GRAPHS, HTML)


def by_name(name: str, offered: Sequence[Format] = FORMATS) -> Format:
    """Return the offered format that a name, an alias, a file extension or a media type stands for.

    Raises UnknownNameError.
    """
    requested = name.strip().lower()
    for candidate in offered:
        if requested in (candidate.name, candidate.extension, candidate.media_type, *candidate.aliases):
            return candidate
    raise UnknownNameError("format", name, (candidate.name for candidate in offered))
