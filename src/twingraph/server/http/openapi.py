"""The OpenAPI document: operations with their parameters, media types and problem documents.

Each route gives its operations explicitly: the media type of a response depends on the form of the query, so it cannot
be inferred from the signatures of functions.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import Response

from twingraph import __version__
from twingraph.rdf.formats import FORMATS, HTML, JSON, Format

Document = dict[str, object]

_PROBLEM = "application/problem+json"
ANYTHING: Document = {"schema": {}}
IRI: Document = {"type": "string", "format": "iri"}
TEXT: Document = {"type": "string"}
# Failures of any operation: malformed or too large requests, and limits of the server.
_COMMON_FAILURES = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_DESCRIPTION = (
    "Queries (SPARQL 1.1 Protocol), whole graphs (Graph Store HTTP Protocol) and saved queries over one release. "
    "HEAD is supported wherever GET is; OPTIONS returns the allowed methods. Every failure is a problem document."
)
_PROBLEM_SCHEMA: Document = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "line": {"type": "integer", "description": "the line of the error in a malformed query, from 1"},
        "column": {"type": "integer", "description": "the column of the error in that line, from 1"},
    },
}


def document(operations: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Document:
    """Return the OpenAPI document for the operations at each path, by method, as FastAPI generates it."""
    routes = [
        APIRoute(path, _placeholder, methods=[method], response_class=Response, openapi_extra=dict(extra))
        for path, methods in operations.items()
        for method, extra in methods.items()
    ]
    generated = get_openapi(title="twingraph", version=__version__, description=_DESCRIPTION, routes=routes)
    return {**generated, "components": {"schemas": {"Problem": _PROBLEM_SCHEMA}}}


def operation(
    summary: str,
    content: Mapping[str, object],
    parameters: Sequence[Document] = (),
    failures: Sequence[HTTPStatus] = (),
    others: Sequence[HTTPStatus] = (),
) -> Document:
    """Return an operation with its successful ``content`` and its ``failures`` besides the common ones.

    ``others`` are statuses of redirects and of parts of the content.
    """
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    errors: Document = {
        str(status.value): {"description": status.phrase, "content": {_PROBLEM: problem}}
        for status in sorted({*_COMMON_FAILURES, *failures})
    }
    responses: Document = {"200": {"description": "OK", "content": content}, "304": {"description": "Not Modified"}}
    for status in others:
        partial = {"content": content} if status == HTTPStatus.PARTIAL_CONTENT else {}
        responses[str(status.value)] = {"description": status.phrase, **partial}
    responses |= errors
    # Where pages are offered, an error may be shown on a page as well.
    if HTML.media_type in content:
        for error in errors.values():
            if isinstance(error, dict):
                error["content"] = {**error["content"], **content_of((HTML,))}
    return {"summary": summary, "parameters": list(parameters), "responses": responses}


def content_of(formats: Sequence[Format]) -> dict[str, object]:
    """Return the content object for these formats, with all their media types."""
    return {name: ANYTHING for one in formats for name in (one.media_type, *one.also)}


def json_content(properties: Mapping[str, object], kind: str = "object") -> dict[str, object]:
    """Return the content object for JSON with these required properties."""
    schema = {"type": kind, "properties": properties, "required": list(properties)} if properties else {"type": kind}
    return {"application/json": {"schema": schema}}


def parameter(name: str, schema: Mapping[str, object], description: str, where: str = "query") -> Document:
    """Return a parameter object; ``where`` is ``query`` or ``path``."""
    return {"name": name, "in": where, "description": description, "schema": schema, "required": where == "path"}


def format_parameter() -> list[Document]:
    """Return the parameter ``format``, as a list of one."""
    names = ", ".join(dict.fromkeys(one.name for one in FORMATS))
    description = f"the format, which takes precedence over the Accept header: {names}, an extension or a media type"
    return [{**parameter("format", TEXT, description), "example": JSON.name}]


async def _placeholder() -> None:
    """Serve as the endpoint that FastAPI requires; ``openapi_extra`` says all there is to say about the operation."""
