"""The sections of the settings, each setting with its default."""

import re
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Annotated

import pyoxigraph as ox
from pydantic import BaseModel, ConfigDict, Field, field_validator

from twingraph.rdf.formats import INPUT_SUFFIXES

PositiveInt = Annotated[int, Field(gt=0)]
NaturalInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]


def absolute_iri(value: str) -> str:
    """Return the value; raises ValueError when it is not an absolute IRI."""
    try:
        return ox.NamedNode(value).value
    except ValueError:
        raise ValueError(f'must be an absolute IRI, such as "https://example.org/", not {value!r}') from None


class Section(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Agent(Section):
    """An organisation with its page; never a person."""

    name: str
    """Its name."""
    url: str
    """The URL of its page or contact form."""

    @field_validator("url")
    @classmethod
    def _is_iri(cls, value: str) -> str:
        return absolute_iri(value)


class Folders(Section):
    """The folders of a publication, relative to its directory."""

    ontology: str = "ontology"
    """Terms, alignments and concept schemes."""
    data: str = "data"
    """Statements."""
    shapes: str = "shapes"
    """SHACL shapes."""
    queries: str = "queries"
    """Saved queries."""
    rules: str = "ontology/rules"
    """CONSTRUCT queries that derive statements, run in the order of their names; their examples in `examples/`."""
    checks: str = "queries/checks"
    """Queries of which each row is a violation; their examples in `examples/`."""
    examples: str = "shapes/examples"
    """Valid and invalid examples of the shapes."""
    releases: str = "releases"
    """Releases."""


# What braces in the name of a graph stand for, see GraphRule.
GRAPH_PLACEHOLDERS = ("parent", "stem", "path")
DEFAULT_GRAPH_NAME = "graph/{path}"


class Derivation(Section):
    """An application of all rules, in turn, to the statements of all graphs but some."""

    graph: str
    """The named graph of what is derived and not yet known, relative to the base."""
    without: tuple[str, ...] = ()
    """The named graphs whose statements the rules do not see, relative to the base."""


class GraphRule(Section):
    """The named graph of the files that match a pattern.

    ``{parent}`` is the name of the file's folder, ``{stem}`` its own name without suffix, ``{path}`` its path in the
    publication without suffix.
    """

    files: str
    """A pattern of paths; `*` matches within a folder, `**` across folders."""
    graph: str
    """The IRI of the graph, relative to the base."""

    @field_validator("graph")
    @classmethod
    def _has_known_placeholders(cls, value: str) -> str:
        for name in re.findall(r"\{([^{}]*)\}", value):
            if name not in GRAPH_PLACEHOLDERS:
                near = get_close_matches(name, GRAPH_PLACEHOLDERS, n=1)
                known = ", ".join(f"{{{known}}}" for known in GRAPH_PLACEHOLDERS)
                hint = f"did you mean {{{near[0]}}}?" if near else f"known: {known}"
                raise ValueError(f"{{{name}}} stands for nothing; {hint}")
        return value


class EvidenceTerms(Section):
    """The terms with which a publication states which passage of which document supports a statement."""

    passage: str
    """The class of passages."""
    document: str
    """The property from a passage to its document."""
    start: str
    """The property for the offset of a passage's first character, from 0."""
    end: str
    """The property for the offset after a passage's last character."""
    quote: str
    """The property for the words of a passage that support the statement."""
    supports: str
    """The property from a thing to a passage that supports it."""
    sha256: str
    """The property for the SHA-256 of a document's file, in hexadecimal."""
    file_name: str
    """The property for the name of a document's file in the archive."""
    max_quote: PositiveInt = 120
    """The maximum length of a quote, in characters."""


class Limits(Section):
    """The limits of the endpoint."""

    query_bytes: PositiveInt = 1_000_000
    """The maximum size of a request body, in bytes."""
    target_bytes: PositiveInt = 32_768
    """The maximum size of a request target (path and query), in bytes."""
    header_bytes: PositiveInt = 32_768
    """The maximum size of all header fields of a request, in bytes."""
    header_fields: PositiveInt = 100
    """The maximum number of header fields of a request."""
    request_seconds: PositiveFloat = 10.0
    """How long a client may take to send a request, in seconds."""
    keep_alive_seconds: PositiveInt = 5
    """How long an idle connection is kept open, in seconds."""
    stalled_seconds: PositiveFloat = 60.0
    """How long a client may read nothing of its response, in seconds."""
    connections: PositiveInt = 1000
    """The maximum number of connections; idle ones are closed in favour of new ones."""
    connections_per_client: NaturalInt = 0
    """The maximum number of connections per client; 0 for a quarter of all."""
    query_seconds: PositiveFloat = 30.0
    """How long a query may run, in seconds, from its assignment to a worker to the last byte of its result."""
    memory_bytes: PositiveInt = 1_000_000_000
    """How much memory a query may use, in bytes, in addition to the release itself."""
    rows: NaturalInt = 1_000_000
    """The maximum number of rows of a result; 0 for no limit."""
    answer_bytes: PositiveInt = 500_000_000
    """The maximum size of a result, in bytes."""
    buffer_bytes: PositiveInt = 1_048_576
    """How much of a result is buffered, in bytes, so that errors until then still get an HTTP status of their own."""
    workers: NaturalInt = 0
    """How many queries run concurrently; 0 for one per processor, but at least two."""
    reserve_workers: NaturalInt = 1
    """How many more workers are kept ready, for clients that have none when all are busy and to replace killed ones."""
    per_client: NaturalInt = 0
    """How many queries of one client run concurrently; 0 for as many as there are workers."""
    queue: NaturalInt = 64
    """How many queries may wait for a worker."""
    queue_seconds: PositiveFloat = 10.0
    """How long a query may wait for a worker, in seconds."""
    cache_bytes: NaturalInt = 67_108_864
    """The size of the cache of responses, in bytes; 0 for none."""
    memory_quads: NaturalInt = 2_000_000
    """The largest release, in quads, that a worker loads into memory; its named graphs only up to a third of that."""
    warm_up: bool = True
    """Whether saved queries without required parameters are run once when a release is opened."""


class Server(Section):
    """Where the server listens."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 for any free port."""
    url: str | None = None
    """The URL at which visitors find the server, where that is not the base IRI; for links, never for IRIs."""
    access_log: bool = True
    """Whether each request is logged as a line of JSON on standard error."""
    log_addresses: bool = False
    """Whether that log contains the IP addresses of clients."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """The addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted."""

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError(f"must begin with http:// or https://, not {value!r}")
        return value if value is None else absolute_iri(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one, strict=False)  # raises ValueError with the wrong value
        return value


class Files(Section):
    """Which files of the folders are read, and the limits within which each of them is read.

    The suffixes of RDF are `.ttl`, `.n3`, `.nt`, `.nq`, `.trig`, `.rdf`, `.owl`, `.xml` and `.jsonld`, in any case,
    each also with `.gz`. In patterns `*` matches within a folder, `**` across folders.
    """

    include: tuple[str, ...] = ("**",)
    """Patterns of the paths that are read."""
    exclude: tuple[str, ...] = ("**/.*", "**/.*/**", "**/*~")
    """Patterns of the paths that are not read, although included."""
    prefer: tuple[str, ...] = ()
    """Suffixes, best first: of files that differ only in their suffix the best one is read; without any, all are."""
    contexts: dict[str, str] = {}
    """The file with each JSON-LD context that is referred to by its IRI; contexts are never fetched."""
    max_bytes: PositiveInt = 4_000_000_000
    """The maximum size of a file, in bytes, after decompression."""
    max_expansion: PositiveInt = 200
    """How many times larger a file may become by decompression, entities or prefixes, beyond the first 64 MiB."""
    max_literal_bytes: Annotated[int, Field(gt=0, le=16_000_000)] = 16_000_000
    """The maximum size of a statement, and so of a literal, in bytes; the parsers can take no more than 16 MB."""
    max_depth: PositiveInt = 1000
    """How deep elements, objects, lists of JSON and triple terms may be nested."""
    max_prefixes: PositiveInt = 1000
    """How many namespaces may be in scope in RDF/XML, and how many attributes an element may have."""
    max_entity_bytes: PositiveInt = 2000
    """The maximum size of an entity that a document in RDF/XML declares, in bytes."""

    max_context_terms: PositiveInt = 20_000_000
    """How many terms the contexts of a JSON-LD document may define, counted for each context that adds to them."""

    @field_validator("prefer")
    @classmethod
    def _are_suffixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for suffix in value:
            if suffix.lower().removesuffix(".gz") not in INPUT_SUFFIXES:
                raise ValueError(f"{suffix!r} is no suffix of RDF; known: {', '.join(INPUT_SUFFIXES)}")
        return tuple(suffix.lower() for suffix in value)


class CheckLimits(Section):
    """The limits of `check` and `build`."""

    query_seconds: PositiveFloat = 60.0
    """How long a rule, a check or a saved query may run, in seconds."""
    shapes_seconds: PositiveFloat = 300.0
    """How long a shape may take for a batch of focus nodes, 20,000 at most, in seconds."""
    memory_bytes: PositiveInt = 4_000_000_000
    """How much memory queries, and validation by shapes, may use in addition to the statements, in bytes."""


_LABELS = (
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://purl.org/dc/terms/title",
    "https://schema.org/name",
    "http://xmlns.com/foaf/0.1/name",
)


class Descriptions(Section):
    """Where the document about a thing is, and what it holds besides the statements of the thing.

    Properties are IRIs or names with a prefix from the settings.
    """

    things: str = "id/"
    """The beginning of the IRIs of things, relative to the base; their documents have `documents` in its place."""
    documents: str = "doc/"
    """The beginning of the addresses of documents, relative to the base."""
    labels: tuple[str, ...] = _LABELS
    """The properties for the names of things, the best first."""
    forward: tuple[str, ...] = ()
    """Properties of a thing whose values are described in its document, such as its evidence."""
    backward: tuple[str, ...] = ()
    """Properties whose subjects are described in the document about their value, such as claims about it."""
    links: Annotated[int, Field(gt=0, le=10_000)] = 100
    """How many links into a thing a page of its document has."""
    tombstone: str = "https://www.w3.org/ns/activitystreams#Tombstone"
    """The class of things that have been withdrawn; their documents are answered with the status 410."""

    @field_validator("things", "documents")
    @classmethod
    def _are_folders(cls, value: str) -> str:
        if not re.fullmatch(r"(?:[A-Za-z0-9._~-]+/)+", value):
            raise ValueError(f'must be a relative path that ends with a slash, such as "id/", not {value!r}')
        return value
