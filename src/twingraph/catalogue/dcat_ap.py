"""The catalogue in DCAT-AP 3.0.1: every resource has an absolute IRI, and none is a blank node."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import pyoxigraph as ox

from twingraph.catalogue.authorities import (
    ACCESS_RIGHTS,
    AVAILABILITIES,
    CORPORATE_BODIES,
    FILE_TYPES,
    FILES,
    FREQUENCIES,
    LANGUAGES,
    LICENCE_TYPES,
    PLACES,
    PUBLISHER_TYPES,
    RESULTS,
    THEMES,
    Table,
    language_code,
    licence_type,
)
from twingraph.catalogue.offer import Offer, graph_name
from twingraph.rdf.formats import GRAPHS
from twingraph.rdf.terms import XSD
from twingraph.release.dumps import Dump
from twingraph.release.manifest import Box
from twingraph.release.void import DCTERMS, RDF, RDFS, Statement

DCAT = "http://www.w3.org/ns/dcat#"
FOAF = "http://xmlns.com/foaf/0.1/"
VCARD = "http://www.w3.org/2006/vcard/ns#"
# The official shapes of DCAT-AP 3.0.1 want the algorithm's IRI to begin with https, unlike the vocabulary's own.
SPDX, ALGORITHM = "http://spdx.org/rdf/terms#", "https://spdx.org/rdf/terms#checksumAlgorithm_sha256"
_ADMS = "http://www.w3.org/ns/adms#"
_DCATAP = "http://data.europa.eu/r5r/"
_IANA = "https://www.iana.org/assignments/media-types/"
_WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
PROTOCOL, GRAPH_STORE = "https://www.w3.org/TR/sparql11-protocol/", "https://www.w3.org/TR/sparql11-http-rdf-update/"
PREFIXES = {
    "adms": _ADMS,
    "dcat": DCAT,
    "dcatap": _DCATAP,
    "dcterms": DCTERMS,
    "foaf": FOAF,
    "geosparql": "http://www.opengis.net/ont/geosparql#",
    "rdf": RDF,
    "rdfs": RDFS,
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}


def catalogue(offer: Offer) -> Iterator[Statement]:
    """Yield the statements of the catalogue, some of them repeatedly."""
    yield from _catalogue(offer)
    yield from _dataset(offer)
    for dump in offer.manifest.dumps:
        yield from _dump(offer, dump)
    yield from _endpoint(offer)
    yield from _services(offer)
    yield from _publisher(offer)
    yield from _contact(offer)
    yield from _licence(offer)


def _link(subject: str, predicate: str, *objects: str) -> Iterator[Statement]:
    for one in objects:
        yield subject, predicate, ox.NamedNode(one)


def _texts(subject: str, predicate: str, texts: Mapping[str, str]) -> Iterator[Statement]:
    for tag, text in texts.items():
        yield subject, predicate, ox.Literal(text, language=tag)


def _typed(subject: str, predicate: str, text: str, datatype: str) -> Iterator[Statement]:
    yield subject, predicate, ox.Literal(text, datatype=ox.NamedNode(XSD + datatype))


def _concept(subject: str, predicate: str, table: Table, *codes: str) -> Iterator[Statement]:
    for code in codes:
        yield from _link(subject, predicate, table.concept(code))
        yield from table.describe(code)


def _named(subject: str, kind: str) -> Iterator[Statement]:
    yield from _link(subject, f"{RDF}type", kind)


def _dates(offer: Offer, subject: str) -> Iterator[Statement]:
    for name in ("issued", "modified"):
        yield from _typed(subject, f"{DCTERMS}{name}", offer.manifest.created, "dateTime")


def _languages(offer: Offer, subject: str) -> Iterator[Statement]:
    codes = dict.fromkeys(code for tag in offer.languages if (code := language_code(tag)))
    yield from _concept(subject, f"{DCTERMS}language", LANGUAGES, *codes)


def _resource(offer: Offer, subject: str) -> Iterator[Statement]:
    """Yield what datasets and data services have in common."""
    settings = offer.manifest.catalogue
    yield from _link(subject, f"{DCTERMS}publisher", publisher(offer))
    yield from _link(subject, f"{DCAT}contactPoint", offer.part("contact"))
    yield from _concept(subject, f"{DCAT}theme", THEMES, *(settings.themes or ("OP_DATPRO",)))
    yield from _concept(subject, f"{DCTERMS}accessRights", ACCESS_RIGHTS, settings.access_rights)
    for tag, words in offer.keywords.items():
        for word in words:
            yield from _texts(subject, f"{DCAT}keyword", {tag: word})
    yield from _page(subject, f"{DCAT}landingPage", offer.root)


def _page(subject: str, predicate: str, url: str) -> Iterator[Statement]:
    yield from _link(subject, predicate, url)
    yield from _named(url, f"{FOAF}Document")


def _licensed(offer: Offer, subject: str) -> Iterator[Statement]:
    if offer.manifest.licence:
        yield from _link(subject, f"{DCTERMS}license", offer.manifest.licence)


def _catalogue(offer: Offer) -> Iterator[Statement]:
    subject = offer.catalogue
    yield from _named(subject, f"{DCAT}Catalog")
    yield from _texts(subject, f"{DCTERMS}title", offer.title)
    yield from _texts(subject, f"{DCTERMS}description", offer.description)
    yield from _link(subject, f"{DCTERMS}publisher", publisher(offer))
    yield from _link(subject, f"{DCAT}dataset", offer.dataset)
    yield from _link(subject, f"{DCAT}service", *(offer.part(name) for name in ("sparql", "graph-store")))
    yield from _link(subject, f"{DCAT}themeTaxonomy", THEMES.iri)
    yield from _page(subject, f"{FOAF}homepage", offer.root)
    yield from _languages(offer, subject)
    yield from _licensed(offer, subject)
    yield from _dates(offer, subject)
    yield from _places(offer, subject)


def _dataset(offer: Offer) -> Iterator[Statement]:
    subject, manifest = offer.dataset, offer.manifest
    yield from _named(subject, f"{DCAT}Dataset")
    yield from _texts(subject, f"{DCTERMS}title", offer.title)
    yield from _texts(subject, f"{DCTERMS}description", offer.description)
    yield subject, f"{DCTERMS}identifier", ox.Literal(subject)
    yield subject, f"{DCAT}version", ox.Literal(manifest.id)
    yield from _texts(subject, f"{_ADMS}versionNotes", offer.version_notes)
    yield from _resource(offer, subject)
    yield from _languages(offer, subject)
    yield from _dates(offer, subject)
    yield from _places(offer, subject)
    yield from _times(offer, subject)
    yield from _concept(subject, f"{DCTERMS}accrualPeriodicity", FREQUENCIES, manifest.catalogue.frequency)
    for standard in (*manifest.coverage.ontologies, *filter(None, [offer.shapes]), *manifest.catalogue.conforms_to):
        yield from _standard(subject, standard)
    yield from _link(subject, f"{DCTERMS}provenance", offer.part("provenance"))
    yield from _named(offer.part("provenance"), f"{DCTERMS}ProvenanceStatement")
    yield from _texts(offer.part("provenance"), f"{RDFS}label", offer.provenance)
    for one in ("sparql-endpoint", *(_dump_name(dump) for dump in manifest.dumps)):
        yield from _link(subject, f"{DCAT}distribution", offer.part("distribution", one))


def _standard(subject: str, standard: str) -> Iterator[Statement]:
    yield from _link(subject, f"{DCTERMS}conformsTo", standard)
    yield from _named(standard, f"{DCTERMS}Standard")


def _times(offer: Offer, subject: str) -> Iterator[Statement]:
    covered = offer.manifest.coverage
    if covered.earliest and covered.latest:
        period = offer.part("temporal")
        yield from _link(subject, f"{DCTERMS}temporal", period)
        yield from _named(period, f"{DCTERMS}PeriodOfTime")
        yield from _typed(period, f"{DCAT}startDate", covered.earliest, "date")
        yield from _typed(period, f"{DCAT}endDate", covered.latest, "date")


def _places(offer: Offer, subject: str) -> Iterator[Statement]:
    """Yield the places of the settings, else those of the data with an authority's IRI, else the box of the data."""
    manifest = offer.manifest
    covered = manifest.coverage
    if manifest.catalogue.spatial:
        for given in manifest.catalogue.spatial:
            west, south, east, north = given.bbox or (0, 0, 0, 0)
            box = Box(west=west, south=south, east=east, north=north) if given.bbox else None
            yield from _place(subject, given.iri, box, {"en": given.name} if given.name else {})
    elif covered.places:
        for one in covered.places:
            yield from _place(subject, one.iri, one.box, manifest.place_names.get(one.thing, {}))
    elif covered.box:
        yield from _place(subject, offer.part("spatial"), covered.box, {})


