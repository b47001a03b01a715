"""Codes of the EU's authority tables and of ADMS, as far as a catalogue uses them, with their English labels.

A catalogue says of each concept to which table it belongs and what it is called, since the shapes of DCAT-AP ask for
that and no harvester can be expected to have the tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyoxigraph as ox

from twingraph.rdf.formats import JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TRIG, TURTLE, Format
from twingraph.release.void import DCTERMS, RDF, Statement

AUTHORITY = "http://publications.europa.eu/resource/authority/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
_ADMS = "http://purl.org/adms/"

# Two-letter tags (ISO 639-1) and the table's codes (ISO 639-3); tags of three letters are the same.
_LANGUAGES = (
    "aaAAR abABK afAFR akAKA amAMH anARG arARA asASM avAVA ayAYM azAZE baBAK beBEL bgBUL biBIS bmBAM bnBEN boBOD brBRE "
    "bsBOS caCAT ceCHE chCHA coCOS crCRE csCES cuCHU cvCHV cyCYM daDAN deDEU dvDIV dzDZO eeEWE elELL enENG eoEPO esSPA "
    "etEST euEUS faFAS ffFUL fiFIN fjFIJ foFAO frFRA fyFRY gaGLE gdGLA glGLG gnGRN guGUJ gvGLV haHAU heHEB hiHIN hoHMO "
    "hrHRV htHAT huHUN hyHYE hzHER iaINA idIND ieILE igIBO iiIII ikIPK ioIDO isISL itITA iuIKU jaJPN jvJAV kaKAT kgKON "
    "kiKIK kjKUA kkKAZ klKAL kmKHM knKAN koKOR krKAU ksKAS kuKUR kvKOM kwCOR kyKIR laLAT lbLTZ lgLUG liLIM lnLIN loLAO "
    "ltLIT luLUB lvLAV mgMLG mhMAH miMRI mkMKD mlMAL mnMON mrMAR msMSA mtMLT myMYA naNAU nbNOB ndNDE neNEP ngNDO nlNLD "
    "nnNNO noNOR nrNBL nvNAV nyNYA ocOCI ojOJI omORM orORI osOSS paPAN piPLI plPOL psPUS ptPOR quQUE rmROH rnRUN roRON "
    "ruRUS rwKIN saSAN scSRD sdSND seSME sgSAG siSIN skSLK slSLV smSMO snSNA soSOM sqSQI srSRP ssSSW stSOT suSUN svSWE "
    "swSWA taTAM teTEL tgTGK thTHA tiTIR tkTUK tlTGL tnTSN toTON trTUR tsTSO ttTAT twTWI tyTAH ugUIG ukUKR urURD uzUZB "
    "veVEN viVIE voVOL waWLN woWOL xhXHO yiYID yoYOR zaZHA zhZHO zuZUL"
)
_LANGUAGE_CODES = MappingProxyType({one[:2]: one[2:] for one in _LANGUAGES.split()})
FILE_TYPES: Mapping[Format, str] = MappingProxyType(
    {
        TURTLE: "RDF_TURTLE",
        N_TRIPLES: "RDF_N_TRIPLES",
        N_QUADS: "RDF_N_QUADS",
        TRIG: "RDF_TRIG",
        JSON_LD: "JSON_LD",
        RDF_XML: "RDF_XML",
    }
)
RESULTS = "SPARQLQRES"

_THEMES = {
    "AGRI": "Agriculture, fisheries, forestry and food",
    "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport",
    "ENER": "Energy",
    "ENVI": "Environment",
    "GOVE": "Government and public sector",
    "HEAL": "Health",
    "INTR": "International issues",
    "JUST": "Justice, legal system and public safety",
    "OP_DATPRO": "Provisional data",
    "REGI": "Regions and cities",
    "SOCI": "Population and society",
    "TECH": "Science and technology",
    "TRAN": "Transport",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of concepts: its IRI, that of its concepts up to their codes, their ``type`` and known ``labels``."""

    iri: str
    start: str
    type: str
    labels: Mapping[str, str]

    def concept(self, code: str) -> str:
        """Return the IRI of a concept."""
        return self.start + code

    def describe(self, code: str) -> Iterator[Statement]:
        """Yield what a catalogue says of a concept and of its table."""
        concept, label = self.concept(code), self.labels.get(code, code)
        yield concept, f"{RDF}type", ox.NamedNode(self.type)
        yield concept, f"{SKOS}inScheme", ox.NamedNode(self.iri)
        yield concept, f"{SKOS}prefLabel", ox.Literal(label, language="en")
        yield self.iri, f"{RDF}type", ox.NamedNode(f"{SKOS}ConceptScheme")
        yield self.iri, f"{DCTERMS}title", ox.Literal(_title(self.iri), language="en")


def _table(name: str, type_: str, labels: Mapping[str, str] | None = None) -> Table:
    return Table(f"{AUTHORITY}{name}", f"{AUTHORITY}{name}/", type_, MappingProxyType(labels or {}))


def _adms(name: str) -> Table:
    return Table(f"{_ADMS}{name}/1.0", f"{_ADMS}{name}/", f"{SKOS}Concept", MappingProxyType({}))


def _title(scheme: str) -> str:
    """Return the name of a table: the last part of its IRI that is no number of a version."""
    return next(part for part in reversed(scheme.split("/")) if not part[:1].isdigit()).replace("-", " ")


THEMES = _table("data-theme", f"{SKOS}Concept", _THEMES)
LANGUAGES = _table("language", f"{DCTERMS}LinguisticSystem")
FREQUENCIES = _table("frequency", f"{DCTERMS}Frequency", {"IRREG": "irregular", "UNKNOWN": "unknown"})
FILES = _table("file-type", f"{DCTERMS}MediaTypeOrExtent")
ACCESS_RIGHTS = _table("access-right", f"{DCTERMS}RightsStatement", {"PUBLIC": "public"})
AVAILABILITIES = _table("planned-availability", f"{SKOS}Concept", {"STABLE": "stable", "AVAILABLE": "available"})
CORPORATE_BODIES = _table("corporate-body", "http://xmlns.com/foaf/0.1/Agent")
PUBLISHER_TYPES, LICENCE_TYPES = _adms("publishertype"), _adms("licencetype")
PLACES = tuple(_table(name, f"{DCTERMS}Location") for name in ("country", "place", "continent"))


def language_code(tag: str) -> str | None:
    """Return the table's code for a language tag, None if it has none: ``zh-Hans`` -> ``ZHO``."""
    first = tag.lower().partition("-")[0]
    return first.upper() if len(first) == 3 else _LANGUAGE_CODES.get(first)


def licence_type(licence: str) -> str | None:
    """Return the type of a licence of Creative Commons by ADMS, None for others."""
    _, found, path = licence.partition("://creativecommons.org/")
    if not found:
        return None
    if path.startswith("publicdomain/"):
        return "PublicDomain"
    terms = path.removeprefix("licenses/").partition("/")[0].split("-")
    types = (("nd", "NoDerivativeWork"), ("nc", "NonCommercialUseOnlyRestriction"), ("sa", "ViralEffect-ShareAlike"))
    return next((name for term, name in types if term in terms), "Attribution" if terms[0] == "by" else None)
