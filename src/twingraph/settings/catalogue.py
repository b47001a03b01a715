"""The sections about the catalogue, the dumps and what crawlers look for; all of them optional."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from twingraph.errors import UnknownNameError
from twingraph.rdf.formats import GRAPHS, JSON_LD, N_TRIPLES, RDF_XML, TRIG, TURTLE, by_name
from twingraph.rdf.iris import is_language_tag
from twingraph.settings.sections import NaturalInt, Section, absolute_iri

_CODE = re.compile(r"[A-Za-z0-9_-]+(?:\(s\))?")
_DUMPED = tuple(one for one in GRAPHS if one != N_TRIPLES)
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Place(Section):
    """A part of the world that the data are about."""

    iri: str
    """Its IRI: a country, place or continent of the EU's authority tables, or of GeoNames."""
    name: str = ""
    """Its name."""
    bbox: tuple[Degrees, Degrees, Degrees, Degrees] | None = None
    """Its bounds in degrees: west, south, east, north."""

    @field_validator("iri")
    @classmethod
    def _is_iri(cls, value: str) -> str:
        return absolute_iri(value)

    @field_validator("bbox")
    @classmethod
    def _is_box(cls, value: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
        if value and not (-90 <= value[1] <= value[3] <= 90):
            raise ValueError("must be west, south, east, north, with south and north between -90 and 90")
        return value


class Catalogue(Section):
    """What the catalogue (DCAT-AP) says besides what the publication says of itself."""

    themes: tuple[str, ...] = ()
    """Codes of the EU's data themes, such as `GOVE` or `REGI`; without any, `OP_DATPRO` (provisional data)."""
    keywords: dict[str, tuple[str, ...]] = Field(default={})
    """Keywords by language; without any, the labels of the largest classes."""
    frequency: str = "IRREG"
    """The code of the EU's frequencies that says how often there is a release."""
    spatial: tuple[Place, ...] = ()
    """Places that the data are about; without any, those with coordinates in the data."""
    spatial_properties: tuple[str, ...] = ()
    """Only values of these properties count as places of the data; without any, all that have coordinates."""
    temporal_properties: tuple[str, ...] = ()
    """Only values of these properties count as dates of the data; without any, all but those of records."""
    publisher_iri: str | None = None
    """The IRI of the publisher, such as one of the EU's corporate bodies; without one, an IRI under the base."""
    publisher_type: str | None = None
    """The type of the publisher by ADMS, such as `NonProfitOrganisation` or `LocalAuthority`."""
    contact_email: str | None = None
    """The e-mail address of an office, never of a person; dataportal.se requires one."""
    licence_type: str | None = None
    """The type of the licence by ADMS, such as `Attribution`; known for licences of Creative Commons."""
    access_rights: str = "PUBLIC"
    """The code of the EU's access rights."""
    availability: str = "STABLE"
    """The code of the EU's planned availability: how long the distributions will be there."""
    version_notes: dict[str, str] = Field(default={})
    """What is new in this release, by language."""
    provenance: dict[str, str] = Field(default={})
    """Where the data come from, by language; without it, what the release was built from."""
    conforms_to: tuple[str, ...] = ()
    """IRIs of standards that the data conform to, besides their ontology and shapes."""

    def names(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the names of properties with their places in the settings."""
        for setting in ("spatial_properties", "temporal_properties"):
            yield from ((("catalogue", setting), name) for name in getattr(self, setting))

    @field_validator("themes")
    @classmethod
    def _are_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_code(one) for one in value)

    @field_validator("frequency", "publisher_type", "licence_type", "access_rights", "availability")
    @classmethod
    def _is_code(cls, value: str | None) -> str | None:
        return value if value is None else _code(value)

    @field_validator("publisher_iri")
    @classmethod
    def _is_iri(cls, value: str | None) -> str | None:
        return value if value is None else absolute_iri(value)

    @field_validator("conforms_to")
    @classmethod
    def _are_iris(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(absolute_iri, value))

    @field_validator("contact_email")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", value, re.ASCII):
            raise ValueError(f'{value!r} is not an e-mail address such as "office@example.org"')
        return value

    @field_validator("keywords", "version_notes", "provenance")
    @classmethod
    def _have_languages(cls, value: dict[str, object]) -> dict[str, object]:
        for tag in value:
            if not is_language_tag(tag):
                raise ValueError(f'{tag!r} is not a language tag such as "en" or "zh-Hans"')
        return value


class Dumps(Section):
    """Which dumps a build writes beside `quads.nq.gz`, which every release has."""

    formats: tuple[str, ...] = (TRIG.name, TURTLE.name, JSON_LD.name, RDF_XML.name)
    """The formats of the dumps of everything."""
    graph_formats: tuple[str, ...] = (TURTLE.name,)
    """The formats of the dumps of each named graph."""
    max_graphs: NaturalInt = 100
    """With more named graphs than this, none has dumps of its own."""
    compress_quads: NaturalInt = 100_000
    """A dump of more statements than this is compressed with gzip."""

    @field_validator("formats", "graph_formats")
    @classmethod
    def _are_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = []
        for name in value:
            try:
                names.append(by_name(name, _DUMPED).name)
            except UnknownNameError as error:
                raise ValueError(str(error)) from error
        return tuple(dict.fromkeys(names))


class Security(Section):
    """Whom to tell of a vulnerability (`/.well-known/security.txt`, RFC 9116)."""

    contact: tuple[str, ...] = ()
    """URIs to report to, best first: `https:`, `mailto:` or `tel:`."""
    expires: datetime | None = None
    """When this stops being true; with a time zone, less than a year ahead."""
    policy: str | None = None
    """The URI of the policy on vulnerabilities."""
    acknowledgments: str | None = None
    """The URI of a page of thanks."""
    languages: tuple[str, ...] = ()
    """The languages in which to report."""

    @field_validator("contact")
    @classmethod
    def _are_uris(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(absolute_iri, value))

    @field_validator("policy", "acknowledgments")
    @classmethod
    def _is_uri(cls, value: str | None) -> str | None:
        return value if value is None else absolute_iri(value)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.contact and (self.expires is None or self.expires.tzinfo is None):
            raise ValueError("with a contact, expires is needed, as a date and time with a zone (RFC 9116, 2.5.5)")
        return self


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError(f"must be a code such as GOVE, the end of an IRI of the table, not {value!r}")
    return value
