"""The table of formats: everything that other modules need to know about a format is in its entry here.

Media types and file extensions are those registered with IANA; the names in IRIs are from the W3C's "Unique URIs for
File Formats". Adding a format that the engine can write takes one entry.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import pyoxigraph as ox

from twingraph.errors import UnknownNameError

_W3C = "http://www.w3.org/ns/formats/"


class Prefixes(StrEnum):
    """How prefixes are declared at the beginning of a document."""

    DIRECTIVES = "@prefix"
    ATTRIBUTES = "xmlns"


@dataclass(frozen=True, slots=True)
class RowSyntax:
    """How to find the rows in the bytes of a format, in order to count them and to cut the document after one.

    A row begins where a match of ``begins`` ends; ``first`` matches precede that of the second row. ``ending`` closes a
    document that has been cut. In a ``quoted`` format, ``begins`` can also match within literals, which are in quotes;
    a quote inside a literal is doubled or, if ``escaped``, follows a backslash. Where the bytes ``unsure`` do not
    occur, ``sure`` matches at the same places as ``begins`` and never within a literal.
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
    """A format; ``?format=`` and ``--format`` accept ``name`` and ``aliases``.

    ``engine`` is the engine's constant for it, None for HTML; ``w3c_name`` is the local name of the W3C's IRI. ``also``
    are other media types by which clients request it. ``tag`` is what precedes and follows a language tag and cannot
    occur in the text of a literal; the second part is empty where the tag follows the closing quote of a string on one
    line. ``prefixes`` is None when none are written, ``rows`` None when rows cannot be counted.
    """

    name: str
    media_type: str
    extension: str
    # Formats are hashed for every request, and the fields that are compared are enough to tell them apart.
    engine: ox.RdfFormat | ox.QueryResultsFormat | None = field(compare=False)
    w3c_name: str = field(compare=False)
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    tag: tuple[bytes, bytes] | None = field(default=None, compare=False)
    prefixes: Prefixes | None = field(default=None, compare=False)
    rows: RowSyntax | None = field(default=None, compare=False)

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header; media types of text have a charset, which is UTF-8."""
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


# A quote inside a JSON string is escaped, so a quote after `},{` either begins a name or ends a string, and the end of
# a string is followed by punctuation. But a row without bindings is `{}`, which can occur inside a string.
_JSON_ROWS = RowSyntax(
    re.compile(rb"\}(?=,\{(?:\"[^\",:}\]]|\}))"),
    0,
    ']}},"cut":{{"rows":{rows},"next":{next_json}}}}}',
    quoted=True,
    escaped=True,
    sure=re.compile(rb'\}(?=,\{"[^",:}\]])'),
    unsure=b",{}",
)
# `<` is escaped in XML text, and ends of lines are in the literals of TSV and N-Triples.
_XML_ROWS = RowSyntax(re.compile(rb"(?=<result(?:>|/>))"), 1, "</results><!-- cut after {rows} rows{next} --></sparql>")
_LINE = re.compile(rb"\n(?=.)", re.DOTALL)
_TAG_AFTER_STRING = (b'"@', b"")

JSON = Format(
    "json",
    "application/sparql-results+json",
    "srj",
    ox.QueryResultsFormat.JSON,
    "SPARQL_Results_JSON",
    ("srj",),
    ("application/json",),
    tag=(b'"xml:lang":"', b'"'),
    rows=_JSON_ROWS,
)
XML = Format(
    "xml",
    "application/sparql-results+xml",
    "srx",
    ox.QueryResultsFormat.XML,
    "SPARQL_Results_XML",
    ("srx",),
    ("application/xml", "text/xml"),
    tag=(b'<literal xml:lang="', b'"'),
    rows=_XML_ROWS,
)
CSV = Format(
    "csv",
    "text/csv",
    "csv",
    ox.QueryResultsFormat.CSV,
    "SPARQL_Results_CSV",
    rows=RowSyntax(_LINE, 1, "# cut after {rows} rows{next}\r\n", quoted=True),
)
TSV = Format(
    "tsv",
    "text/tab-separated-values",
    "tsv",
    ox.QueryResultsFormat.TSV,
    "SPARQL_Results_TSV",
    tag=_TAG_AFTER_STRING,
    rows=RowSyntax(_LINE, 1, "# cut after {rows} rows{next}\n"),
)
# Every Turtle document is also N3, for which clients use several media types.
_N3 = ("text/n3", "text/rdf+n3", "application/n3")
TURTLE = Format(
    "turtle",
    "text/turtle",
    "ttl",
    ox.RdfFormat.TURTLE,
    "Turtle",
    ("ttl", "n3"),
    ("application/turtle", "application/x-turtle", *_N3),
    tag=_TAG_AFTER_STRING,
    prefixes=Prefixes.DIRECTIVES,
)
N_TRIPLES = Format(
    "ntriples",
    "application/n-triples",
    "nt",
    ox.RdfFormat.N_TRIPLES,
    "N-Triples",
    ("nt", "n-triples"),
    tag=_TAG_AFTER_STRING,
    rows=RowSyntax(_LINE, 0, "# cut after {rows} triples{next}\n"),
)
JSON_LD = Format(
    "jsonld",
    "application/ld+json",
    "jsonld",
    ox.RdfFormat.JSON_LD,
    "JSON-LD",
    ("json-ld", "json"),
    ("application/json",),
    tag=(b'"@language":"', b'"'),
)
RDF_XML = Format(
    "rdfxml",
    "application/rdf+xml",
    "rdf",
    ox.RdfFormat.RDF_XML,
    "RDF_XML",
    ("rdf", "xml"),
    ("application/xml", "text/xml"),
    tag=(b' xml:lang="', b'"'),
    prefixes=Prefixes.ATTRIBUTES,
)
TRIG = Format(
    "trig", "application/trig", "trig", ox.RdfFormat.TRIG, "TriG", tag=_TAG_AFTER_STRING, prefixes=Prefixes.DIRECTIVES
)
N_QUADS = Format(
    "nquads", "application/n-quads", "nq", ox.RdfFormat.N_QUADS, "N-Quads", ("nq", "n-quads"), tag=_TAG_AFTER_STRING
)
HTML = Format("html", "text/html", "html", None, "")

RESULTS: tuple[Format, ...] = (JSON, XML, CSV, TSV)
GRAPHS: tuple[Format, ...] = (TURTLE, N_TRIPLES, JSON_LD, RDF_XML, TRIG, N_QUADS)
FORMATS: tuple[Format, ...] = (*RESULTS, *GRAPHS, HTML)

# The suffixes of files that are read, in lower case, and their formats. N3 is read only as far as it is Turtle.
INPUT_SUFFIXES: Mapping[str, Format] = MappingProxyType(
    {
        ".ttl": TURTLE,
        ".n3": TURTLE,
        ".nt": N_TRIPLES,
        ".nq": N_QUADS,
        ".trig": TRIG,
        ".rdf": RDF_XML,
        ".owl": RDF_XML,
        ".xml": RDF_XML,
        ".jsonld": JSON_LD,
    }
)
COMPRESSED_SUFFIX = ".gz"


def by_name(name: str, offered: Sequence[Format] = FORMATS) -> Format:
    """Return the offered format with this name, alias, file extension or media type; raises UnknownNameError."""
    requested = name.strip().lower()
    for candidate in offered:
        if requested in (candidate.name, candidate.extension, candidate.media_type, *candidate.aliases):
            return candidate
    raise UnknownNameError("format", name, (candidate.name for candidate in offered))
