"""The remote store: any SPARQL 1.1 endpoint, asked through SPARQLWrapper."""

import ast
import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import IO
from urllib.error import HTTPError, URLError

from SPARQLWrapper import POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import (
    EndPointInternalError,
    EndPointNotFound,
    QueryBadFormed,
    SPARQLWrapperException,
    Unauthorized,
    URITooLong,
)

from twingraph.errors import EndpointError, QueryError
from twingraph.formats import Format
from twingraph.query_text import Query, with_prefixes

_CHUNK = 1 << 16
_LONGEST = 500
# The client turns these statuses into classes of its own.
_STATUSES = {Unauthorized: 401, EndPointNotFound: 404, URITooLong: 414, EndPointInternalError: 500}


class RemoteEndpoint:
    """A SPARQL endpoint at ``url``; queries may use ``namespaces`` undeclared; ``seconds`` bounds each wait."""

    def __init__(self, url: str, namespaces: Mapping[str, str], seconds: int = 60) -> None:
        self._url, self._namespaces, self._seconds = url, namespaces, seconds

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the endpoint's answer as it came.

        Raises QueryError when the endpoint finds the query malformed, EndpointError when it does not answer, breaks
        off, or answers in another format than the one asked for.
        """
        try:
            self._copy(self._client(query, format_).query().response, format_, output)
        except SPARQLWrapperException as error:
            raise self._refusal(error) from error
        except HTTPError as error:
            raise EndpointError(self._url, str(error.reason), error.code) from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise EndpointError(self._url, str(getattr(error, "reason", error)) or type(error).__name__) from error

    def _client(self, query: Query, format_: Format) -> SPARQLWrapper:
        client = SPARQLWrapper(self._url)
        client.setMethod(POST)
        client.setTimeout(self._seconds)
        client.setQuery(with_prefixes(query.text, self._namespaces))
        # One exact media type: its own lists make some servers answer in a format nobody wanted.
        client.setOnlyConneg(True)
        client.addCustomHttpHeader("Accept", format_.media_type)
        return client

    def _copy(self, response: object, format_: Format, output: IO[bytes]) -> None:
        reply: IO[bytes] = response  # type: ignore[assignment]  # urllib's response, which is not typed
        media_type = response.info().get_content_type()  # type: ignore[attr-defined]
        if media_type not in (format_.media_type, *format_.also):
            raise EndpointError(self._url, f"answered with {media_type} when asked for {format_.media_type}")
        while chunk := reply.read(_CHUNK):
            output.write(chunk)

    def _refusal(self, error: SPARQLWrapperException) -> QueryError | EndpointError:
        reason = _reason(str(error)) or error.msg
        if isinstance(error, QueryBadFormed):
            return QueryError(f"{self._url} answers: {reason}")
        return EndpointError(self._url, reason, _STATUSES.get(type(error)))


def _reason(message: str) -> str:
    """Return what the server said, of a message that ends with its answer as Python writes bytes."""
    quoted = message.partition("Response:\n")[2]
    try:
        body = ast.literal_eval(quoted).decode("utf-8", "replace")
    except (ValueError, SyntaxError, AttributeError):
        body = quoted
    try:
        detail = json.loads(body)["detail"]  # problem details (RFC 9457)
    except (ValueError, KeyError, TypeError):
        detail = body
    return str(detail).strip()[:_LONGEST]
