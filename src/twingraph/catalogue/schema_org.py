"""The dataset in schema.org's vocabulary as JSON-LD, in the form that search engines for datasets document."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from twingraph.catalogue.dcat_ap import dump_texts, publisher
from twingraph.catalogue.offer import Offer
from twingraph.release.dumps import Dump
from twingraph.release.manifest import Box

_CONTEXT = "https://schema.org/"
# Search engines cut a description there, and want at least 50 characters.
_LONGEST, _SHORTEST = 5000, 50


def dataset(offer: Offer, *, graphs: bool = True) -> dict[str, Any]:
    """Return the description of the dataset; without ``graphs``, dumps of single graphs are left out."""
    manifest, agent = offer.manifest, _organisation(offer)
    facts: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": offer.dataset,
        "@type": "Dataset",
        "name": _text(offer.title),
        "alternateName": _others(offer.title),
        "description": _description(offer),
        "url": offer.root,
        "identifier": offer.dataset,
        "keywords": list(dict.fromkeys(word for words in offer.keywords.values() for word in words)),
        "license": manifest.licence,
        "isAccessibleForFree": manifest.catalogue.access_rights == "PUBLIC",
        "creator": agent,
        "publisher": agent,
        "inLanguage": list(offer.languages),
        "version": manifest.id,
        "datePublished": manifest.created,
        "dateModified": manifest.created,
        "temporalCoverage": _period(offer),
        "spatialCoverage": list(_places(offer)),
        "includedInDataCatalog": {
            "@id": offer.catalogue,
            "@type": "DataCatalog",
            "name": _text(offer.title),
            "url": offer.url("catalog"),
        },
        "distribution": [_download(offer, one) for one in manifest.dumps if graphs or one.graph is None],
    }
    return {name: value for name, value in facts.items() if value not in (None, [], "")}


def to_json(offer: Offer) -> bytes:
    """Return the description as a document."""
    return (json.dumps(dataset(offer), ensure_ascii=False, indent=2) + "\n").encode()


def embedded(offer: Offer) -> str:
    """Return the description for a ``script`` element: nothing in it can end the element."""
    text = json.dumps(dataset(offer, graphs=False), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(texts: Mapping[str, str]) -> str:
    return texts.get("en") or next(iter(texts.values()))


def _others(texts: Mapping[str, str]) -> list[str]:
    return [text for text in dict.fromkeys(texts.values()) if text != _text(texts)]


def _description(offer: Offer) -> str:
    text = _text(offer.description)
    if len(text) < _SHORTEST:
        text = f"{text.rstrip('.')}. {_text(offer.version_notes)}"
    return text[:_LONGEST]


def _organisation(offer: Offer) -> dict[str, Any]:
    agent = offer.manifest.publisher
    facts = {
        "@id": publisher(offer),
        "@type": "Organization",
        "name": agent.name if agent else offer.host,
        "url": agent.url if agent else offer.root,
    }
    contact = offer.manifest.contact
    if contact:
        point = {"@type": "ContactPoint", "contactType": "customer service", "name": contact.name, "url": contact.url}
        facts["contactPoint"] = point  # type: ignore[assignment]  # a node
    return facts


def _period(offer: Offer) -> str | None:
    covered = offer.manifest.coverage
    return f"{covered.earliest}/{covered.latest}" if covered.earliest and covered.latest else None


def _places(offer: Offer) -> Iterator[dict[str, Any]]:
    manifest = offer.manifest
    for given in manifest.catalogue.spatial:
        place: dict[str, Any] = {"@type": "Place", "@id": given.iri, "name": given.name or None}
        if given.bbox:
            west, south, east, north = given.bbox
            place["geo"] = _shape(Box(west=west, south=south, east=east, north=north))
        yield {name: value for name, value in place.items() if value}
    if not manifest.catalogue.spatial and manifest.coverage.box:
        yield {"@type": "Place", "geo": _shape(manifest.coverage.box)}


def _shape(box: Box) -> dict[str, str]:
    return {"@type": "GeoShape", "box": f"{box.south:.6g} {box.west:.6g} {box.north:.6g} {box.east:.6g}"}


def _download(offer: Offer, dump: Dump) -> dict[str, Any]:
    title, text = dump_texts(offer, dump)
    return {
        "@type": "DataDownload",
        "name": title,
        "description": text,
        "encodingFormat": "application/gzip" if dump.is_compressed else dump.syntax.media_type,
        "contentUrl": offer.dump_url(dump),
        "contentSize": f"{dump.bytes} B",
        "sha256": dump.sha256,
    }
