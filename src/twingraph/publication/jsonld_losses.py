"""What a processor of JSON-LD ignores without an error, so that it can be reported.

Properties that no context maps to an IRI, and nodes, types and values whose IRIs are malformed, give no statements
(JSON-LD 1.1 API, sections 5.1.2 and 8.1.2). What is looked at are the contexts of a whole document together, so a term
that is defined somewhere is never reported.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from twingraph.findings import Finding, Location, Severity
from twingraph.processes import gc_paused

# Larger documents are not examined: as Python objects they take ten times their size.
_EXAMINED_BYTES = 100_000_000
_MALFORMED = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_FIRST = 5


@dataclass
class _Terms:
    """What the contexts of a document define."""

    defined: set[str] = field(default_factory=set)
    maps: set[str] = field(default_factory=set)
    json: set[str] = field(default_factory=set)
    iris: set[str] = field(default_factory=lambda: {"@id", "@type"})
    has_vocabulary: bool = False

    def add(self, context: Any) -> None:
        for name, value in context.items() if isinstance(context, dict) else ():
            self.defined.add(name)
            self.has_vocabulary |= name == "@vocab" and value is not None
            definition = value if isinstance(value, dict) else {"@id": value}
            if definition.get("@container") not in (None, "@list", "@set"):
                self.maps.add(name)
            if definition.get("@type") == "@json":
                self.json.add(name)
            if definition.get("@type") == "@id" or definition.get("@id") in ("@id", "@type"):
                self.iris.add(name)


def losses(name: str, content: bytes) -> tuple[Finding, ...]:
    """Return a warning when a document has properties or IRIs that give no statements."""
    if len(content) > _EXAMINED_BYTES:
        return _not_examined(name, f"it has more than {_EXAMINED_BYTES:,} bytes")
    try:
        with gc_paused():
            document = json.loads(content)
            terms = _terms(document) if b"context" in content else _Terms()
            lost = list(dict.fromkeys(_lost(document, terms)))
    except (ValueError, RecursionError):
        return _not_examined(name, "it is nested too deep")
    if not lost:
        return ()
    names = ", ".join(lost[:_FIRST]) + (", ..." if len(lost) > _FIRST else "")
    message = f"JSON-LD ignores what has no IRI or a malformed one, here {len(lost)}: {names}"
    line = content.count(b"\n", 0, max(content.find(json.dumps(lost[0], ensure_ascii=False).encode()), 0)) + 1
    return (_finding(name, message, "define them in the context, or correct the IRIs", Severity.WARNING, line),)


def _not_examined(name: str, reason: str) -> tuple[Finding, ...]:
    message = f"properties without an IRI, which JSON-LD ignores, were not looked for: {reason}"
    return (_finding(name, message, "nothing, if the file is right", Severity.INFO, 1),)


def _finding(name: str, message: str, remedy: str, severity: Severity, line: int) -> Finding:
    return Finding("file/ignored", message, remedy, severity, Location(name, line))


def _terms(document: Any) -> _Terms:
    terms, waiting = _Terms(), [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            context = value.get("@context")
            for each in context if isinstance(context, list) else [context]:
                terms.add(each)
        waiting += _within(value)
    return terms


def _within(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _lost(document: Any, terms: _Terms) -> Iterator[str]:
    """Yield the properties without an IRI, and the malformed IRIs; nothing of what is below a lost property."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict):
            waiting += reversed(_within(value))
            continue
        below = []
        for key, inner in value.items() if "@value" not in value else ():
            if key == "@context" or key in terms.json:
                continue
            if not (key.startswith("@") or ":" in key or key in terms.defined or terms.has_vocabulary):
                yield key
                continue
            if _MALFORMED.search(key):
                yield key
            if key in terms.iris:
                strings = [each for each in (inner, *_within(inner)) if isinstance(each, str)]
                yield from (each for each in strings if _MALFORMED.search(each))
            below += _within(inner) if key in terms.maps else [inner]
        waiting += reversed(below)
