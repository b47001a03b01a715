"""Errors as HTTP responses: a table of status codes, and problem details as the body (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import Response

from twingraph import errors
from twingraph.errors import RequestError

# What is not percent-encoded in the IRI of a Link field (RFC 3986, section 2.2; RFC 8288).
_IN_IRI = ":/?#[]@!$&'()*+,;=%~"
MEDIA_TYPE = "application/problem+json"
STATUSES: Mapping[type[errors.TwingraphError], HTTPStatus] = {
    errors.TwingraphError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.SettingsError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.PublicationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.FileRefusedError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.DateError: HTTPStatus.BAD_REQUEST,
    errors.IriError: HTTPStatus.BAD_REQUEST,
    errors.UnknownNameError: HTTPStatus.NOT_FOUND,
    errors.WithdrawnError: HTTPStatus.GONE,
    errors.ParameterError: HTTPStatus.BAD_REQUEST,
    errors.RequestError: HTTPStatus.BAD_REQUEST,
    errors.QueryError: HTTPStatus.BAD_REQUEST,
    errors.FederationRefusedError: HTTPStatus.FORBIDDEN,
    errors.UnknownGraphError: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedFunctionError: HTTPStatus.BAD_REQUEST,
    errors.NotAcceptableError: HTTPStatus.NOT_ACCEPTABLE,
    errors.NotConformingError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ReleaseError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NoReleaseError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.WorkerLostError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.NotReadyError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DamagedStoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LimitError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.QueryTimeoutError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MemoryLimitError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.AnswerTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.QueryTooLongError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooBusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EndpointError: HTTPStatus.BAD_GATEWAY,
}


# Reveals nothing about the internals of the server.
UNFORESEEN = RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed to process the request")


def status_of(error: errors.TwingraphError) -> HTTPStatus:
    """Return the status for an error: its own, or that of its class or nearest base class."""
    if isinstance(error, RequestError):
        return error.status
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(error: errors.TwingraphError) -> Response:
    """Return a problem document for an error, with line and column when the query is malformed."""
    status = status_of(error)
    body: dict[str, object] = {"type": "about:blank", "title": status.phrase, "status": status, "detail": str(error)}
    if isinstance(error, errors.QueryError) and error.line is not None:
        body |= {"line": error.line, "column": error.column}
    headers = dict(error.headers) if isinstance(error, RequestError) else {}
    if isinstance(error, errors.WithdrawnError) and error.successor:
        headers["Link"] = f'<{quote(error.successor, safe=_IN_IRI)}>; rel="successor-version"'
    if isinstance(error, errors.TooBusyError | errors.NotReadyError):
        headers["Retry-After"] = str(error.retry_after)
    content = json.dumps(body, ensure_ascii=False) + "\n"
    return Response(content, status, {**headers, "Cache-Control": "no-store"}, MEDIA_TYPE)
