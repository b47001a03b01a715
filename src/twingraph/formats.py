"""The representations that can be asked for, and the one function that chooses among them.

Media types and file extensions are those that IANA has registered for the W3C's formats.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from twingraph.errors import NotAcceptableError, UnknownNameError


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
TURTLE = Format("turtle", "text/turtle", "ttl", _G, ("ttl",), ("application/x-turtle",))
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
    wanted = name.strip().lower()
    for candidate in offered:
        if wanted in (candidate.name, candidate.extension, candidate.media_type, *candidate.aliases):
            return candidate
    raise UnknownNameError("format", name, (candidate.name for candidate in offered))


def negotiate(accept: str | None, offered: Sequence[Format]) -> Format:
    """Choose among the formats on offer by an Accept header (RFC 9110, section 12.5.1).

    The quality of a representation is that of the most specific media range it matches; among the best, a
    representation that was named wins over one that a wildcard admits, and then the earlier offered. A format
    chosen by one of its other media types is returned with that one as its media type. An absent or empty
    header, or one in which nothing can be read, accepts everything.

    Raises NotAcceptableError.
    """
    ranges = tuple(_ranges(accept or ""))
    if not ranges:
        return offered[0]
    candidates = (replace(one, media_type=name) for one in offered for name in (one.media_type, *one.also))
    primary = {one.media_type for one in offered}
    ranked = [(_quality(one.media_type, ranges, one.media_type in primary), one) for one in candidates]
    # max() keeps the first of equals, which is the order of the offer.
    (quality, _), best = max(ranked, key=lambda pair: pair[0])
    if quality <= 0:
        raise NotAcceptableError(accept or "", (one.media_type for one in offered))
    return best


@dataclass(frozen=True, slots=True)
class _Range:
    type: str
    subtype: str
    quality: float

    def specificity(self, media_type: str) -> int:
        """Return 2 for the same media type, 1 for ``type/*``, 0 for ``*/*`` and -1 for no match."""
        kind, _, subtype = media_type.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return 2
        if self.subtype != "*":
            return -1
        return {kind: 1, "*": 0}.get(self.type, -1)


_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf"\s*({_TOKEN})\s*=\s*({_TOKEN}|\"(?:[^\"\\]|\\.)*\")\s*")
_ELEMENT = re.compile(r"(?:[^,\"]|\"(?:[^\"\\]|\\.)*\")+")
_SECTION = re.compile(r"(?:[^;\"]|\"(?:[^\"\\]|\\.)*\")+")
_MEDIA_RANGE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*")
_QVALUE = re.compile(r"0(?:\.\d*)?|1(?:\.0*)?")


def _ranges(accept: str) -> Iterator[_Range]:
    """Yield the media ranges that can be read; an element that cannot is skipped, as other servers do."""
    for element in _ELEMENT.findall(accept):
        head, *parameters = _SECTION.findall(element)
        named = _MEDIA_RANGE.fullmatch(head)
        quality = _weight(parameters)
        if named and quality is not None:
            yield _Range(named[1].lower(), named[2].lower(), quality)


def _weight(parameters: Iterable[str]) -> float | None:
    """Return the q of a media range (section 12.4.2), 1 without any, None when it is not a weight.

    Other parameters (``charset=utf-8``, ``profile=...``) do not narrow the choice: each of our formats has one form.
    """
    for parameter in parameters:
        match = _PARAMETER.fullmatch(parameter)
        if match and match[1].lower() == "q":
            return float(match[2]) if _QVALUE.fullmatch(match[2]) else None
    return 1.0


def _quality(media_type: str, ranges: Iterable[_Range], primary: bool) -> tuple[float, int]:
    """Return the quality and specificity of a media type; another name of a format counts only when it is named."""
    matches = [(one.specificity(media_type), one.quality) for one in ranges]
    specificity, quality = max(matches)
    if specificity < (0 if primary else 2):
        return 0.0, -1
    return quality, specificity
