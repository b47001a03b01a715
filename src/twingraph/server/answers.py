"""Answering a query: choosing the representation, asking the store, and the headers that go with it."""

import asyncio
import hashlib
import io
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from twingraph.errors import NotAcceptableError, UnknownNameError
from twingraph.formats import GRAPHS, HTML, JSON, N_TRIPLES, RESULTS, Format, by_name, negotiate
from twingraph.query_text import Query
from twingraph.server.releases import Serving
from twingraph.store.solutions import Solutions, read_solutions, read_triples

_HEADERS = {"Vary": "Accept", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which representation a request wants: its Accept header, and ``?format=``, which wins over it."""

    accept: str | None
    format: str | None = None

    def choose(self, offered: tuple[Format, ...]) -> Format:
        """Return the format to answer in; raises UnknownNameError or NotAcceptableError."""
        return by_name(self.format, offered) if self.format else negotiate(self.accept, offered)

    @property
    def is_page(self) -> bool:
        """Tell whether a page for people is wanted rather than data."""
        try:
            return self.choose((*RESULTS, *GRAPHS, HTML)).name == HTML.name
        except (NotAcceptableError, UnknownNameError):
            return False


def wish(request: Request) -> Wish:
    """Return what the request's headers and address wish for."""
    accept = ",".join(request.headers.getlist("accept")) or None
    return Wish(accept, request.query_params.get("format") or None)


def offered(query: Query) -> tuple[Format, ...]:
    """Return the formats in which a query can be answered."""
    return (*(GRAPHS if query.form.gives_graph else RESULTS), HTML)


async def respond(serving: Serving, query: Query, format_: Format, request: Request) -> Response:
    """Return the answer as data, or 304 when the client has it already."""
    tag = _tag(serving, query, format_)
    headers = {**_HEADERS, "ETag": tag, "Content-Type": format_.content_type}
    if tag in [known.strip() for known in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(await ask(serving, query, format_), headers=headers)


async def ask(serving: Serving, query: Query, format_: Format) -> bytes:
    """Return the serialized answer, made on a thread of its own; raises QueryError or StoreError."""
    return await asyncio.to_thread(_ask, serving, query, format_)


async def solutions(serving: Serving, query: Query) -> Solutions:
    """Return the answer as rows to be laid out; a graph's are its triples."""
    return await asyncio.to_thread(_solutions, serving, query)


def _solutions(serving: Serving, query: Query) -> Solutions:
    iris = serving.release.manifest.iris
    if query.form.gives_graph:
        return read_triples(_ask(serving, query, N_TRIPLES), iris)
    return read_solutions(_ask(serving, query, JSON), iris)


def _ask(serving: Serving, query: Query, format_: Format) -> bytes:
    output = io.BytesIO()
    serving.store.query(query, format_, output)
    return output.getvalue()


def _tag(serving: Serving, query: Query, format_: Format) -> str:
    parts = (query.text, query.default_graphs, query.named_graphs, format_.media_type)
    return f'"{serving.release.id}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"'
