"""The OpenAPI document: each route's operations with their parameters, media types and problem documents.

A route describes itself with `operation`: which representation an answer has depends on the form of its query, so this
cannot be read off functions.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from twingraph import __version__
from twingraph.rdf.formats import FORMATS, HTML, JSON, Format

Document = dict[str, object]

_PROBLEM = "application/problem+json"
ANYTHING: Document = {"schema": {}}
IRI: Document = {"type": "string", "format": "iri"}
TEXT: Document = {"type": "string"}
# What any request may be answered with, whatever it asks: the bounds of a request, and of the server.
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_DESCRIPTION = (
    "Queries (SPARQL 1.1 Protocol), whole graphs (Graph Store HTTP Protocol) and saved queries over one release. "
    "HEAD is answered wherever GET is, OPTIONS with the methods that there are. Every failure is a problem document."
)
_PROBLEM_SCHEMA: Document = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "line": {"type": "integer", "description": "where a malformed query is wrong, from 1"},
        "column": {"type": "integer", "description": "the character of that line, from 1"},
    },
}


def document(routes: Sequence[BaseRoute]) -> Document:
    """Return the document of FastAPI's routes, which hold the description of each operation."""
    made = get_openapi(title="twingraph", version=__version__, description=_DESCRIPTION, routes=routes)
    return {**made, "components": {"schemas": {"Problem": _PROBLEM_SCHEMA}}}


def operation(
    summary: str,
    content: Mapping[str, object],
    parameters: Sequence[Document] = (),
    failures: Sequence[HTTPStatus] = (),
) -> Document:
    """Return an operation that is answered with ``content``, and its failures beside those that any request has."""
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
                status["content"] = {**status["content"], **content_of((HTML,))}
    return {"summary": summary, "parameters": list(parameters), "responses": found}


def content_of(formats: Sequence[Format]) -> dict[str, object]:
    """Return each media type in which one of these formats is answered."""
    return {name: ANYTHING for one in formats for name in (one.media_type, *one.also)}


def json_content(properties: Mapping[str, object], kind: str = "object") -> dict[str, object]:
    """Return the content of JSON with these properties."""
    schema = {"type": kind, "properties": properties, "required": list(properties)} if properties else {"type": kind}
    return {"application/json": {"schema": schema}}


def parameter(name: str, schema: Mapping[str, object], description: str, where: str = "query") -> Document:
    """Return a parameter of a query or, where ``where`` says so, of the path."""
    return {"name": name, "in": where, "description": description, "schema": schema, "required": where == "path"}


def format_parameter() -> list[Document]:
    """Return the parameter `format`."""
    names = ", ".join(dict.fromkeys(one.name for one in FORMATS))
    wanted = f"a format, which wins over the Accept header: {names}, an extension or a media type"
    return [{**parameter("format", TEXT, wanted), "example": JSON.name}]
