"""The IRIs of a publication: minted, parsed, expanded and shortened here and nowhere else.

The IRIs under the base have one of these forms: things ``id/{type}/{slug}``, terms ``ontology#Term``, named graphs
``graph/...``, releases ``release/{id}``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urljoin

from twingraph.errors import IriError

_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_FORMS = {
    "thing": re.compile(rf"id/(?P<folder>{_SLUG})/(?P<slug>{_SLUG})"),
    "term": re.compile(r"ontology#(?P<slug>[A-Za-z][A-Za-z0-9]*)"),
    "ontology": re.compile(r"ontology"),
    "graph": re.compile(rf"graph/(?P<slug>{_SLUG}(?:/{_SLUG})*)"),
    "release": re.compile(r"release/(?P<slug>[0-9A-Za-z-]+)"),
}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")


class IriKind(StrEnum):
    """The forms of the IRIs under a publication's base."""

    THING = "thing"
    TERM = "term"
    ONTOLOGY = "ontology"
    GRAPH = "graph"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class ParsedIri:
    """The parts of an IRI under the base; ``folder`` is the type of a thing."""

    kind: IriKind
    slug: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Iris:
    """The IRIs under ``base``, and the prefixes in ``namespaces`` (absolute IRIs)."""

    base: str
    namespaces: Mapping[str, str]

    def resolve(self, reference: str) -> str:
        """Return an IRI reference resolved against the base."""
        return resolve(self.base, reference)

    def expand(self, name: str) -> str:
        """Return the IRI that a prefixed name, an ``<iri>`` or an absolute IRI denotes; raises IriError otherwise."""
        if name.startswith("<") and name.endswith(">"):
            return self.resolve(name[1:-1])
        prefix, colon, local = name.partition(":")
        if colon and not local.startswith("//") and prefix in self.namespaces:
            return self.namespaces[prefix] + local
        if _ABSOLUTE.fullmatch(name):
            return name
        raise IriError(name, "neither an absolute IRI nor a name with a prefix from the settings")

    def shorten(self, iri: str) -> str:
        """Return the prefixed name of an IRI, in its longest namespace, or the IRI itself if it has none."""
        fits = [(ns, prefix) for prefix, ns in self.namespaces.items() if iri.startswith(ns) and iri != ns]
        for namespace, prefix in sorted(fits, key=lambda pair: -len(pair[0])):
            local = iri[len(namespace) :]
            if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", local):
                return f"{prefix}:{local}"
        return iri

    def owns(self, iri: str) -> bool:
        """Return whether an IRI is under the base."""
        return iri.startswith(self.base)

    def parse(self, iri: str) -> ParsedIri | None:
        """Return the parts of an IRI under the base, None for any other IRI."""
        path = iri.removeprefix(self.base) if self.owns(iri) else ""
        for kind, form in _FORMS.items():
            if match := form.fullmatch(path):
                parts = match.groupdict()
                return ParsedIri(IriKind(kind), parts.get("slug") or "", parts.get("folder") or "")
        return None

    def graph(self, path: str) -> str:
        """Mint the IRI of a named graph from its path below the base."""
        return self.resolve(path)


def resolve(base: str, reference: str) -> str:
    """Return an IRI reference resolved against ``base`` (RFC 3986, section 5)."""
    resolved = urljoin(base, reference)
    # urljoin drops an empty fragment, with which hash namespaces end.
    return resolved + "#" if reference.endswith("#") and not resolved.endswith("#") else resolved


def canonical_language(tag: str) -> str:
    """Return a language tag in its recommended case (RFC 5646, section 2.1.1): ``zh-hans`` -> ``zh-Hans``."""
    first, *rest = tag.split("-")
    cased = [first.lower()]
    for part in rest:
        after_singleton = any(len(earlier) == 1 for earlier in cased)
        if len(part) == 2 and not after_singleton:
            cased.append(part.upper())
        elif len(part) == 4 and not after_singleton:
            cased.append(part.title())
        else:
            cased.append(part.lower())
    return "-".join(cased)
