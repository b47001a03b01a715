"""The one table of representations: all that any module must know of a format is in its entry here.

Media types and file extensions are those that IANA has registered for the W3C's formats; the W3C's names are those of
Unique URIs for File Formats. A graph or table format that the engine writes is one entry.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pyoxigraph as ox

from twingraph.errors import UnknownNameError

_W3C = "http://www.w3.org/ns/formats/"


class FormatKind(StrEnum):
    """What a format can carry: the solutions of SELECT and ASK, a graph, or a page for people."""

    RESULTS = "results"
    GRAPH = "graph"
    PAGE = "page"


class Prefixes(StrEnum):
    """How the engine writes prefixes at the head of a graph."""

    DIRECTIVES = "@prefix"
    ATTRIBUTES = "xmlns"


@dataclass(frozen=True, slots=True)
class RowSyntax:
    """Where rows begin in the bytes of a format, so that they can be counted and cut.

    A row begins where a match of ``begins`` ends; the first row has ``first`` matches before the second row's.
    ``ending`` closes a document that is cut. Where literals stand between quotes (``quoted``), the same bytes may stand
    in them; a quote in a literal is doubled, or follows a backslash (``escaped``). Where the bytes ``unsure`` do not
    occur, ``sure`` finds the same places and none in a literal.
    """

    begins: re.Pattern[bytes]
    first: int
    ending: str
    quoted: bool = False
    escaped: bool = False
    sure: re.Pattern[bytes] | None = None
    unsure: bytes = b""


@dataclass(frozen=True, slots=True)
class Format:
    """A representation: ``name`` and ``aliases`` are what ``?format=`` and ``--format`` take.

    ``engine`` is what the engine calls it, ``w3c_name`` the local name of the W3C's IRI for it. ``tag`` is what stands
    before and after a language tag where no text of a literal can look like it, the latter empty where a tag follows
    the quote that ends a string on one line. ``prefixes`` is None where none are written, ``rows`` None where rows
    cannot be counted. ``also`` are other media types that clients ask for the same bytes by.
    """

    name: str
    media_type: str
    extension: str
    kind: FormatKind
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    # Formats are hashed for every request: these follow from the name.
    engine: ox.RdfFormat | ox.QueryResultsFormat | None = field(default=None, compare=False)
    w3c_name: str = field(default="", compare=False)
    tag: tuple[bytes, bytes] | None = field(default=None, compare=False)
    prefixes: Prefixes | None = field(default=None, compare=False)
    rows: RowSyntax | None = field(default=None, compare=False)

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header; everything here is UTF-8, and text says so."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type

    @property
    def iri(self) -> str:
        """The W3C's IRI for the format."""
        return _W3C + self.w3c_name

    @property
    def is_xml(self) -> bool:
        """Whether it is written in XML."""
        return self.media_type.endswith("xml")

    @property
    def is_json(self) -> bool:
        """Whether it is written in JSON."""
        return self.media_type.endswith("json")


# In JSON a quote within a text is escaped, so one that follows `},{` either begins a name or ends a text, and after the
# end of a text comes punctuation; but a row that binds nothing is `{}`, which may stand in a text.
_JSON_ROWS = RowSyntax(
    re.compile(rb"\}(?=,\{(?:\"[^\",:}\]]|\}))"),
    0,
    ']}},"cut":{{"rows":{rows},"next":{next_json}}}}}',
    quoted=True,
    escaped=True,
    sure=re.compile(rb'\}(?=,\{"[^",:}\]])'),
    unsure=b",{}",
)
# In XML `<` is escaped in texts; in TSV and N-Triples the end of a line is.
_XML_ROWS = RowSyntax(re.compile(rb"(?=<result(?:>|/>))"), 1, "</results><!-- cut after {rows} rows{next} --></sparql>")
_LINE = re.compile(rb"\n(?=.)", re.DOTALL)
_TAG_AFTER_STRING = (b'"@', b"")

JSON = Format(
    "json",
    "application/sparql-results+json",
    "srj",
    FormatKind.RESULTS,
    ("srj",),
    ("application/json",),
    engine=ox.QueryResultsFormat.JSON,
    w3c_name="SPARQL_Results_JSON",
    tag=(b'"xml:lang":"', b'"'),
    rows=_JSON_ROWS,
)
XML = Format(
    "xml",
    "application/sparql-results+xml",
    "srx",
    FormatKind.RESULTS,
    ("srx",),
    ("application/xml", "text/xml"),
    engine=ox.QueryResultsFormat.XML,
    w3c_name="SPARQL_Results_XML",
    tag=(b'<literal xml:lang="', b'"'),
    rows=_XML_ROWS,
)
CSV = Format(
    "csv",
    "text/csv",
    "csv",
    FormatKind.RESULTS,
    engine=ox.QueryResultsFormat.CSV,
    w3c_name="SPARQL_Results_CSV",
    rows=RowSyntax(_LINE, 1, "# cut after {rows} rows{next}\r\n", quoted=True),
)
TSV = Format(
    "tsv",
    "text/tab-separated-values",
    "tsv",
    FormatKind.RESULTS,
    engine=ox.QueryResultsFormat.TSV,
    w3c_name="SPARQL_Results_TSV",
    tag=_TAG_AFTER_STRING,
    rows=RowSyntax(_LINE, 1, "# cut after {rows} rows{next}\n"),
)
# Every Turtle document is one of N3, which clients ask for by several names.
_N3 = ("text/n3", "text/rdf+n3", "application/n3")
TURTLE = Format(
    "turtle",
    "text/turtle",
    "ttl",
    FormatKind.GRAPH,
    ("ttl", "n3"),
    ("application/turtle", "application/x-turtle", *_N3),
    engine=ox.RdfFormat.TURTLE,
    w3c_name="Turtle",
    tag=_TAG_AFTER_STRING,
    prefixes=Prefixes.DIRECTIVES,
)
N_TRIPLES = Format(
    "ntriples",
    "application/n-triples",
    "nt",
    FormatKind.GRAPH,
    ("nt", "n-triples"),
    engine=ox.RdfFormat.N_TRIPLES,
    w3c_name="N-Triples",
    tag=_TAG_AFTER_STRING,
    rows=RowSyntax(_LINE, 0, "# cut after {rows} triples{next}\n"),
)
JSON_LD = Format(
    "jsonld",
    "application/ld+json",
    "jsonld",
    FormatKind.GRAPH,
    ("json-ld", "json"),
    ("application/json",),
    engine=ox.RdfFormat.JSON_LD,
    w3c_name="JSON-LD",
    tag=(b'"@language":"', b'"'),
)
RDF_XML = Format(
    "rdfxml",
    "application/rdf+xml",
    "rdf",
    FormatKind.GRAPH,
    ("rdf", "xml"),
    ("application/xml", "text/xml"),
    engine=ox.RdfFormat.RDF_XML,
    w3c_name="RDF_XML",
    tag=(b' xml:lang="', b'"'),
    prefixes=Prefixes.ATTRIBUTES,
)
TRIG = Format(
    "trig",
    "application/trig",
    "trig",
    FormatKind.GRAPH,
    engine=ox.RdfFormat.TRIG,
    w3c_name="TriG",
    tag=_TAG_AFTER_STRING,
    prefixes=Prefixes.DIRECTIVES,
)
N_QUADS = Format(
    "nquads",
    "application/n-quads",
    "nq",
    FormatKind.GRAPH,
    ("nq", "n-quads"),
    engine=ox.RdfFormat.N_QUADS,
    w3c_name="N-Quads",
    tag=_TAG_AFTER_STRING,
)
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
