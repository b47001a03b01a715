"""Pages for people: rendered here, whole without JavaScript, with nothing fetched from elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

from twingraph import __version__
from twingraph.errors import QueryError, TwingraphError
from twingraph.publication.saved_queries import SavedQuery, body
from twingraph.rdf.formats import GRAPHS, RESULTS, Format
from twingraph.release.manifest import Manifest
from twingraph.server.current_release import ServedRelease
from twingraph.server.http.fields import field, weighted
from twingraph.server.query.respond import Table
from twingraph.store.solutions import Cell

# A page with more rows than this is slow to draw; the data formats give them all.
MOST_ROWS = 1000
FIRST_QUERY = """# How many things of each class are there?
SELECT ?class (COUNT(DISTINCT ?thing) AS ?things) WHERE {
  ?thing a ?class
}
GROUP BY ?class
ORDER BY DESC(?things)"""
_HEADERS = {
    "Vary": "Accept, Accept-Language",
    "Cache-Control": "no-cache",
    # No script, no other origin: the pages need neither, and the texts of a publication may hold anything.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
_NAMES = ("http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel")
# Classes of the languages of ontologies, which tell a visitor nothing about what is in a publication.
_LANGUAGE_CLASSES = (
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A line of a table that says how much is in a release; ``query`` lists what was counted."""

    name: str
    iri: str
    count: int
    query: str


