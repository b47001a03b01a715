"""The pages: each a function from what it shows to a response, and a template of the same name.

A page that needs nothing but the release is added to `PAGES`; those with data for programs at the same address are
called by the routes that negotiate between them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import QueryError, TwingraphError
from twingraph.publication.saved_queries import SavedQuery, body
from twingraph.rdf.formats import HTML
from twingraph.release.manifest import Manifest
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.openapi import ANYTHING, content_of, operation
from twingraph.server.pages.rendering import Renderer, View, in_language
from twingraph.server.query.current_release import CurrentRelease, ServedRelease
from twingraph.server.query.respond import Table

FIRST_QUERY = """# How many things of each class are there?
SELECT ?class (COUNT(DISTINCT ?thing) AS ?things) WHERE {
  ?thing a ?class
}
GROUP BY ?class
ORDER BY DESC(?things)"""
_NAMES = ("http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel")
# Classes of the languages of ontologies, which tell a visitor nothing about what is in a publication.
_LANGUAGE_CLASSES = (
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
)


class Page(NamedTuple):
    """A page at an address of its own; ``render`` is given what a request shows."""

    path: str
    summary: str
    render: Callable[[View], Response]


@dataclass(frozen=True, slots=True)
class Amount:
    """A line of a table that says how much is in a release; ``query`` lists what was counted."""

    name: str
    iri: str
    count: int
    query: str


def home_page(view: View) -> Response:
    """Return the page that says what this is, how much is in it, and lets one ask."""
    manifest = view.served.release.manifest
    return view.render(
        "home.html",
        classes=tuple(_classes(manifest, view.language)),
        graphs=tuple(_graphs(manifest)),
        documents=sorted(in_language(names, view.language) for names in manifest.documents.values()),
        queries=_by_title(view.served),
        text=FIRST_QUERY,
    )


def query_page(
    view: View,
    text: str = FIRST_QUERY,
    answer: Table | None = None,
    error: TwingraphError | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Return the query box with what its query gave: rows, or an error with its place."""
    page = {
        "text": text,
        "error": error,
        "marked": _marked(text, error),
        "prefixes": sorted(view.served.release.manifest.prefixes.items()),
    }
    return view.render("query.html", status, **view.table(answer, "/sparql", {"query": text}), **page)


def queries_page(view: View) -> Response:
    """Return the list of saved queries."""
    return view.render("queries.html", queries=_by_title(view.served))


def saved_query_page(
    view: View,
    saved: SavedQuery,
    values: Mapping[str, str],
    answer: Table | None = None,
    error: TwingraphError | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Return a saved query with a form for its parameters and what it gave."""
    page = {"saved": saved, "values": values, "text": body(saved.text), "error": error}
    return view.render("saved.html", status, **view.table(answer, f"/queries/{saved.name}", values), **page)


PAGES = (Page("/", "The home page", home_page),)


def page_routes(current: CurrentRelease, renderer: Renderer) -> list[AsgiRoute]:
    """Return the routes to the pages and to what they are drawn with."""
    return [*(_route(page, current, renderer) for page in PAGES), _style_route(renderer)]


def _route(page: Page, current: CurrentRelease, renderer: Renderer) -> AsgiRoute:
    async def respond(request: Request) -> Response:
        return page.render(renderer.view(current.required(), request))

    return AsgiRoute(page.path, respond, operation(page.summary, content_of((HTML,))))


def _style_route(renderer: Renderer) -> AsgiRoute:
    async def respond(_: Request) -> Response:
        return renderer.style()

    return AsgiRoute("/style.css", respond, operation("How pages look", {"text/css": ANYTHING}))


def _by_title(served: ServedRelease) -> list[SavedQuery]:
    return sorted(served.queries.values(), key=lambda query: query.title)


def _classes(manifest: Manifest, language: str) -> Iterable[Amount]:
    rows = sorted(manifest.classes.items(), key=lambda row: (-row[1].things, row[0]))
    for iri, count in rows:
        if not iri.startswith(_LANGUAGE_CLASSES):
            yield Amount(
                in_language(count.labels, language) or manifest.iris.shorten(iri), iri, count.things, _things(iri)
            )


def _graphs(manifest: Manifest) -> Iterable[Amount]:
    for iri, count in sorted(manifest.graphs.items()):
        yield Amount(iri.removeprefix(manifest.base_iri), iri, count, _statements(iri))


def _things(iri: str) -> str:
    names = "|".join(f"<{name}>" for name in _NAMES)
    pattern = f"  ?thing a <{iri}>\n  OPTIONAL {{ ?thing {names} ?name }}\n"
    return f"SELECT DISTINCT ?thing ?name WHERE {{\n{pattern}}}\nORDER BY ?thing"


def _statements(iri: str) -> str:
    return f"SELECT * WHERE {{\n  GRAPH <{iri}> {{ ?subject ?predicate ?object }}\n}}\nORDER BY ?subject\nLIMIT 1000"


def _marked(text: str, error: TwingraphError | None) -> tuple[str, str] | None:
    """Return the line of a query at which it went wrong, cut at the place."""
    if not isinstance(error, QueryError) or error.line is None or error.column is None:
        return None
    lines = text.splitlines()
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    return line[: error.column - 1], line[error.column - 1 :]