def _place(subject: str, place: str, box: Box | None, names: Mapping[str, str]) -> Iterator[Statement]:
    yield from _link(subject, f"{DCTERMS}spatial", place)
    yield from _named(place, f"{DCTERMS}Location")
    for tag, name in names.items():
        yield place, f"{RDFS}label", ox.Literal(name, language=tag) if tag else ox.Literal(name)
    for table in PLACES:
        if place.startswith(table.start):
            yield from table.describe(place.removeprefix(table.start))
    if box:
        datatype = ox.NamedNode(_WKT)
        yield place, f"{DCAT}bbox", ox.Literal(_polygon(box), datatype=datatype)
        yield place, f"{DCAT}centroid", ox.Literal(_centroid(box), datatype=datatype)


def _polygon(box: Box) -> str:
    west, south, east, north = (f"{one:.6g}" for one in (box.west, box.south, box.east, box.north))
    return f"POLYGON(({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}))"


def _centroid(box: Box) -> str:
    # A box that crosses the antimeridian has its western bound east of its eastern one.
    east = box.east + 360 if box.east < box.west else box.east
    middle = (box.west + east) / 2
    return f"POINT({middle - 360 if middle > 180 else middle:.6g} {(box.south + box.north) / 2:.6g})"


def _dump_name(dump: Dump) -> str:
    return dump.path.removeprefix("dumps/")


