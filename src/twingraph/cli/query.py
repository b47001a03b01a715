"""``twingraph query``."""

import io
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import typer

from twingraph.cli.config import settings
from twingraph.cli.loading import load
from twingraph.cli.options import chosen_format
from twingraph.cli.progress import progress
from twingraph.errors import UnknownNameError
from twingraph.publication.files import Publication
from twingraph.publication.query_files import read_saved_queries
from twingraph.publication.saved_queries import SavedQuery, parse_saved_query
from twingraph.rdf.formats import GRAPHS, JSON, N_TRIPLES, RESULTS, TURTLE, by_name
from twingraph.rdf.iris import Iris
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.archive import Archive, verify
from twingraph.settings import Settings
from twingraph.sparql.query import Query, read_query
from twingraph.store.datasets import reads_store
from twingraph.store.embedded import EmbeddedStore
from twingraph.store.remote import RemoteEndpoint
from twingraph.store.solutions import Solutions, read_solutions, read_triples
from twingraph.tables import plural, render_table

_TABLE = "table"


@dataclass(frozen=True)
class Target:
    """What a query is sent to: an engine, the prefixes that queries may use, and the saved queries by name.

    ``federated`` permits SERVICE, which an endpoint may answer.
    """

    engine: EmbeddedStore | RemoteEndpoint
    iris: Iris
    queries: Mapping[str, SavedQuery]
    federated: bool = False


def query_command(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="QUERY", help="SPARQL, a file, `-` for stdin, or a saved query's name.")
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Query these files and folders, which need no twingraph.toml."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Parameter of a saved query; repeatable."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help=f"{_TABLE}, {', '.join(f.name for f in RESULTS)}; for graphs {', '.join(f.name for f in GRAPHS)}.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="Query this SPARQL endpoint instead of the current release.")
    ] = None,
) -> None:
    """Query the current release, files, or any SPARQL endpoint.

    Example: twingraph query 'SELECT ?class (COUNT(*) AS ?n) WHERE { ?x a ?class } GROUP BY ?class' --format csv

    Example: twingraph query 'SELECT * { ?s ?p ?o } LIMIT 10' some.ttl
    """
    if files and endpoint:
        raise typer.BadParameter("files and --endpoint exclude one another")
    values, chosen = _parameter_values(parameter or []), chosen_format(format_, json=as_json)
    with _publication(context, files or []) as publication, progress(context, "Querying"):
        target = _endpoint(publication, endpoint) if endpoint else _current_release(publication)
        text = _query_text(what, values, target)
        query = read_query(text, target.iris.namespaces, target.iris.base, federated=target.federated)
        result = _result(target, query, chosen)
    sys.stdout.buffer.write(result)


def _publication(context: typer.Context, files: list[Path]) -> AbstractContextManager[Settings]:
    if not files:
        return nullcontext(settings(context))
    # Building a release takes half a second of imports, which a query of a release does not need.
    release: Callable[..., AbstractContextManager[Settings]] = load("twingraph.cli.loose_files", "temporary_release")
    return release(context, load("twingraph.cli.loose_files", "loose_settings")(context, files))


def _current_release(publication: Settings) -> Target:
    release = Archive(publication.releases).current()
    manifest, memory_quads = release.manifest, publication.limits.memory_quads
    as_union = manifest.default_graph == DefaultGraph.UNION
    verify(release, store=reads_store(manifest.quads, memory_quads, as_union=as_union))
    store = EmbeddedStore(
        manifest.base_iri, manifest.prefixes, manifest.default_graph, memory_quads, manifest.language_tags
    )
    store.load(release.directory, manifest.quads)
    saved = (parse_saved_query(path.name, path.read_text(encoding="utf-8")) for path in release.query_files)
    return Target(store, manifest.iris, {query.name: query for query in saved})


def _endpoint(publication: Settings, url: str) -> Target:
    saved = {query.name: query for query in read_saved_queries(Publication(publication)).queries}
    return Target(RemoteEndpoint(url, publication.iris.namespaces), publication.iris, saved, federated=True)


def _parameter_values(options: list[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"{name!r} is not NAME=VALUE", param_hint="--parameter")
    return {name: value for name, _, value in pairs}


def _query_text(what: str, values: Mapping[str, str], target: Target) -> str:
    """Return the text of a saved query with its parameters bound, of a file, of stdin, or ``what`` itself."""
    if what in target.queries:
        return target.queries[what].bind(values, target.iris)
    path = Path(what)
    is_text = any(char.isspace() or char == "{" for char in what)
    if not is_text and path.is_file():
        text = path.read_text(encoding="utf-8")
        if text.startswith("#+"):
            return parse_saved_query(what, text).bind(values, target.iris)
    elif not is_text and what != "-":
        kind = "file" if "/" in what or path.suffix else "saved query or file"
        raise UnknownNameError(kind, what, target.queries)
    else:
        text = sys.stdin.read() if what == "-" else what
    for name in values:
        raise typer.BadParameter(f"{name!r}: only saved queries have parameters", param_hint="--parameter")
    return text


def _result(target: Target, query: Query, format_: str | None) -> bytes:
    is_graph = query.form.gives_graph
    name = format_ or (TURTLE.name if is_graph else _TABLE)
    if name != _TABLE:
        return _serialized(target, query, name)
    result = _serialized(target, query, (N_TRIPLES if is_graph else JSON).name)
    return _table((read_triples if is_graph else read_solutions)(result, target.iris)).encode()


def _serialized(target: Target, query: Query, format_name: str) -> bytes:
    output = io.BytesIO()
    target.engine.query(query, by_name(format_name, GRAPHS if query.form.gives_graph else RESULTS), output)
    return output.getvalue()


def _table(solutions: Solutions) -> str:
    rows = [[cell.label if cell else None for cell in row] for row in solutions.rows]
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    return render_table(solutions.variables, rows, width) + f"({plural(len(rows), 'row')})\n"
