"""The remote store: any SPARQL 1.1 endpoint, asked through SPARQLWrapper."""

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

_CHUNK = 1 << 16
_LONGEST = 500
# By these a server says that it gives less than was asked for: Virtuoso when its time is up, ours at its limit of rows.
_PARTIAL = ("X-SQL-State", "Answer-Cut")
# The client turns these statuses into classes of its own.
_STATUSES = {Unauthorized: 401, EndPointNotFound: 404, URITooLong: 414, EndPointInternalError: 500}


class RemoteEndpoint:
    """A SPARQL endpoint at ``url``; queries may use ``namespaces`` undeclared; ``seconds`` bounds each wait."""

    def __init__(self, url: str, namespaces: Mapping[str, str], seconds: int = 60) -> None:
        self._url, self._namespaces, self._seconds = url, namespaces, seconds

    def query(self, query: Query, format_: Format, output: IO[bytes]) -> None:
        """Write the endpoint's answer as it came, once it is known to be whole.

        Raises QueryError when the endpoint finds the query malformed, EndpointError when it does not answer in time,
        breaks off, gives a part only, or answers in another format than the one asked for.
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
        headers: Message = response.info()  # type: ignore[attr-defined]
        media_type = headers.get_content_type()
        if media_type not in (format_.media_type, *format_.also):
            raise EndpointError(self._url, f"answered with {media_type} when asked for {format_.media_type}")
        for name in _PARTIAL:
            if name in headers:
                raise EndpointError(self._url, f"gave a part of the answer only ({name}: {headers[name]})")
        content = self._read(reply, int(headers["Content-Length"]) if headers["Content-Length"] else None)
        try:
            _read_to_the_end(content, format_)
        except (SyntaxError, ValueError) as error:
            raise EndpointError(self._url, f"its answer cannot be read to the end: {error}") from error
        output.write(content)

    def _read(self, reply: IO[bytes], length: int | None) -> bytes:
        """Return the whole body within the time that there is for it, however slowly it comes."""
        content, end = bytearray(), time.monotonic() + self._seconds
        while chunk := reply.read1(_CHUNK):  # type: ignore[attr-defined]  # urllib's response has it
            content += chunk
            if time.monotonic() > end:
                raise EndpointError(self._url, f"timed out: no whole answer within {self._seconds} seconds")
        if length is not None and len(content) < length:
            raise EndpointError(self._url, f"broke off after {len(content)} of {length} bytes")
        return bytes(content)

    def _refusal(self, error: SPARQLWrapperException) -> QueryError | EndpointError:
        reason = _reason(str(error)) or error.msg
        if isinstance(error, QueryBadFormed):
            return QueryError(f"{self._url} answers: {reason}")
        return EndpointError(self._url, reason, _STATUSES.get(type(error)))


def _read_to_the_end(content: bytes, format_: Format) -> None:
    """Raise SyntaxError or ValueError for a document that ends too early; of CSV and TSV nobody can tell."""
    if format_.is_json:
        json.loads(content)
    elif isinstance(format_.engine, ox.RdfFormat):
        deque(ox.parse(content, format=format_.engine, base_iri="http://localhost/"), maxlen=0)
    elif format_.is_xml:
        deque(ElementTree.iterparse(io.BytesIO(content)), maxlen=0)


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