def _distribution(offer: Offer, subject: str, title: str, description: str) -> Iterator[Statement]:
    yield from _named(subject, f"{DCAT}Distribution")
    yield from _texts(subject, f"{DCTERMS}title", {"en": title})
    yield from _texts(subject, f"{DCTERMS}description", {"en": description})
    yield from _licensed(offer, subject)
    yield from _languages(offer, subject)
    yield from _dates(offer, subject)
    yield from _concept(subject, f"{_DCATAP}availability", AVAILABILITIES, offer.manifest.catalogue.availability)


def _dump(offer: Offer, dump: Dump) -> Iterator[Statement]:
    subject, url, format_ = offer.part("distribution", _dump_name(dump)), offer.dump_url(dump), dump.syntax
    yield from _distribution(offer, subject, *dump_texts(offer, dump))
    yield from _link(subject, f"{DCAT}accessURL", url)
    yield from _link(subject, f"{DCAT}downloadURL", url)
    yield from _concept(subject, f"{DCTERMS}format", FILES, FILE_TYPES[format_])
    yield from _media_type(subject, f"{DCAT}mediaType", format_.media_type)
    if dump.is_compressed:
        yield from _media_type(subject, f"{DCAT}compressFormat", "application/gzip")
    yield from _typed(subject, f"{DCAT}byteSize", str(dump.bytes), "nonNegativeInteger")
    checksum = offer.part("checksum", _dump_name(dump))
    yield from _link(subject, f"{SPDX}checksum", checksum)
    yield from _named(checksum, f"{SPDX}Checksum")
    yield from _link(checksum, f"{SPDX}algorithm", ALGORITHM)
    yield from _named(ALGORITHM, f"{SPDX}ChecksumAlgorithm")
    yield from _typed(checksum, f"{SPDX}checksumValue", dump.sha256, "hexBinary")


def dump_texts(offer: Offer, dump: Dump) -> tuple[str, str]:
    """Return the title and the description of a dump."""
    syntax = dump.syntax.w3c_name.replace("_", "/")
    packed = ", compressed with gzip" if dump.is_compressed else ""
    if dump.graph is None:
        what = "All statements, with their named graphs" if _has_graphs(dump) else "All statements, without graphs"
        title = f"Everything in {syntax}"
    else:
        name = graph_name(dump.graph, offer.manifest.base_iri)
        what, title = f"The statements of {name}", f"{name} in {syntax}"
    missing = f"{dump.omitted:,} of them, which {syntax} cannot represent, are only in the N-Quads; "
    return title, f"{what}{packed}; {missing if dump.omitted else ''}release {offer.manifest.id}."


def _has_graphs(dump: Dump) -> bool:
    return cast(ox.RdfFormat, dump.syntax.engine).supports_datasets


