"""The settings of a publication: one frozen object, built once and passed in.

Defaults < ``twingraph.toml`` < ``TWINGRAPH_*`` environment variables < the command line. Nested settings
are named with two underscores in the environment: ``TWINGRAPH_SERVER__PORT=8080``.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from twingraph.errors import SettingsError
from twingraph.rdf.iris import Iris
from twingraph.rdf.terms import DefaultGraph

FILE_NAME = "twingraph.toml"
_ENVIRONMENT = "TWINGRAPH_"

PositiveInt = Annotated[int, Field(gt=0)]
NaturalInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Agent(_Section):
    """An organisation, by name and page; never a person."""

    name: str
    """Its name."""
    url: str
    """Its page or form."""


class Folders(_Section):
    """Where the parts of a publication lie, relative to its directory."""

    ontology: str = "ontology"
    """Terms, alignments and concept schemes."""
    data: str = "data"
    """What is said."""
    shapes: str = "shapes"
    """SHACL shapes."""
    queries: str = "queries"
    """Saved queries."""
    rules: str = "ontology/rules"
    """CONSTRUCT queries that derive statements, run in the order of their names."""
    checks: str = "queries/checks"
    """Queries of which any row is a violation."""
    examples: str = "shapes/examples"
    """Valid and invalid examples of the shapes."""
    releases: str = "releases"
    """Where releases are written."""


class GraphRule(_Section):
    """The named graph of the files that match a pattern; ``{parent}`` and ``{stem}`` stand for the file's own."""

    files: str
    """A pattern of paths; `*` stays within a folder, `**` does not."""
    graph: str
    """The IRI of the graph, relative to the base."""


class EvidenceTerms(_Section):
    """The terms in which a publication says which passage of which document supports a statement."""

    passage: str
    """The class of passages."""
    document: str
    """From a passage to its document."""
    start: str
    """The offset of a passage's first character, from 0."""
    end: str
    """The offset after a passage's last character."""
    quote: str
    """The words that say it."""
    supports: str
    """From what is said to a passage that says it."""
    sha256: str
    """The SHA-256 of a document's file, in hexadecimal."""
    file_name: str
    """The name of a document's file in the archive."""
    max_quote: PositiveInt = 120
    """How many characters a quote may have."""


class Limits(_Section):
    """What the endpoint bounds."""

    query_bytes: PositiveInt = 1_000_000
    """How many bytes the body of a request may have."""
    target_bytes: PositiveInt = 32_768
    """How many bytes the address of a request may have, its query among them."""
    header_bytes: PositiveInt = 32_768
    """How many bytes the headers of a request may have together."""
    header_fields: PositiveInt = 100
    """How many headers a request may have."""
    request_seconds: PositiveFloat = 10.0
    """How long a client may take to send a request."""
    keep_alive_seconds: PositiveInt = 5
    """How long a connection may wait for its next request."""
    stalled_seconds: PositiveFloat = 60.0
    """How long a client may take nothing of what is sent to it."""
    connections: PositiveInt = 1000
    """How many connections there may be; those that wait for a request give way to new ones."""
    connections_per_client: NaturalInt = 0
    """How many of them one client may have; 0 for a quarter."""
    query_seconds: PositiveFloat = 30.0
    """How long a query may run, from when a worker takes it to the last byte of its answer."""
    memory_bytes: PositiveInt = 1_000_000_000
    """How much memory a query may use beside the release itself."""
    rows: NaturalInt = 1_000_000
    """How many rows an answer may have; 0 for any number."""
    answer_bytes: PositiveInt = 500_000_000
    """How many bytes an answer may have."""
    buffer_bytes: PositiveInt = 1_048_576
    """How much of an answer is held back, so that what goes wrong until then is said plainly."""
    workers: NaturalInt = 0
    """How many queries run at once; 0 takes one for each processor, and two at least."""
    reserve_workers: NaturalInt = 1
    """How many more workers stand ready: for clients that have none while others hold all, and for those killed."""
    per_client: NaturalInt = 0
    """How many queries of one client run at once; 0 for as many as there are workers."""
    queue: NaturalInt = 64
    """How many queries may wait for a worker."""
    queue_seconds: PositiveFloat = 10.0
    """How long a query waits for a worker."""
    cache_bytes: NaturalInt = 67_108_864
    """How many bytes of answers are kept to be given again; 0 keeps none."""
    memory_quads: NaturalInt = 2_000_000
    """How many quads a worker may hold in memory: the merge of a release, and thrice its quads for its graphs."""
    warm_up: bool = True
    """Whether the saved queries that need no values are asked once when a release is opened."""


