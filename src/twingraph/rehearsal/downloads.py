"""What a harvester does with distributions: download them, compare and parse them, and look some things up."""

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlencode
from xml.parsers.expat import ExpatError, ParserCreate

import pyoxigraph as ox

from twingraph.errors import EndpointError
from twingraph.rdf.formats import GRAPHS, Format
from twingraph.rehearsal.complaints import DCAT, Complaint, Described, error, warning
from twingraph.rehearsal.visiting import Answer, Download, Visitor

_SPDX = "http://spdx.org/rdf/terms#"
_GZIP = "application/gzip"
_REMEDY = "build the release again, or look for a proxy that changes files"
# Of so many subjects, one in so many is looked at.
_SAMPLES, _STRIDE = 8, 37


def distributions(graph: Described, visitor: Visitor) -> Iterator[Complaint]:
    """Yield what is wrong with the distributions and data services of a catalogue."""
    found = graph.instances(f"{DCAT}Distribution")
    if not found:
        yield error("the catalogue has no distribution", "build a release with [dumps]")
    for one in found:
        urls = graph.values(one, f"{DCAT}downloadURL")
        for url in urls or graph.values(one, f"{DCAT}accessURL"):
            try:
                yield from _distribution(graph, one, url, visitor) if urls else _endpoint(url, visitor)
            except EndpointError as failure:
                yield error(f"a distribution cannot be fetched: {failure}", "see whether the server is reachable")


def _distribution(graph: Described, one: str, url: str, visitor: Visitor) -> Iterator[Complaint]:
    with visitor.download(url) as download:
        yield from reached(download.answer, url)
        if download.answer.status != 200:
            return
        packed = graph.values(one, f"{DCAT}compressFormat")
        media_type = _media_type(graph.values(one, f"{DCAT}mediaType"))
        sent = _GZIP if packed else media_type
        if download.answer.media_type != sent:
            yield error(f"<{url}> is sent as {download.answer.media_type or 'nothing'}, not {sent}", _REMEDY)
        yield from _compared(graph, one, url, download)
        yield from _parsed(url, download.path, media_type, is_packed=bool(packed))


def _compared(graph: Described, one: str, url: str, download: Download) -> Iterator[Complaint]:
    for size in graph.values(one, f"{DCAT}byteSize"):
        if int(size) != download.size:
            yield error(f"<{url}> has {download.size} bytes, not {size}", _REMEDY)
    for checksum in graph.values(one, f"{_SPDX}checksum"):
        for value in graph.values(checksum, f"{_SPDX}checksumValue"):
            if value.lower() != download.sha256:
                yield error(f"<{url}> does not match its checksum", _REMEDY)


def _parsed(url: str, path: Path, media_type: str, *, is_packed: bool) -> Iterator[Complaint]:
    format_ = next((one for one in GRAPHS if one.media_type == media_type), None)
    if format_ is None:
        yield warning(f"<{url}> has the media type {media_type or 'of nothing'}, which is none of RDF")
        return
    try:
        with closing(_opened(path, is_packed=is_packed)) as file:
            _check_end(file, format_)
            file.seek(0)
            if not sum(1 for _ in ox.parse(file, format=cast(ox.RdfFormat, format_.engine))):
                yield warning(f"<{url}> has no statements")
    except (SyntaxError, OSError, EOFError) as failure:
        yield error(f"<{url}> does not parse as {format_.name}: {failure}", _REMEDY)


def _check_end(file: IO[bytes], format_: Format) -> None:
    """Raise SyntaxError for XML that is not well-formed: the engine does not miss its end."""
    if format_.is_xml:
        try:
            ParserCreate().ParseFile(file)
        except ExpatError as failure:
            raise SyntaxError(str(failure)) from failure