class Pages:
    """Renders the pages from their templates."""

    def __init__(self) -> None:
        self._loader = PackageLoader("twingraph.server.pages")
        self._templates = Environment(
            loader=self._loader,
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def home(self, serving: ServedRelease, request: Request) -> Response:
        """Return the page that says what this is, how much is in it, and lets one ask."""
        manifest, language = serving.release.manifest, self._language(serving, request)
        return self._render(
            "home.html",
            serving,
            request,
            classes=tuple(_classes(manifest, language)),
            graphs=tuple(_graphs(manifest)),
            documents=sorted(_text(names, language) for names in manifest.documents.values()),
            queries=_by_title(serving),
            text=FIRST_QUERY,
        )

    def query(
        self,
        serving: ServedRelease,
        request: Request,
        text: str = FIRST_QUERY,
        answer: Table | None = None,
        error: TwingraphError | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """Return the query box with what its query gave: rows, or an error with its place."""
        shown = self._answer(serving, answer, "/sparql", {"query": text})
        page = {
            "text": text,
            "error": error,
            "marked": _marked(text, error),
            "prefixes": sorted(serving.release.manifest.prefixes.items()),
        }
        return self._render("query.html", serving, request, status=status, **shown, **page)

    def queries(self, serving: ServedRelease, request: Request) -> Response:
        """Return the list of saved queries."""
        return self._render("queries.html", serving, request, queries=_by_title(serving))

    def saved_query(
        self,
        serving: ServedRelease,
        request: Request,
        saved: SavedQuery,
        values: Mapping[str, str],
        answer: Table | None = None,
        error: TwingraphError | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """Return a saved query with a form for its parameters and what it gave."""
        shown = self._answer(serving, answer, f"/queries/{saved.name}", values)
        page = {"saved": saved, "values": values, "text": body(saved.text), "error": error}
        return self._render("saved.html", serving, request, status=status, **shown, **page)

    def style(self) -> Response:
        """Return the style sheet."""
        content, _, _ = self._loader.get_source(self._templates, "style.css")
        return Response(content, headers={"Cache-Control": "max-age=300"}, media_type="text/css")

    def _answer(
        self,
        serving: ServedRelease,
        answer: Table | None,
        address: str,
        values: Mapping[str, str],
    ) -> dict[str, object]:
        formats: tuple[Format, ...] = (GRAPHS if answer.is_graph else RESULTS) if answer else ()
        links = [(one.name, f"{address}?{urlencode({**values, 'format': one.name})}") for one in formats]
        own = serving.release.manifest.base_iri
        return {
            "rows": answer and answer.rows,
            "most": MOST_ROWS,
            "downloads": links,
            "link": lambda cell: _link(cell, own),
        }

    def _render(
        self,
        template: str,
        serving: ServedRelease,
        request: Request,
        status: HTTPStatus = HTTPStatus.OK,
        **page: object,
    ) -> Response:
        manifest, language = serving.release.manifest, self._language(serving, request)
        here = str(request.url.replace(path="", query="", fragment="")).rstrip("/")
        common = {
            "manifest": manifest,
            "language": language,
            "title": _text(manifest.title, language),
            "title_language": _chosen(manifest.title, language),
            "description": _text(manifest.description, language),
            "description_language": _chosen(manifest.description, language),
            "here": here,
            "version": __version__,
        }
        content = self._templates.get_template(template).render(**common, **page)
        return Response(content, status, {**_HEADERS, "Content-Language": "en"}, "text/html")

    def _language(self, serving: ServedRelease, request: Request) -> str:
        """Return the language of titles and labels: ``?lang=``, else what the browser prefers, else the first."""
        known = serving.release.manifest.languages
        preferred = weighted(field(request.scope, b"accept-language").decode("latin-1"))
        preferred = sorted((one for one in preferred if one.weight > 0), key=lambda one: -one.weight)
        wanted = (request.query_params.get("lang", ""), *(one.value for one in preferred))
        return next((tag for one in wanted for tag in known if _same(one, tag)), known[0])


def _same(wanted: str, tag: str) -> bool:
    """Tell whether a wanted language is a known one or a narrower or wider form of it (RFC 4647, section 3.4)."""
    wanted, tag = wanted.lower(), tag.lower()
    return bool(wanted) and (wanted == tag or wanted.startswith(f"{tag}-") or tag.startswith(f"{wanted}-"))


def _chosen(texts: Mapping[str, str], language: str) -> str:
    return next((tag for tag in (language, "en", *texts) if tag in texts), "")


def _text(texts: Mapping[str, str], language: str) -> str:
    return texts.get(_chosen(texts, language), "")


def _by_title(serving: ServedRelease) -> list[SavedQuery]:
    return sorted(serving.queries.values(), key=lambda query: query.title)


def _classes(manifest: Manifest, language: str) -> Iterable[Amount]:
    rows = sorted(manifest.classes.items(), key=lambda row: (-row[1].things, row[0]))
    for iri, count in rows:
        if not iri.startswith(_LANGUAGE_CLASSES):
            yield Amount(_text(count.labels, language) or manifest.iris.shorten(iri), iri, count.things, _things(iri))


def _graphs(manifest: Manifest) -> Iterable[Amount]:
    for iri, count in sorted(manifest.graphs.items()):
        yield Amount(iri.removeprefix(manifest.base_iri), iri, count, _statements(iri))


def _things(iri: str) -> str:
    names = "|".join(f"<{name}>" for name in _NAMES)
    pattern = f"  ?thing a <{iri}>\n  OPTIONAL {{ ?thing {names} ?name }}\n"
    return f"SELECT DISTINCT ?thing ?name WHERE {{\n{pattern}}}\nORDER BY ?thing"


def _statements(iri: str) -> str:
    return f"SELECT * WHERE {{\n  GRAPH <{iri}> {{ ?subject ?predicate ?object }}\n}}\nORDER BY ?subject\nLIMIT 1000"


def _link(cell: Cell, base: str) -> str | None:
    """Return where a cell leads: our own things to their description here, others to themselves."""
    if cell.iri is None or not cell.iri.startswith(("http://", "https://")):
        return None
    if cell.iri.startswith(base):
        return "/sparql?" + urlencode({"query": f"DESCRIBE <{cell.iri}>"})
    return cell.iri


def _marked(text: str, error: TwingraphError | None) -> tuple[str, str] | None:
    """Return the line of a query at which it went wrong, cut at the place."""
    if not isinstance(error, QueryError) or error.line is None or error.column is None:
        return None
    lines = text.splitlines()
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    return line[: error.column - 1], line[error.column - 1 :]
