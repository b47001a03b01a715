"""What crawlers and scanners look for at a fixed place: sitemaps, robots.txt, security.txt and the list of APIs."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from twingraph.catalogue.offer import Offer
from twingraph.settings import Security

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
# RFC 3987, section 3.1: what is not ASCII is percent-encoded; what is reserved or encoded stays.
_KEPT = "!#$%&'()*+,/:;=?@[]~-._"


def uri(iri: str) -> str:
    """Return an IRI as a URI."""
    return quote(iri, safe=_KEPT)


def page_of(iri: str, offer: Offer) -> str:
    """Return the address of the page about an own IRI."""
    return uri(offer.url(offer.manifest.addresses.document(iri)))


def sitemap(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a sitemap of addresses, each with the day of its last change."""
    yield f'{_HEAD}<urlset xmlns="{_NAMESPACE}">\n'
    for url, day in entries:
        yield f"<url><loc>{escape(url)}</loc><lastmod>{day}</lastmod></url>\n"
    yield "</urlset>\n"


def sitemap_index(urls: Iterable[str], day: str) -> Iterator[str]:
    """Yield an index of sitemaps."""
    yield f'{_HEAD}<sitemapindex xmlns="{_NAMESPACE}">\n'
    for url in urls:
        yield f"<sitemap><loc>{escape(uri(url))}</loc><lastmod>{day}</lastmod></sitemap>\n"
    yield "</sitemapindex>\n"


def robots(offer: Offer) -> str:
    """Return robots.txt (RFC 9309): everything may be read but results of queries, of which there is no end."""
    rules = ("Disallow: /sparql?", "Disallow: /graph-store?", "Allow: /")
    return "\n".join(["User-agent: *", *rules, "", f"Sitemap: {uri(offer.url('sitemap.xml'))}", ""])


def security_text(security: Security, offer: Offer) -> str:
    """Return security.txt (RFC 9116); the settings have a contact and a time of expiry."""
    assert security.expires is not None
    lines = [f"Contact: {uri(one)}" for one in security.contact]
    lines.append(f"Expires: {security.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    lines += [f"Preferred-Languages: {', '.join(security.languages)}"] if security.languages else []
    for name, value in (("Policy", security.policy), ("Acknowledgments", security.acknowledgments)):
        lines += [f"{name}: {uri(value)}"] if value else []
    lines.append(f"Canonical: {uri(offer.url('.well-known/security.txt'))}")
    return "\n".join([*lines, ""])


def api_catalogue(offer: Offer) -> dict[str, Any]:
    """Return the list of APIs as a link set (RFC 9727, RFC 9264)."""
    openapi = {"href": uri(offer.url("openapi.json")), "type": "application/json"}
    licence = {"license": [{"href": uri(offer.manifest.licence)}]} if offer.manifest.licence else {}
    described = {
        "sparql": [{"href": uri(offer.url("sparql")), "type": "text/turtle"}, openapi],
        "graph-store": [openapi],
        "queries": [openapi],
        "catalog": [{"href": uri(offer.url(".well-known/void")), "type": "text/turtle"}],
    }
    home = {"service-doc": [{"href": uri(offer.root), "type": "text/html"}]}
    apis = [
        {"anchor": uri(offer.url(name)), "service-desc": links, **home, **licence} for name, links in described.items()
    ]
    items = [{"href": api["anchor"]} for api in apis]
    return {"linkset": [{"anchor": uri(offer.url(".well-known/api-catalog")), "item": items}, *apis]}
