"""The IRIs of a publication: resolved, expanded and shortened here and nowhere else, and which are its own.

The publication's own IRIs begin with its base or with one of its other namespaces. Which forms they have, if any, its
settings say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urljoin

from twingraph.errors import IriError

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
GENID = ".well-known/genid/"


class IriKind(StrEnum):
    """What the IRIs of a form denote; only things and terms have to be defined. Without forms, IRIs are ``free``."""

    THING = "thing"
    TERM = "term"
    GRAPH = "graph"
    OTHER = "other"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class FormPattern:
    """A form of own IRIs: its ``template`` as in the settings, and a pattern of absolute IRIs with a group a part."""

    template: str
    kind: IriKind
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class ParsedIri:
    """The kind of an own IRI, the template of its form, and its part ``folder``; empty if it has none."""

    kind: IriKind
    template: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Iris:
    """The IRIs of a publication: its ``base``, and the prefixes in ``namespaces`` (absolute IRIs).

    ``own`` are its namespaces besides the base, ``forms`` the forms of its own IRIs, which are free without any.
    """

    base: str
    namespaces: Mapping[str, str]
    own: tuple[str, ...] = ()
    forms: tuple[FormPattern, ...] = ()

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

    @property
    def genid(self) -> str:
        """The beginning of the IRIs that replace blank nodes (RDF 1.1 Concepts, section 3.5)."""
        return self.resolve(GENID)

    def owns(self, iri: str) -> bool:
        """Return whether an IRI is the publication's own, and not one that replaces a blank node."""
        return iri.startswith((self.base, *self.own)) and not iri.startswith(self.genid)

    def parse(self, iri: str) -> ParsedIri | None:
        """Return what an own IRI denotes by its form, None if it is not own or has none of the declared forms."""
        if not self.owns(iri):
            return None
        if not self.forms:
            return ParsedIri(IriKind.FREE)
        for form in self.forms:
            if match := form.pattern.fullmatch(iri):
                return ParsedIri(form.kind, form.template, match.groupdict().get("folder") or "")
        return None

    def graph(self, path: str) -> str:
        """Return the IRI of a named graph, whose path may be relative to the base."""
        return self.resolve(path)


def namespace(iri: str) -> str:
    """Return an IRI up to and including its last ``/`` or ``#``."""
    return iri[: max(iri.rfind("/"), iri.rfind("#")) + 1]


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


# RFC 5646, section 2.1; irregular grandfathered tags are not in use.
_LANGUAGE = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?|[xX](?:-[A-Za-z0-9]{1,8})+|[iI](?:-[A-Za-z0-9]{2,8})+"
)


def is_language_tag(tag: str) -> bool:
    """Return whether a language tag is well-formed (RFC 5646, section 2.2.9)."""
    return _LANGUAGE.fullmatch(tag) is not None
