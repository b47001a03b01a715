"""The profiles in which the catalogue is offered (Content Negotiation by Profile): their names and their documents."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twingraph.catalogue.dcat_ap import PREFIXES, catalogue
from twingraph.catalogue.dcat_ap_se import swedish_catalogue
from twingraph.catalogue.offer import Offer
from twingraph.catalogue.schema_org import to_json
from twingraph.rdf.formats import JSON_LD, N_TRIPLES, RDF_XML, TURTLE, Format
from twingraph.release.void import Statement, serialize
from twingraph.store.output_filters import write_graph

_FORMATS = (TURTLE, RDF_XML, JSON_LD, N_TRIPLES)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile by its ``token`` and its IRIs, the first of which is the one that is told; its formats, best first.

    ``write`` returns the document in a format.
    """

    token: str
    iris: tuple[str, ...]
    title: str
    formats: tuple[Format, ...]
    write: Callable[[Offer, Format], bytes]

    @property
    def iri(self) -> str:
        """The IRI that is told."""
        return self.iris[0]


def _graph(statements: Callable[[Offer], Iterable[Statement]]) -> Callable[[Offer, Format], bytes]:
    def write(offer: Offer, format_: Format) -> bytes:
        tags = {tag for tag in (*offer.languages, *offer.title, *offer.description) if tag != tag.lower()}
        tags |= {tag for names in offer.manifest.place_names.values() for tag in names}
        return write_graph(serialize(statements(offer)), format_, PREFIXES, sorted(tags))

    return write


def _json(offer: Offer, _: Format) -> bytes:
    return to_json(offer)


DCAT_AP = Profile("dcat-ap", ("http://data.europa.eu/r5r/",), "DCAT-AP 3.0.1", _FORMATS, _graph(catalogue))
DCAT_AP_SE = Profile(
    "dcat-ap-se",
    ("https://docs.dataportal.se/dcat/3.0.1/en/", "https://docs.dataportal.se/dcat/3.0.0/en/"),
    "DCAT-AP-SE 3",
    (RDF_XML, TURTLE, JSON_LD, N_TRIPLES),
    _graph(swedish_catalogue),
)
SCHEMA_ORG = Profile(
    "schema.org", ("https://schema.org/", "http://schema.org/"), "schema.org/Dataset", (JSON_LD,), _json
)
PROFILES = (DCAT_AP, DCAT_AP_SE, SCHEMA_ORG)
# Described at an address of its own.
VOID, VOID_IRI = "void", "http://rdfs.org/ns/void"
