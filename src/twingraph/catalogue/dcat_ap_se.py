"""The catalogue in DCAT-AP-SE 3, as dataportal.se harvests it: DCAT-AP with other forms of some values.

Licences of Creative Commons and GeoNames' places begin with ``http://``, a format is a media type as text, a contact
is of one type, and a checksum's algorithm has the IRI of its vocabulary (https://docs.dataportal.se/dcat/3.0.1/en/).
"""

from collections.abc import Iterator
from types import MappingProxyType

import pyoxigraph as ox

from twingraph.catalogue.authorities import FILE_TYPES, FILES, RESULTS
from twingraph.catalogue.dcat_ap import ALGORITHM, SPDX, VCARD, catalogue
from twingraph.catalogue.offer import Offer
from twingraph.rdf.formats import JSON
from twingraph.release.void import DCTERMS, RDF, Statement

_HTTP_FORMS = ("https://creativecommons.org/", "https://sws.geonames.org/")
_MEDIA_TYPES = MappingProxyType(
    {FILES.concept(code): format_.media_type for format_, code in FILE_TYPES.items()}
    | {FILES.concept(RESULTS): JSON.media_type}
)


def swedish_catalogue(offer: Offer) -> Iterator[Statement]:
    """Yield the statements of the catalogue, some of them repeatedly."""
    for subject, predicate, value in catalogue(offer):
        if subject in _MEDIA_TYPES or (predicate, value) == (f"{RDF}type", ox.NamedNode(f"{VCARD}Kind")):
            continue
        yield _form(subject), predicate, _value(predicate, value)


def _value(predicate: str, value: ox.NamedNode | ox.Literal) -> ox.NamedNode | ox.Literal:
    if isinstance(value, ox.Literal):
        return value
    if predicate == f"{DCTERMS}format" and value.value in _MEDIA_TYPES:
        return ox.Literal(_MEDIA_TYPES[value.value])
    return ox.NamedNode(_form(value.value))


def _form(iri: str) -> str:
    if iri == ALGORITHM:
        return f"{SPDX}checksumAlgorithm_sha256"
    return f"http://{iri.removeprefix('https://')}" if iri.startswith(_HTTP_FORMS) else iri
