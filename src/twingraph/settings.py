"""The settings of a publication: one frozen object, built once and passed in.

Defaults < ``twingraph.toml`` < ``TWINGRAPH_*`` environment variables < the command line. Nested settings
are named with two underscores in the environment: ``TWINGRAPH_SERVER__PORT=8080``.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

import pyoxigraph as ox
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from twingraph.errors import SettingsError
from twingraph.rdf.formats import INPUT_SUFFIXES
from twingraph.rdf.iris import Iris
from twingraph.rdf.terms import DefaultGraph
from twingraph.settings_errors import first_error
from twingraph.settings_layers import ENVIRONMENT, FILE_NAME, Layers, layers_of, merged, origin, parsed, read_file

# The fields of `Settings` that say what is read, so that what is read cannot set them.
NOT_IN_FILE = frozenset({"directory", "data_files", "shape_files"})
# RFC 3987 without the details: no white space, no characters that must be escaped (SPARQL 1.1, IRIREF).
_IRI_REFERENCE = re.compile(r"""[^\x00-\x20<>"{}|\\^`]*""")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")

PositiveInt = Annotated[int, Field(gt=0)]
NaturalInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]


def _absolute_iri(value: str) -> str:
    """Return the value; raises ValueError when it is not an absolute IRI."""
    try:
        return ox.NamedNode(value).value
    except ValueError:
        raise ValueError(f'must be an absolute IRI, such as "https://example.org/", not {value!r}') from None


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Agent(_Section):
    """An organisation with its page; never a person."""

    name: str
    """Its name."""
    url: str
    """The URL of its page or contact form."""

    @field_validator("url")
    @classmethod
    def _is_iri(cls, value: str) -> str:
        return _absolute_iri(value)


class Folders(_Section):
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


class GraphRule(_Section):
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


class EvidenceTerms(_Section):
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


class Limits(_Section):
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


