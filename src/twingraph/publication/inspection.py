"""What is looked at in a file before it is parsed, so that the engine's parsers are given nothing that harms them.

Triple terms nested tens of thousands deep crash the engine's process; elements of XML nested as deep take it minutes,
in quadratic time.
"""

import re

from twingraph.publication.sources import Source
from twingraph.publication.xml_inspection import inspect_xml
from twingraph.rdf.formats import JSON_LD, RDF_XML

# Comments, strings and IRIs, in which brackets mean nothing; possessive, so that it takes linear time. A string or an
# IRI without an end is a syntax error in any case.
_TRIPLE_TERMS = re.compile(
    rb"#[^\n]*+"
    rb'|"""(?:[^"\\]++|\\.|"(?!""))*+"""'
    rb"|'''(?:[^'\\]++|\\.|'(?!''))*+'''"
    rb'|"(?:[^"\\\n]++|\\.)*+"'
    rb"|'(?:[^'\\\n]++|\\.)*+'"
    rb"|<[^<>\s]++>"
    rb"|(?P<open><<)|(?P<close>>>)",
    re.DOTALL,
)
_JSON_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
_JSON = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(?P<open>[\[{])|(?P<close>[\]}])', re.DOTALL)


def inspect(source: Source) -> int:
    """Return the size of the content in bytes; raises FileRefusedError when the file is not to be parsed."""
    format_ = source.format
    if format_ is RDF_XML:
        inspect_xml(source)
    size, opened, before = 0, 0, b""
    is_json = format_ is JSON_LD
    for block in source.blocks():
        size += len(block)
        opened += block.count(b"{") + block.count(b"[") if is_json else (before + block).count(b"<<")
        before = block[-1:]
    if opened > source.limits.max_depth and is_json and _may_be_deep(source.content(), source.limits.max_depth):
        _check_depth(source, _JSON, "objects and lists")
    elif opened > source.limits.max_depth and format_ not in (RDF_XML, JSON_LD):
        _check_depth(source, _TRIPLE_TERMS, "triple terms")
    return size


def _may_be_deep(content: bytes, depth: int) -> bool:
    """Return whether JSON can be nested deeper: removing pairs of brackets ``depth`` times does not remove them all."""
    brackets = _JSON_STRING.sub(b"", content).translate(_BRACKETS, _NOT_BRACKETS)
    for _ in range(depth):
        inner = brackets.replace(b"()", b"")
        if inner == brackets:
            break
        brackets = inner
    return b"(" in brackets


def _check_depth(source: Source, pattern: re.Pattern[bytes], what: str) -> None:
    content, depth = source.content(), 0
    for match in pattern.finditer(content):
        if match.lastgroup == "open":
            depth += 1
            if depth > source.limits.max_depth:
                line, start = content.count(b"\n", 0, match.start()) + 1, content.rfind(b"\n", 0, match.start())
                reason = f"its {what} are nested deeper than {source.limits.max_depth}"
                raise source.refused(reason, "max_depth", line, match.start() - start)
        elif match.lastgroup == "close":
            depth = max(depth - 1, 0)
