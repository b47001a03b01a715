"""Whether a document in RDF/XML is well-formed, and harmless, before the engine parses it.

The engine's parser does not notice that a document ends early, expands entities without a limit, and takes quadratic
time for depth, attributes and namespaces. So expat reads the whole document first. External entities are never read;
internal ones, which ontologies use for namespaces, may have a limited size and may not refer to one another (XML 1.0,
section 4.3.2).
"""

import re
from collections.abc import Mapping
from typing import NoReturn
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate, errors

from twingraph.errors import FileRefusedError
from twingraph.publication.sources import Source

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OWL_ONTOLOGY = "http://www.w3.org/2002/07/owl# Ontology"
_REFERENCE = re.compile(rb"&([^\s&;#<]{1,200});")
_PREDEFINED = re.compile(r"&(?:lt|gt|amp|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);")
_LONGEST_REFERENCE = 210
_ENDS_EARLY = (errors.codes[errors.XML_ERROR_NO_ELEMENTS], errors.codes[errors.XML_ERROR_UNCLOSED_TOKEN])


def inspect_xml(source: Source) -> None:
    """Read the whole document; raises FileRefusedError, with line and column, when it is not to be parsed."""
    _Inspection(source).run()


class _Inspection:
    """One pass of expat over a document."""

    def __init__(self, source: Source) -> None:
        self._source, self._depth, self._namespaces = source, 0, 0
        self._entities: dict[bytes, int] = {}
        self._parser = ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartNamespaceDeclHandler = self._start_namespace
        self._parser.EndNamespaceDeclHandler = self._end_namespace
        self._parser.EntityDeclHandler = self._declare
        self._parser.SkippedEntityHandler = self._skip
        self._parser.XmlDeclHandler = self._xml

    def run(self) -> None:
        expanded, size, carried = 0, 0, b""
        try:
            for block in self._source.blocks():
                size += len(block)
                text = carried + block
                expanded += self._expansion(text, len(carried))
                # Declarations are in the first block, so the references of that block are counted once they are known.
                self._parser.Parse(block)
                expanded += self._expansion(text, 0) if size == len(block) else 0
                if expanded > self._source.allowance(size):
                    self._refuse(
                        f"its entities stand for more than {self._source.allowance(size):,} bytes", "max_expansion"
                    )
                carried = text[-_LONGEST_REFERENCE:]
            self._parser.Parse(b"", True)
        except ExpatError as error:
            ends_early = error.code in _ENDS_EARLY
            what = "the document ends before its root element does" if ends_early else ErrorString(error.code)
            message = f"not well-formed XML: {what}"
            remedy = "complete or correct the document; none of it was read"
            line, column = error.lineno, error.offset + 1
            raise FileRefusedError(self._source.name, "syntax", message, remedy, line, column) from error

    def _expansion(self, text: bytes, seen: int) -> int:
        """Return the size of what references to declared entities that end after ``seen`` stand for."""
        if not self._entities:
            return 0
        found = (match for match in _REFERENCE.finditer(text) if match.end() > seen)
        return sum(self._entities.get(match[1], 0) for match in found)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self._check_root(name, attributes)
        if self._depth > self._source.limits.max_depth:
            self._refuse(f"its elements are nested deeper than {self._source.limits.max_depth}", "max_depth")
        if len(attributes) > (limit := self._source.limits.max_prefixes):
            self._refuse(f"an element has more than {limit} attributes", "max_prefixes")

    def _end(self, name: str) -> None:
        self._depth -= 1

    def _start_namespace(self, prefix: str | None, iri: str) -> None:
        self._namespaces += 1
        if self._namespaces > (limit := self._source.limits.max_prefixes):
            self._refuse(f"it declares more than {limit} namespaces at once", "max_prefixes")

    def _end_namespace(self, prefix: str | None) -> None:
        self._namespaces -= 1

    def _check_root(self, name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if local.lower() == "html":
            self._not_rdf("this is a page of HTML, not RDF/XML", "download the data itself, not the page about it")
        if name == _OWL_ONTOLOGY and not any(key.startswith(_RDF) for key in attributes):
            self._not_rdf("this is OWL/XML, not RDF/XML", "save the ontology as RDF/XML or Turtle")
        if not namespace:
            reason = f"its root element is {local}, without a namespace, so this is not RDF/XML"
            self._not_rdf(reason, "exclude it under [files], or save it as RDF/XML")

    def _declare(
        self,
        name: str,
        is_parameter: int,
        value: str | None,
        *_: str | None,
    ) -> None:
        remedy = "write out what the entity stands for"
        if is_parameter or value is None:
            self._not_allowed(f"the entity {name} is external or a parameter entity", remedy)
        elif re.search("[&<]", _PREDEFINED.sub("", value)):
            self._not_allowed(f"the entity {name} refers to another entity, or contains markup", remedy)
        elif len(value.encode()) > self._source.limits.max_entity_bytes:
            limit = self._source.limits.max_entity_bytes
            self._refuse(f"the entity {name} is larger than {limit} bytes", "max_entity_bytes")
        else:
            self._entities[name.encode()] = len(value.encode())

    def _skip(self, name: str, is_parameter: int) -> None:
        self._not_allowed(f"the entity {name} is not declared in this document", "declare it, or write it out")

    def _xml(self, version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.upper() not in ("UTF-8", "US-ASCII", "ASCII"):
            remedy = 'save it as UTF-8, with encoding="UTF-8" in its first line; this file was ignored'
            self._raise("file/encoding", f"the document declares the encoding {encoding}", remedy)

    def _not_allowed(self, reason: str, remedy: str) -> NoReturn:
        self._raise("file/limit", reason, f"{remedy}; none of this file was read")

    def _not_rdf(self, reason: str, remedy: str) -> NoReturn:
        self._raise("file/encoding", reason, f"{remedy}; this file was ignored")

    def _refuse(self, reason: str, setting: str) -> NoReturn:
        raise self._source.refused(
            reason, setting, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        )

    def _raise(self, rule: str, reason: str, remedy: str) -> NoReturn:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        raise FileRefusedError(self._source.name, rule, reason, remedy, line, column)
