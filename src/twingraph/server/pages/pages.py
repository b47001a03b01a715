"""The HTML pages: each is a function that renders the template of the same name.

A page that needs nothing but the release has an entry in `PAGES`. A page that shares its URL with data formats is
called by the route that negotiates between them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import Response

from twingraph.catalogue.offer import Offer, dump_path
from twingraph.catalogue.schema_org import embedded
from twingraph.errors import QueryError, TwingraphError
from twingraph.publication.saved_queries import SavedQuery, body
from twingraph.rdf.formats import HTML
from twingraph.release.manifest import Manifest
from twingraph.server.http.asgi_route import AsgiRoute
from twingraph.server.http.openapi import ANYTHING, content_of, operation
from twingraph.server.http.request import HttpRequest
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
# Classes of OWL, RDF and RDFS describe the ontology; they say nothing about what is in a publication.
_META_VOCABULARIES = (
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
)


class Page(NamedTuple):
    """A page with a path of its own, and the function that renders it."""

    path: str
    summary: str
    render: Callable[[View], Response]


@dataclass(frozen=True, slots=True)
class Amount:
    """A row of the tables of counts on the home page; ``query`` lists what was counted."""

    name: str
    iri: str
    count: int
    query: str


def home_page(view: View) -> Response:
    """Return the home page: what the publication is, counts of what it holds, and a query form."""
    manifest = view.served.release.manifest
    return view.render(
        "home.html",
        classes=tuple(_classes(manifest, view.language)),
        graphs=tuple(_graphs(manifest)),
        documents=sorted(in_language(names, view.language) for names in manifest.documents.values()),
        queries=_by_title(view.served),
        text=FIRST_QUERY,
        dataset=embedded(Offer(manifest, view.root)),
        root=view.root,
        dumps=tuple(_dumps(manifest)),
    )


def query_page(
    view: View,
    text: str = FIRST_QUERY,
    answer: Table | None = None,
    error: TwingraphError | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Return the query form with the results of its query, or with the error and its position."""
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
    """Return the page of a saved query: a form for its parameters, and its results or the error."""
    page = {"saved": saved, "values": values, "text": body(saved.text), "error": error}
    return view.render("saved.html", status, **view.table(answer, f"/queries/{saved.name}", values), **page)


PAGES = (Page("/", "The home page", home_page),)


def page_routes(current: CurrentRelease, renderer: Renderer) -> list[AsgiRoute]:
    """Return the routes to the pages and to their style sheet."""
    return [*(_route(page, current, renderer) for page in PAGES), _style_route(renderer)]


def _route(page: Page, current: CurrentRelease, renderer: Renderer) -> AsgiRoute:
    async def respond(request: HttpRequest) -> Response:
        return page.render(renderer.view(current.required(), request))

    return AsgiRoute(page.path, respond, operation(page.summary, content_of((HTML,))))


def _style_route(renderer: Renderer) -> AsgiRoute:
    async def respond(_: HttpRequest) -> Response:
        return renderer.style()

    return AsgiRoute("/style.css", respond, operation("The style sheet of the pages", {"text/css": ANYTHING}))


def _by_title(served: ServedRelease) -> list[SavedQuery]:
    return sorted(served.queries.values(), key=lambda query: query.title)


def _classes(manifest: Manifest, language: str) -> Iterable[Amount]:
    rows = sorted(manifest.classes.items(), key=lambda row: (-row[1].things, row[0]))
    for iri, count in rows:
        if not iri.startswith(_META_VOCABULARIES):
            yield Amount(
                in_language(count.labels, language) or manifest.iris.shorten(iri),
                iri,
                count.things,
                _instances_query(iri),
            )


def _graphs(manifest: Manifest) -> Iterable[Amount]:
    for iri, count in sorted(manifest.graphs.items()):
        yield Amount(iri.removeprefix(manifest.base_iri), iri, count, _statements_query(iri))


def _dumps(manifest: Manifest) -> Iterable[dict[str, object]]:
    for dump in manifest.dumps:
        if dump.graph is None:
            yield {"path": dump_path(dump), "title": dump.syntax.w3c_name.replace("_", "/"), "bytes": dump.bytes}


def _instances_query(iri: str) -> str:
    names = "|".join(f"<{name}>" for name in _NAMES)
    pattern = f"  ?thing a <{iri}>\n  OPTIONAL {{ ?thing {names} ?name }}\n"
    return f"SELECT DISTINCT ?thing ?name WHERE {{\n{pattern}}}\nORDER BY ?thing"


def _statements_query(iri: str) -> str:
    return f"SELECT * WHERE {{\n  GRAPH <{iri}> {{ ?subject ?predicate ?object }}\n}}\nORDER BY ?subject\nLIMIT 1000"


def _marked(text: str, error: TwingraphError | None) -> tuple[str, str] | None:
    """Return the line of a query that has the error, split at the column of the error."""
    if not isinstance(error, QueryError) or error.line is None or error.column is None:
        return None
    lines = text.splitlines()
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    return line[: error.column - 1], line[error.column - 1 :]