def _media_type(subject: str, predicate: str, media_type: str) -> Iterator[Statement]:
    yield from _link(subject, predicate, _IANA + media_type)
    yield from _named(_IANA + media_type, f"{DCTERMS}MediaType")


def _endpoint(offer: Offer) -> Iterator[Statement]:
    subject = offer.part("distribution", "sparql-endpoint")
    yield from _distribution(offer, subject, "SPARQL endpoint", "Queries in SPARQL 1.1 over the current release.")
    yield from _link(subject, f"{DCAT}accessURL", offer.url("sparql"))
    yield from _link(subject, f"{DCAT}accessService", offer.part("sparql"))
    yield from _concept(subject, f"{DCTERMS}format", FILES, RESULTS)
    yield from _media_type(subject, f"{DCAT}mediaType", "application/sparql-results+json")
    yield from _standard(subject, PROTOCOL)


def _services(offer: Offer) -> Iterator[Statement]:
    rdf = tuple(FILE_TYPES[one] for one in GRAPHS)
    sparql = ("SPARQL endpoint", "Queries in SPARQL 1.1, by GET and POST.", PROTOCOL, (RESULTS, *rdf))
    yield from _service(offer, "sparql", *sparql, description_of="sparql")
    store = ("Graph store", "Whole named graphs (SPARQL 1.1 Graph Store HTTP Protocol).", GRAPH_STORE, rdf)
    yield from _service(offer, "graph-store", *store, description_of="openapi.json")


def _service(
    offer: Offer, name: str, title: str, text: str, standard: str, types: Iterable[str], description_of: str
) -> Iterator[Statement]:
    subject = offer.part(name)
    yield from _named(subject, f"{DCAT}DataService")
    yield from _texts(subject, f"{DCTERMS}title", {tag: f"{one}: {title}" for tag, one in offer.title.items()})
    yield from _texts(subject, f"{DCTERMS}description", {"en": text})
    yield from _link(subject, f"{DCAT}endpointURL", offer.url(name))
    yield from _link(subject, f"{DCAT}endpointDescription", offer.url(description_of))
    yield from _link(subject, f"{DCAT}servesDataset", offer.dataset)
    yield from _standard(subject, standard)
    yield from _concept(subject, f"{DCTERMS}format", FILES, *types)
    yield from _resource(offer, subject)
    yield from _licensed(offer, subject)


def publisher(offer: Offer) -> str:
    """Return the IRI of the publisher."""
    return offer.manifest.catalogue.publisher_iri or offer.part("publisher")


def _publisher(offer: Offer) -> Iterator[Statement]:
    subject, manifest = publisher(offer), offer.manifest
    agent = manifest.publisher
    yield from _named(subject, f"{FOAF}Agent")
    # Whoever has the host publishes what is on it, even if the settings do not say who that is.
    yield subject, f"{FOAF}name", ox.Literal(agent.name if agent else offer.host)
    yield from _page(subject, f"{FOAF}homepage", agent.url if agent else offer.root)
    if subject.startswith(CORPORATE_BODIES.start):
        yield from CORPORATE_BODIES.describe(subject.removeprefix(CORPORATE_BODIES.start))
    if manifest.catalogue.publisher_type:
        yield from _concept(subject, f"{DCTERMS}type", PUBLISHER_TYPES, manifest.catalogue.publisher_type)


def _contact(offer: Offer) -> Iterator[Statement]:
    subject, manifest = offer.part("contact"), offer.manifest
    agent = manifest.contact or manifest.publisher
    yield from _named(subject, f"{VCARD}Kind")
    yield from _named(subject, f"{VCARD}Organization")
    yield subject, f"{VCARD}fn", ox.Literal(agent.name if agent else offer.host)
    yield from _link(subject, f"{VCARD}hasURL", agent.url if agent else offer.root)
    if manifest.catalogue.contact_email:
        yield from _link(subject, f"{VCARD}hasEmail", f"mailto:{manifest.catalogue.contact_email}")


def _licence(offer: Offer) -> Iterator[Statement]:
    licence = offer.manifest.licence
    if licence:
        yield from _named(licence, f"{DCTERMS}LicenseDocument")
        kind = offer.manifest.catalogue.licence_type or licence_type(licence)
        if kind:
            yield from _concept(licence, f"{DCTERMS}type", LICENCE_TYPES, kind)