def _opened(path: Path, *, is_packed: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if is_packed else path.open("rb")


def _media_type(iris: Sequence[str]) -> str:
    return iris[0].partition("/media-types/")[2] if iris else ""


def _endpoint(url: str, visitor: Visitor) -> Iterator[Complaint]:
    answer = visitor.get(f"{url}?{urlencode({'query': 'ASK {}'})}", "application/sparql-results+json")
    yield from reached(answer, url)
    try:
        is_answered = json.loads(answer.body).get("boolean") is True
    except (ValueError, AttributeError):
        is_answered = False
    if not is_answered:
        yield error(f"<{url}> does not answer ASK {{}} with true in JSON")


def reached(answer: Answer, url: str) -> Iterator[Complaint]:
    """Yield complaints about a failure, or more redirects than one."""
    if answer.status != 200:
        yield error(f"<{url}> answers {answer.status}")
    if answer.redirects > 1:
        yield error(f"<{url}> is redirected {answer.redirects} times", "let it lead to its end in one step")


def things(graph: Described, visitor: Visitor) -> Iterator[Complaint]:
    """Yield what is wrong with the documents about some things of the dump in N-Quads."""
    for one in graph.instances(f"{DCAT}Distribution"):
        if _media_type(graph.values(one, f"{DCAT}mediaType")) == "application/n-quads":
            for url in graph.values(one, f"{DCAT}downloadURL"):
                with visitor.download(url) as download:
                    packed = bool(graph.values(one, f"{DCAT}compressFormat"))
                    for thing, triples in _samples(download.path, visitor.public, is_packed=packed):
                        yield from _resolved(thing, triples, visitor)
                return
    yield warning("no dump in N-Quads, so that no thing was compared with its document")


_Triples = set[tuple[str, str]]


def _samples(path: Path, public: str, *, is_packed: bool) -> Iterator[tuple[str, _Triples]]:
    """Yield some things below an address, each with what the dump says of it; a dump is sorted by subject."""

    def every() -> Iterator[tuple[str, _Triples]]:
        last, said = "", _Triples()
        with closing(_opened(path, is_packed=is_packed)) as file:
            for quad in ox.parse(file, format=ox.RdfFormat.N_QUADS):
                subject = str(getattr(quad.subject, "value", ""))
                if subject != last:
                    if last.startswith(public):
                        yield last, said
                    last, said = subject, set()
                said.add(_comparable(quad.predicate, quad.object))
            if last.startswith(public):
                yield last, said

    return islice(every(), 0, _SAMPLES * _STRIDE, _STRIDE)


def _comparable(predicate: ox.NamedNode, value: object) -> tuple[str, str]:
    """Return what of a statement is the same in each engine: literals may have another lexical form."""
    return predicate.value, value.value if isinstance(value, ox.NamedNode) else "literal or blank node"


def _resolved(thing: str, triples: _Triples, visitor: Visitor) -> Iterator[Complaint]:
    remedy = "serve its document, at its own IRI and in Turtle"
    try:
        answer = visitor.get(thing.partition("#")[0], "text/turtle")
    except EndpointError as failure:
        yield error(f"<{thing}> cannot be looked up: {failure}", remedy)
        return
    if answer.status != 200 or answer.redirects > 1:
        yield from reached(answer, thing)
        return
    try:
        graph = Described(ox.parse(answer.body, format=ox.RdfFormat.TURTLE, base_iri=answer.url))
    except (SyntaxError, ValueError) as failure:
        yield error(f"the document of <{thing}> does not parse as Turtle: {failure}", remedy)
        return
    told = {_comparable(p, o) for s, p, o in graph.triples if getattr(s, "value", "") == thing}
    if lacking := triples - told:
        yield error(f"the document of <{thing}> lacks {len(lacking)} statements that the dump has", remedy)


def parsed(answer: Answer, format_: Format) -> Described:
    """Return the graph of an answer; raises SyntaxError."""
    _check_end(io.BytesIO(answer.body), format_)
    return Described(ox.parse(answer.body, format=cast(ox.RdfFormat, format_.engine), base_iri=answer.url))
