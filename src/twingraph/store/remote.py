"""The remote store: any SPARQL 1.1 endpoint, queried through SPARQLWrapper."""

import ast
import io
import json
import time
from collections import deque
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from typing import IO
from urllib.error import HTTPError, URLError
from xml.etree import ElementTree

import pyoxigraph as ox
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
from twingraph.rdf.formats import Format
from twingraph.sparql.query import Query, with_prefixes

_CHUNK_BYTES = 1 << 16
_MAX_REASON = 500
# Headers of incomplete results: Virtuoso sends the one at a timeout, this server the other at its limit of rows.
_PARTIAL = ("X-SQL-State", "Answer-Cut")
# The client has exceptions of its own for these statuses.
_STATUSES = {Unauthorized: 401, EndPointNotFound: 404, URITooLong: 414, EndPointInternalError: 500}


class RemoteEndpoint:
    """A SPARQL endpoint at ``url``; queries may use ``namespaces`` undeclared; ``seconds`` is the time limit."""

    def __init__(self, url: str, namespaces: Mapping[str, str], seconds: int = 60) -> None:
        self._url, self._namespaces, self._seconds = url, namespaces, seconds

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the endpoint's response body unchanged, once it is known to be complete.

        Raises QueryError when the endpoint reports a malformed query, EndpointError when it does not respond in time,
        breaks off, returns an incomplete result or another format.
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
        # One media type: with the lists that SPARQLWrapper sends, some servers choose another format.
        client.setOnlyConneg(True)
        client.addCustomHttpHeader("Accept", format_.media_type)
        return client

    def _copy(self, response: object, format_: Format, output: IO[bytes]) -> None:
        reply: IO[bytes] = response  # type: ignore[assignment]  # urllib's response, which is not typed
        headers: Message = response.info()  # type: ignore[attr-defined]
        media_type = headers.get_content_type()
        if media_type not in (format_.media_type, *format_.also):
            raise EndpointError(self._url, f"responded with {media_type} instead of {format_.media_type}")
        for name in _PARTIAL:
            if name in headers:
                raise EndpointError(self._url, f"returned an incomplete result ({name}: {headers[name]})")
        content = self._read(reply, int(headers["Content-Length"]) if headers["Content-Length"] else None)
        try:
            _parse_whole(content, format_)
        except (SyntaxError, ValueError) as error:
            raise EndpointError(self._url, f"its response cannot be parsed: {error}") from error
        output.write(content)

    def _read(self, reply: IO[bytes], length: int | None) -> bytes:
        """Return the whole body; the time limit holds however slowly it arrives."""
        content, end = bytearray(), time.monotonic() + self._seconds
        while chunk := reply.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]  # urllib's response has it
            content += chunk
            if time.monotonic() > end:
                raise EndpointError(self._url, f"timed out: no complete response within {self._seconds} seconds")
        if length is not None and len(content) < length:
            raise EndpointError(self._url, f"broke off after {len(content)} of {length} bytes")
        return bytes(content)

    def _refusal(self, error: SPARQLWrapperException) -> QueryError | EndpointError:
        reason = _reason(str(error)) or error.msg
        if isinstance(error, QueryBadFormed):
            return QueryError(f"{self._url} responded: {reason}")
        return EndpointError(self._url, reason, _STATUSES.get(type(error)))


def _parse_whole(content: bytes, format_: Format) -> None:
    """Raise SyntaxError or ValueError for a truncated document; in CSV and TSV, truncation cannot be noticed."""
    if format_.is_json:
        json.loads(content)
    elif isinstance(format_.engine, ox.RdfFormat):
        deque(ox.parse(content, format=format_.engine, base_iri="http://localhost/"), maxlen=0)
    elif format_.is_xml:
        deque(ElementTree.iterparse(io.BytesIO(content)), maxlen=0)


def _reason(message: str) -> str:
    """Return the server's message, given the client's, which ends with the repr of the response body."""
    quoted = message.partition("Response:\n")[2]
    try:
        body = ast.literal_eval(quoted).decode("utf-8", "replace")
    except (ValueError, SyntaxError, AttributeError):
        body = quoted
    try:
        detail = json.loads(body)["detail"]  # problem details (RFC 9457)
    except (ValueError, KeyError, TypeError):
        detail = body
    return str(detail).strip()[:_MAX_REASON]