class Server(_Section):
    """Where the server listens."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 takes any that is free."""
    access_log: bool = True
    """Whether each request is logged, as a line of JSON on standard error."""
    log_addresses: bool = False
    """Whether that log says the IP addresses of those who ask."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """The addresses or networks of proxies, which say in `X-Forwarded-For` and `-Proto` who asks, and how."""

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one, strict=False)  # the ValueError says which is none
        return value


class Settings(BaseSettings):
    """Everything that a publication decides for itself."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        env_prefix=_ENVIRONMENT,
        env_nested_delimiter="__",
    )

    directory: Path
    """The publication's directory; not a setting of the file."""
    base_iri: str
    """What every IRI of the publication begins with; it ends with `/`."""
    title: dict[str, str]
    """The title, by language."""
    description: dict[str, str] = {}
    """What the publication is about, by language."""
    publisher: Agent | None = None
    """Who publishes: an organisation."""
    contact: Agent | None = None
    """Where to turn: a form or page, no person."""
    licence: str | None = None
    """The IRI of the licence."""
    languages: tuple[str, ...] = ("en",)
    """The languages that labels may have."""
    prefixes: dict[str, str] = {}
    """Prefixes and their namespaces, which may be relative to the base; queries may use them undeclared."""
    folders: Folders = Folders()
    """Where the parts of the publication lie."""
    graphs: tuple[GraphRule, ...] = ()
    """Which named graph a file belongs to: the first pattern that matches."""
    derived_graph: str = "graph/derived"
    """The named graph of derived statements, relative to the base."""
    blank_nodes: bool = True
    """Whether the publication may have blank nodes; with `false`, `check` reports each of them."""
    default_graph: DefaultGraph = DefaultGraph.UNION
    """What a query without dataset finds in the default graph: `union` of all graphs, or `default`."""
    evidence: EvidenceTerms | None = None
    """The terms of evidence; without them no passage is looked for."""
    iri_types: dict[str, str] = {}
    """The class of the things in each folder `id/{folder}/`; without any, folders are free."""
    sources: Path = Path("../shared/sources")
    """The archive of source documents, relative to the directory."""
    limits: Limits = Limits()
    """What the endpoint bounds."""
    server: Server = Server()
    """Where the server listens."""

    @field_validator("base_iri")
    @classmethod
    def _ends_with_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or not value.endswith("/"):
            raise ValueError("must begin with http:// or https:// and end with /")
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
        """Take values from the constructor only: `_layers` reads the sources, to know where a value is from."""
        return (init_settings,)

    @cached_property
    def iris(self) -> Iris:
        """The IRIs under the base, with every prefix made absolute."""
        bare = Iris(self.base_iri, {})
        return Iris(self.base_iri, {prefix: bare.resolve(iri) for prefix, iri in self.prefixes.items()})

    @property
    def source_archive(self) -> Path:
        """The directory with the texts of the source documents, which need not exist."""
        return (self.directory / self.sources).resolve()

    @property
    def releases(self) -> Path:
        """The directory of the releases."""
        return self.directory / self.folders.releases


def load_settings(directory: Path, **options: Any) -> Settings:
    """Return the effective settings of the publication in ``directory``.

    ``options`` are those of the command line; None means not given; ``server__port`` names a nested setting.
    Raises SettingsError.
    """
    merged: dict[str, Any] = {"directory": directory}
    layers = _layers(directory, options)
    for _, values in layers:
        merged = _merge(merged, values)
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(_origin(first["loc"], layers), key, first["msg"].removeprefix("Value error, ")) from error


def settings_origins(settings: Settings, **options: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield each setting's dotted name, effective value and where it came from, in the order of the class."""
    layers = _layers(settings.directory, options)
    for name, value in settings.model_dump(mode="json").items():
        if name == "directory":
            continue
        rows = value.items() if isinstance(value, Mapping) and value else [(None, value)]
        for key, inner in rows:
            path = (name,) if key is None else (name, key)
            yield ".".join(path), inner, _origin(path, layers)


def _layers(directory: Path, options: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value is not None:
            outer, _, inner = name.partition("__")
            given = _merge(given, {outer: {inner: value} if inner else value})
    environment = EnvSettingsSource(Settings)()
    return [(FILE_NAME, _read_file(directory)), ("environment", environment), ("command line", given)]


def _read_file(directory: Path) -> dict[str, Any]:
    path = directory / FILE_NAME
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(str(path), "", "no such file; a publication has one at its top") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), "", str(error)) from error


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _origin(path: tuple[str | int, ...], layers: list[tuple[str, dict[str, Any]]]) -> str:
    return next((name for name, values in reversed(layers) if _given(values, path)), "default")


def _given(values: object, path: tuple[str | int, ...]) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True
