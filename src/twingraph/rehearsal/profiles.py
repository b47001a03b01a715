"""Each harvester in turn: what it fetches, in which order, and what it wants there."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from xml.etree import ElementTree

import pyoxigraph as ox

from twingraph.catalogue.dcat_ap import FOAF, VCARD
from twingraph.catalogue.profiles import DCAT_AP, DCAT_AP_SE, SCHEMA_ORG, VOID, Profile
from twingraph.errors import EndpointError
from twingraph.rdf.formats import RDF_XML, TURTLE, Format
from twingraph.rehearsal.complaints import (
    DCAT,
    DCTERMS,
    RDF_TYPE,
    Complaint,
    Wants,
    error,
    missing,
    unusual_nodes,
    warning,
)
from twingraph.rehearsal.downloads import distributions, parsed, reached, things
from twingraph.rehearsal.visiting import Answer, Visitor
from twingraph.release.void import VOID as VOID_NAMESPACE

_CATALOGUE = f"{DCAT}Catalog"
WANTS: Wants = MappingProxyType(
    {
        _CATALOGUE: (
            (f"{DCTERMS}title", True, "title"),
            (f"{DCTERMS}description", True, "description"),
            (f"{DCTERMS}publisher", True, "publisher"),
            (f"{DCAT}dataset", True, ""),
            (f"{DCTERMS}license", False, "licence"),
            (f"{DCTERMS}language", False, "languages"),
        ),
        f"{DCAT}Dataset": (
            (f"{DCTERMS}title", True, "title"),
            (f"{DCTERMS}description", True, "description"),
            (f"{DCAT}contactPoint", False, "contact"),
            (f"{DCAT}distribution", False, "dumps.formats"),
            (f"{DCAT}keyword", False, "catalogue.keywords"),
            (f"{DCAT}theme", False, "catalogue.themes"),
            (f"{DCTERMS}publisher", False, "publisher"),
            (f"{DCTERMS}spatial", False, "catalogue.spatial"),
            (f"{DCTERMS}temporal", False, "catalogue.temporal_properties"),
        ),
        f"{DCAT}Distribution": (
            (f"{DCAT}accessURL", True, ""),
            (f"{DCTERMS}license", False, "licence"),
            (f"{DCTERMS}format", False, ""),
            (f"{DCTERMS}description", False, ""),
        ),
        f"{DCAT}DataService": ((f"{DCTERMS}title", True, "title"), (f"{DCAT}endpointURL", True, "")),
        f"{FOAF}Agent": (
            (f"{FOAF}name", True, "publisher.name"),
            (f"{DCTERMS}type", False, "catalogue.publisher_type"),
        ),
    }
)
_SWEDISH_WANTS: Wants = MappingProxyType(
    {
        _CATALOGUE: ((f"{DCTERMS}license", True, "licence"),),
        f"{FOAF}Agent": ((f"{DCTERMS}type", True, "catalogue.publisher_type"),),
        f"{VCARD}Organization": (
            (f"{VCARD}fn", True, "contact.name"),
            (f"{VCARD}hasEmail", True, "catalogue.contact_email"),
        ),
    }
)
# What a description in schema.org's vocabulary should have, and the setting that provides it.
_WANTED_OF_A_DATASET = MappingProxyType(
    {
        "license": "licence",
        "keywords": "catalogue.keywords",
        "temporalCoverage": "catalogue.temporal_properties",
        "spatialCoverage": "catalogue.spatial",
        "distribution": "dumps.formats",
    }
)
_SAMPLED_PAGES = 5


def visit(profile: str, visitor: Visitor) -> Iterator[Complaint]:
    """Yield what the harvester of a profile, one of `HARVESTERS`, complains about."""
    try:
        yield from HARVESTERS[profile](visitor)
    except EndpointError as failure:
        yield error(str(failure), "see whether the server runs and whether --url is its address")


def _dcat_ap(visitor: Visitor) -> Iterator[Complaint]:
    """Fetch the catalogue in each syntax, follow it to everything that it names, and look some things up."""
    graphs = {}
    for format_ in DCAT_AP.formats:
        for path, accept in (("catalog", format_.media_type), (f"catalog.{format_.extension}", "*/*")):
            answer = visitor.get(path, accept)
            yield from _arrived(answer, path, format_, DCAT_AP)
            try:
                graphs[path, format_.name] = parsed(answer, format_)
            except SyntaxError as failure:
                yield error(f"{path} does not parse as {format_.name}: {failure}")
    sizes = {len(graph.triples) for graph in graphs.values()}
    if len(sizes) > 1:
        yield error(f"the syntaxes of the catalogue differ: {', '.join(map(str, sorted(sizes)))} statements")
    graph = next(iter(graphs.values()), None)
    if graph:
        yield from unusual_nodes(graph)
        yield from missing(graph, WANTS)
        yield from distributions(graph, visitor)
        yield from things(graph, visitor)


def _arrived(answer: Answer, path: str, format_: Format, profile: Profile) -> Iterator[Complaint]:
    yield from reached(answer, path)
    if answer.media_type != format_.media_type:
        yield error(f"{path} is sent as {answer.media_type or 'nothing'}, not {format_.media_type}")
    if f'<{profile.iri}>; rel="profile"' not in answer.headers.get("Link", ""):
        yield warning(f"{path} does not say its profile in Link")


def _dcat_ap_se(visitor: Visitor) -> Iterator[Complaint]:
    """Fetch RDF/XML from one address, as dataportal.se does, and look at the forms of values."""
    path = f"catalog.{RDF_XML.extension}?profile={DCAT_AP_SE.token}"
    answer = visitor.get(path)
    yield from _arrived(answer, path, RDF_XML, DCAT_AP_SE)
    try:
        graph = parsed(answer, RDF_XML)
    except SyntaxError as failure:
        yield error(f"{path} does not parse as RDF/XML: {failure}")
        return
    yield from unusual_nodes(graph)
    yield from missing(graph, WANTS)
    yield from missing(graph, _SWEDISH_WANTS)
    for subject, predicate, value in graph.triples:
        name = predicate.value
        if name == f"{DCTERMS}license" and str(getattr(value, "value", "")).startswith("https://creativecommons.org/"):
            yield error(f"the licence of <{subject}> begins with https", "dataportal.se wants the http form")
        if name == f"{DCTERMS}publisher" and not isinstance(value, ox.NamedNode):
            yield error(f"the publisher of {subject} has no IRI", "set catalogue.publisher_iri in twingraph.toml")
    for contact in graph.instances(f"{VCARD}Organization"):
        if len(graph.values(contact, RDF_TYPE)) != 1:
            yield error(f"the contact <{contact}> has several types")
    yield from distributions(graph, visitor)


def _schema_org(visitor: Visitor) -> Iterator[Complaint]:
    """Read the home page as a search engine for datasets does, and what crawlers read before."""
    page = visitor.get("", "text/html").body.decode(errors="replace")
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    if len(found) != 1:
        yield error(f"the home page has {len(found)} descriptions in JSON-LD instead of one")
        return
    try:
        dataset = json.loads(found[0])
    except ValueError as failure:
        yield error(f"the description in the home page is not JSON: {failure}")
        return
    yield from _dataset(dataset)
    for one in dataset.get("distribution", ()):
        answer = visitor.get(one.get("contentUrl", ""), method="HEAD")
        yield from reached(answer, one.get("contentUrl", ""))
    yield from _crawled(visitor)


def _dataset(dataset: Mapping[str, object]) -> Iterator[Complaint]:
    if dataset.get("@type") != "Dataset":
        yield error("the description in the home page is not of a Dataset")
    if not dataset.get("name"):
        yield error("the dataset has no name", "set title in twingraph.toml")
    if not 50 <= len(str(dataset.get("description", ""))) <= 5000:
        yield error("the description has not between 50 and 5000 characters", "set description.en in twingraph.toml")
    for name, setting in _WANTED_OF_A_DATASET.items():
        if not dataset.get(name):
            yield warning(f"the dataset has no {name}", f"set {setting} in twingraph.toml")


def _crawled(visitor: Visitor) -> Iterator[Complaint]:
    robots = visitor.get("robots.txt").body.decode(errors="replace")
    maps = re.findall(r"(?m)^Sitemap: (\S+)", robots)
    if not maps:
        yield warning("robots.txt names no sitemap")
    pages = [page for one in maps for page in _pages(visitor, one)]
    for page in pages[:: max(1, len(pages) // _SAMPLED_PAGES)][:_SAMPLED_PAGES]:
        yield from reached(visitor.get(page, "text/html"), page)
    security = visitor.get(".well-known/security.txt")
    expires = re.search(r"(?m)^Expires: (\S+)", security.body.decode(errors="replace"))
    if security.status != 200:
        yield warning("there is no security.txt", "set security.contact and security.expires in twingraph.toml")
    elif expires and datetime.fromisoformat(expires[1]) < datetime.now(UTC):
        yield error("security.txt has expired", "set security.expires in twingraph.toml")


def _pages(visitor: Visitor, sitemap: str) -> list[str]:
    """Return the addresses in a sitemap, of an index those of its first part."""
    root = ElementTree.fromstring(visitor.get(sitemap).body)
    found = [one.text or "" for one in root.iter() if one.tag.endswith("}loc")]
    return _pages(visitor, found[0]) if root.tag.endswith("}sitemapindex") and found else found


def _void(visitor: Visitor) -> Iterator[Complaint]:
    """Read the description of the dataset, and look up the resources that it gives as examples."""
    answer = visitor.get(".well-known/void", TURTLE.media_type)
    yield from reached(answer, ".well-known/void")
    graph = parsed(answer, TURTLE)
    datasets = graph.instances(f"{VOID_NAMESPACE}Dataset")
    whole = [one for one in datasets if graph.values(one, f"{VOID_NAMESPACE}sparqlEndpoint")]
    if not whole:
        yield error("VoID names no SPARQL endpoint")
    for one in whole:
        for example in graph.values(one, f"{VOID_NAMESPACE}exampleResource"):
            if example.startswith(visitor.public):
                yield from reached(visitor.get(example.partition("#")[0], TURTLE.media_type), example)


HARVESTERS: Mapping[str, Callable[[Visitor], Iterator[Complaint]]] = MappingProxyType(
    {DCAT_AP.token: _dcat_ap, DCAT_AP_SE.token: _dcat_ap_se, SCHEMA_ORG.token: _schema_org, VOID: _void}
)


def public_address(visitor: Visitor) -> str:
    """Return the address that a catalogue says the server has; raises EndpointError when it says none."""
    answer = visitor.get(f"catalog.{TURTLE.extension}")
    try:
        graph = parsed(answer, TURTLE)
    except SyntaxError as failure:
        raise EndpointError(answer.url, f"is no catalogue in Turtle: {failure}", answer.status) from failure
    pages = [page for one in graph.instances(_CATALOGUE) for page in graph.values(one, f"{FOAF}homepage")]
    if not pages:
        raise EndpointError(answer.url, "is no catalogue with a home page", answer.status)
    return pages[0]
