"""What the server answers, as an OpenAPI document: every route with its parameters, media types and problem documents.

FastAPI reads most of it off functions; here it is written down, since what a query is answered with depends on the
query, and the endpoint is no route of FastAPI.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from twingraph.rdf.formats import FORMATS, GRAPHS, HTML, JSON, RESULTS, Format

Document = dict[str, object]

_PROBLEM = "application/problem+json"
_ANYTHING: Document = {"schema": {}}
_IRI: Document = {"type": "string", "format": "iri"}
_TEXT: Document = {"type": "string"}
# What any request may be answered with, whatever it asks: the bounds of a request, and of the server.
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_NOT_FOUND, _NOT_ACCEPTABLE = HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE
_REFUSED = (HTTPStatus.FORBIDDEN, _NOT_ACCEPTABLE)
_DESCRIPTION = (
    "Queries (SPARQL 1.1 Protocol), whole graphs (Graph Store HTTP Protocol) and saved queries over one release. "
    "HEAD is answered wherever GET is, OPTIONS with the methods that there are. Every failure is a problem document."
)
_ANSWERS = (*RESULTS, *GRAPHS, HTML)
_PROBLEM_SCHEMA: Document = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "line": {"type": "integer", "description": "where a malformed query is wrong, from 1"},
        "column": {"type": "integer", "description": "the character of that line, from 1"},
    },
}


def describe(generated: Mapping[str, object]) -> Document:
    """Return the OpenAPI document: that which FastAPI has generated, with the routes written down here."""
    about = generated["info"]
    return {
        **generated,
        "info": {**about, "description": _DESCRIPTION} if isinstance(about, dict) else about,
        "paths": _paths(),
        "components": {"schemas": {"Problem": _PROBLEM_SCHEMA}},
    }


def _paths() -> Document:
    """Return each path with its operations."""
    health: Document = {"status": _TEXT, "release": _TEXT}
    return {
        "/": {"get": _operation("The home page", _content((HTML,)))},
        "/style.css": {"get": _operation("How pages look", {"text/css": _ANYTHING})},
        "/sparql": _sparql(),
        "/queries": {
            "get": _operation("List the saved queries", {**_json({}, "array"), **_content((HTML,))}, _format())
        },
        "/queries/{name}": {"get": _saved_query()},
        "/graph-store": {"get": _graph_store()},
        "/graph/{path}": {"get": _graph()},
        "/.well-known/void": {
            "get": _operation(
                "Describe the dataset (VoID) and the endpoint", _content(GRAPHS), _format(), (_NOT_ACCEPTABLE,)
            )
        },
        "/healthz": {"get": _operation("Tell that the server is alive, and what it serves", _json(health))},
        "/readyz": {"get": _operation("Tell whether queries are answered; 503 while they are not", _json(health))},
        "/metrics": {"get": _operation("Tell what was counted, for Prometheus", {"text/plain": _ANYTHING})},
        "/openapi.json": {"get": _operation("This document", _json({}))},
    }


def _sparql() -> Document:
    dataset = [
        _parameter(name, {"type": "array", "items": _IRI}, which)
        for name, which in (
            ("default-graph-uri", "a graph of the release that belongs to the default graph"),
            ("named-graph-uri", "a named graph of the dataset"),
        )
    ]
    query = _parameter(
        "query", _TEXT, "a query in SPARQL 1.1; without it, the page or the service description is given"
    )
    form = {
        "type": "object",
        "required": ["query"],
        "properties": {
            "query": _TEXT,
            "default-graph-uri": {"type": "array", "items": _IRI},
            "named-graph-uri": {"type": "array", "items": _IRI},
            "format": _TEXT,
        },
    }
    post = _operation(
        "Answer the query in the body",
        _content(_ANSWERS),
        [*dataset, *_format()],
        (*_REFUSED, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    )
    body = {
        "application/sparql-query": {"schema": _TEXT, "example": "SELECT * { ?s ?p ?o } LIMIT 5"},
        "application/x-www-form-urlencoded": {"schema": form},
    }
    return {
        "get": _operation("Answer a query", _content(_ANSWERS), [query, *dataset, *_format()], _REFUSED),
        "post": {**post, "requestBody": {"required": True, "content": body}},
    }


def _saved_query() -> Document:
    name = _parameter("name", _TEXT, "the name of a saved query", where="path")
    values: Document = {
        "name": "parameters",
        "in": "query",
        "description": "the query's own parameters, as the list of saved queries names them",
        "schema": {"type": "object", "additionalProperties": _TEXT},
    }
    summary = "Answer a saved query; its parameters are those of the address"
    return _operation(summary, _content(_ANSWERS), [name, values, *_format()], (_NOT_FOUND, _NOT_ACCEPTABLE))


def _graph_store() -> Document:
    parameters = [
        _parameter("graph", _IRI, "the IRI of a graph of the release"),
        _parameter("default", _TEXT, "the default graph, instead of a named one"),
    ]
    return _operation("Give a whole graph", _content(GRAPHS), [*parameters, *_format()], (_NOT_FOUND, _NOT_ACCEPTABLE))


def _graph() -> Document:
    path = _parameter("path", _TEXT, "the IRI of the graph after BASE/graph/", where="path")
    return _operation(
        "Give a whole graph by its own address", _content(GRAPHS), [path, *_format()], (_NOT_FOUND, _NOT_ACCEPTABLE)
    )


def _operation(
    summary: str,
    content: Mapping[str, object],
    parameters: Sequence[Document] = (),
    failures: Sequence[HTTPStatus] = (),
) -> Document:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    answers: Document = {
        str(status.value): {"description": status.phrase, "content": {_PROBLEM: problem}}
        for status in sorted({*_ALWAYS, *failures})
    }
    found = {"200": {"description": "OK", "content": content}, "304": {"description": "Not Modified"}, **answers}
    # A page says in its own words what is wrong with a query.
    if HTML.media_type in content:
        for status in answers.values():
            if isinstance(status, dict):
                status["content"] = {**status["content"], **_content((HTML,))}
    return {"summary": summary, "parameters": list(parameters), "responses": found}


def _content(formats: Sequence[Format]) -> dict[str, object]:
    """Return each media type in which one of these formats is answered."""
    return {name: _ANYTHING for one in formats for name in (one.media_type, *one.also)}


def _json(properties: Mapping[str, object], kind: str = "object") -> dict[str, object]:
    schema = {"type": kind, "properties": properties, "required": list(properties)} if properties else {"type": kind}
    return {"application/json": {"schema": schema}}


def _parameter(name: str, schema: Mapping[str, object], description: str, where: str = "query") -> Document:
    return {"name": name, "in": where, "description": description, "schema": schema, "required": where == "path"}


def _format() -> list[Document]:
    names = ", ".join(dict.fromkeys(one.name for one in FORMATS))
    wanted = f"a format, which wins over the Accept header: {names}, an extension or a media type"
    return [{**_parameter("format", _TEXT, wanted), "example": JSON.name}]