class Server(_Section):
    """Where the server listens."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 for any free port."""
    access_log: bool = True
    """Whether each request is logged as a line of JSON on standard error."""
    log_addresses: bool = False
    """Whether that log contains the IP addresses of clients."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """The addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted."""

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one, strict=False)  # raises ValueError with the wrong value
        return value


class Files(_Section):
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

    @field_validator("prefer")
    @classmethod
    def _are_suffixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for suffix in value:
            if suffix.lower().removesuffix(".gz") not in INPUT_SUFFIXES:
                raise ValueError(f"{suffix!r} is no suffix of RDF; known: {', '.join(INPUT_SUFFIXES)}")
        return tuple(suffix.lower() for suffix in value)


class CheckLimits(_Section):
    """The limits of `check` and `build`."""

    query_seconds: PositiveFloat = 60.0
    """How long a rule, a check or a saved query may run, in seconds."""
    shapes_seconds: PositiveFloat = 300.0
    """How long a shape may take for a batch of focus nodes, 20,000 at most, in seconds."""
    memory_bytes: PositiveInt = 4_000_000_000
    """How much memory queries, and validation by shapes, may use in addition to the statements, in bytes."""


class Settings(BaseSettings):
    """All settings of a publication."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        env_prefix=ENVIRONMENT,
        env_nested_delimiter="__",
    )

    directory: Path
    """The publication's directory; not a setting of the file."""
    data_files: tuple[Path, ...] = ()
    """Files and folders that are read instead of the publication's folders; not a setting of the file."""
    shape_files: tuple[Path, ...] = ()
    """The shapes, when there are ``data_files``; not a setting of the file."""
    base_iri: str
    """The beginning of every IRI of the publication; it ends with `/`."""
    title: dict[str, str]
    """The title, by language."""
    description: dict[str, str] = {}
    """What the publication is about, by language."""
    publisher: Agent | None = None
    """The organisation that publishes."""
    contact: Agent | None = None
    """An organisation to contact, with a form or page; not a person."""
    licence: str | None = None
    """The IRI of the licence."""
    languages: tuple[str, ...] = ("en",)
    """The languages that labels may have."""
    prefixes: dict[str, str] = {}
    """Prefixes and their namespaces, which may be relative to the base; queries may use them undeclared."""
    folders: Folders = Folders()
    """The folders of the publication."""
    graphs: tuple[GraphRule, ...] = ()
    """The named graph of each file: that of the first pattern that matches; without patterns, `graph/{path}`."""
    files: Files = Files()
    """Which files are read, and within which limits."""
    derived_graph: str = "graph/derived"
    """The named graph of derived statements, relative to the base."""
    blank_nodes: bool = True
    """Whether the publication may have blank nodes; with `false`, `check` reports each of them."""
    default_graph: DefaultGraph = DefaultGraph.UNION
    """The default graph of a query without a dataset: the `union` of all graphs, or `default`."""
    evidence: EvidenceTerms | None = None
    """The terms of evidence; without them, passages are not checked."""
    iri_types: dict[str, str] = {}
    """The class of the things in each folder `id/{folder}/`; without any, folders are not checked."""
    sources: Path = Path("../shared/sources")
    """The archive of source documents, relative to the publication's directory."""
    limits: Limits = Limits()
    """The limits of the endpoint."""
    server: Server = Server()
    """Where the server listens."""
    check_limits: CheckLimits = CheckLimits()
    """The limits of `check` and `build`."""

    @field_validator("base_iri")
    @classmethod
    def _ends_with_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or not value.endswith("/"):
            raise ValueError("must begin with http:// or https:// and end with /")
        return _absolute_iri(value)

    @field_validator("licence")
    @classmethod
    def _is_iri(cls, value: str | None) -> str | None:
        return value if value is None else _absolute_iri(value)

    @field_validator("languages")
    @classmethod
    def _are_language_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tag in value:
            if not _LANGUAGE_TAG.fullmatch(tag):
                raise ValueError(f'{tag!r} is not a language tag such as "en" or "zh-Hans"')
        return value

    @field_validator("prefixes")
    @classmethod
    def _are_namespaces(cls, value: dict[str, str]) -> dict[str, str]:
        for prefix, namespace in value.items():
            if not _IRI_REFERENCE.fullmatch(namespace):
                raise ValueError(f"the namespace of {prefix!r} is not an IRI: {namespace!r}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read values from the constructor only: `_layers` reads the other sources, to know the origin of each."""
        return (init_settings,)

    @cached_property
    def iris(self) -> Iris:
        """The IRIs under the base, with every prefix made absolute."""
        bare = Iris(self.base_iri, {})
        return Iris(self.base_iri, {prefix: bare.resolve(iri) for prefix, iri in self.prefixes.items()})

    @property
    def source_archive(self) -> Path:
        """The directory of the texts of the source documents, which need not exist."""
        return (self.directory / self.sources).resolve()

    @property
    def releases(self) -> Path:
        """The directory of the releases."""
        return self.directory / self.folders.releases


def load_settings(directory: Path, **options: Any) -> Settings:
    """Return the effective settings of the publication in ``directory``.

    ``options`` are those of the command line: None means not given, and ``server__port`` names a nested setting.
    Raises SettingsError.
    """
    path = directory / FILE_NAME
    text = read_file(path)
    return _settings(layers_of(Settings, parsed(text, path), options), {"directory": directory}, text)


def settings_from(values: Mapping[str, Any], inputs: Mapping[str, Any], **options: Any) -> Settings:
    """Return effective settings with ``values`` in place of a file; ``inputs`` are the fields that no file sets.

    Raises SettingsError.
    """
    return _settings(layers_of(Settings, dict(values), options), inputs, "")


def settings_origins(settings: Settings, **options: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield each setting's dotted name, effective value and origin, in the order of the class."""
    path = settings.directory / FILE_NAME
    layers = layers_of(Settings, parsed(read_file(path), path), options)
    for name, value in settings.model_dump(mode="json").items():
        if name in NOT_IN_FILE:
            continue
        rows = value.items() if isinstance(value, Mapping) and value else [(None, value)]
        for key, inner in rows:
            place = (name,) if key is None else (name, key)
            yield ".".join(place), inner, origin(place, layers)


def _settings(layers: Layers, inputs: Mapping[str, Any], text: str) -> Settings:
    for name, values in layers:
        for key in NOT_IN_FILE.intersection(values):
            raise SettingsError(name, key, "can be set only by the option --directory or by naming files")
    try:
        return Settings(**merged(layers), **inputs)
    except ValidationError as error:
        raise first_error(error, Settings, layers, inputs["directory"] / FILE_NAME, text) from error
