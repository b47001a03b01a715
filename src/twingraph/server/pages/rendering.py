"""Rendering of HTML pages, which need no JavaScript and load nothing from other origins."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

from twingraph import __version__
from twingraph.catalogue.offer import public_root
from twingraph.linked_data.addresses import Addresses
from twingraph.rdf.formats import GRAPHS, RESULTS, Format
from twingraph.server.http.headers import weighted
from twingraph.server.http.request import HttpRequest
from twingraph.server.query.current_release import ServedRelease
from twingraph.server.query.respond import Table

# Maximum number of rows on a page: browsers are slow with more. The data formats have all of them.
MAX_ROWS = 1000
# The fields of every page besides those that any response has.
PAGE_FIELDS = {
    # Pages need no scripts and no other origins, and the text in a publication is not trusted.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Content-Language": "en",
}
_SAFE_SCHEMES = ("http://", "https://")
_HEADERS = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache", **PAGE_FIELDS}


class Renderer:
    """Loads the templates and the style sheet; ``url`` is the server's address where it is not the base IRI."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._loader = PackageLoader("twingraph.server.pages")
        self.templates = Environment(
            loader=self._loader,
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def view(self, served: ServedRelease, request: HttpRequest) -> "View":
        """Return the view of a release that a request is answered with."""
        return View(self.templates, served, request, public_root(served.release.manifest.base_iri, self._url))

    def style(self) -> Response:
        """Return the style sheet."""
        content, _, _ = self._loader.get_source(self.templates, "style.css")
        return Response(content, headers={"Cache-Control": "max-age=300"}, media_type="text/css")


class View:
    """A release as presented to one request; titles and labels are in ``language``, ``root`` is its address."""

    def __init__(self, templates: Environment, served: ServedRelease, request: HttpRequest, root: str) -> None:
        self._templates, self.served, self._request = templates, served, Request(request.scope)
        self.root = root
        self.language = self._preferred_language(request)

    def render(self, template: str, status: HTTPStatus = HTTPStatus.OK, **facts: object) -> Response:
        """Return a page: the template with its own variables, ``facts``, and those that every page has."""
        content = self.content(template, **facts)
        return Response(content, status, _HEADERS, "text/html")

    def content(self, template: str, **facts: object) -> bytes:
        """Return the content of a page in UTF-8; see `render`."""
        manifest, language = self.served.release.manifest, self.language
        common = {
            "manifest": manifest,
            "language": language,
            "title": in_language(manifest.title, language),
            "title_language": _available(manifest.title, language),
            "description": in_language(manifest.description, language),
            "description_language": _available(manifest.description, language),
            "here": str(self._request.url.replace(path="", query="", fragment="")).rstrip("/"),
            "version": __version__,
        }
        return self._templates.get_template(template).render(**common, **facts).encode()

    def table(self, answer: Table | None, address: str, values: Mapping[str, str]) -> dict[str, object]:
        """Return the template variables for a table of results, with links to the same results in the data formats."""
        formats: tuple[Format, ...] = (GRAPHS if answer.is_graph else RESULTS) if answer else ()
        links = [(one.name, f"{address}?{urlencode({**values, 'format': one.name})}") for one in formats]
        addresses = self.served.release.manifest.addresses
        return {
            "rows": answer and answer.rows,
            "most": MAX_ROWS,
            "downloads": links,
            "link": lambda cell: link_of(cell.iri or "", addresses) or None,
        }

    def _preferred_language(self, request: HttpRequest) -> str:
        """Return the language by ``?lang=``, else by Accept-Language (RFC 9110, section 12.5.4), else the first."""
        known = self.served.release.manifest.languages
        ranges = weighted(request.field(b"accept-language").decode("latin-1"))
        ranges = sorted((one for one in ranges if one.weight > 0), key=lambda one: -one.weight)
        preferred = (self._request.query_params.get("lang", ""), *(one.value for one in ranges))
        return next((tag for one in preferred for tag in known if _matches(one, tag)), known[0])


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Return the text in a language, falling back to English and then to the first one."""
    return texts.get(_available(texts, language), "")


def _available(texts: Mapping[str, str], language: str) -> str:
    return next((tag for tag in (language, "en", *texts) if tag in texts), "")


def _matches(language_range: str, tag: str) -> bool:
    """Return whether a tag equals a language range, or one is a prefix of the other (RFC 4647, section 3.4)."""
    language_range, tag = language_range.lower(), tag.lower()
    if not language_range:
        return False
    return language_range == tag or language_range.startswith(f"{tag}-") or tag.startswith(f"{language_range}-")


def link_of(iri: str, addresses: Addresses) -> str:
    """Return the link to what an IRI denotes: the document about a thing of this publication, other IRIs as they are.

    It is empty where there is nothing to follow.
    """
    if not iri.startswith(_SAFE_SCHEMES):
        return ""
    if not iri.startswith(addresses.base):
        return iri
    address = "/" + addresses.document(iri)
    _, hash_, fragment = iri.partition("#")
    return f"{address}#{fragment}" if hash_ and not iri.startswith(addresses.base + addresses.things) else address
