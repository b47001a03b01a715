"""The settings of a publication: one frozen object, built once and passed in.

Defaults < ``twingraph.toml`` < ``TWINGRAPH_*`` environment variables < the command line. Nested settings
are named with two underscores in the environment: ``TWINGRAPH_SERVER__PORT=8080``.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from twingraph.errors import IriError, SettingsError
from twingraph.policy import Policy
from twingraph.rdf.iris import Iris, is_language_tag, resolve
from twingraph.rdf.terms import DefaultGraph

FILE_NAME = "twingraph.toml"
_ENVIRONMENT = "TWINGRAPH_"

PositiveInt = Annotated[int, Field(gt=0)]
NaturalInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Agent(_Section):
    """An organisation with its page; never a person."""

    name: str
    """Its name."""
    url: str
    """The URL of its page or contact form."""


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


class GraphRule(_Section):
    """The named graph of the files that match a pattern; ``{parent}`` and ``{stem}`` are those of the file."""

    files: str
    """A pattern of paths; `*` matches within a folder, `**` across folders."""
    graph: str
    """The IRI of the graph, relative to the base."""


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


class Settings(BaseSettings):
    """All settings of a publication."""

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
    """The beginning of the publication's own IRIs; it ends with `/` or `#`."""
    namespaces: tuple[str, ...] = ()
    """More namespaces of its own, which may be relative to the base; what is under none is described, not claimed."""
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
    """The named graph of each file: that of the first pattern that matches."""
    derived_graph: str = "graph/derived"
    """The named graph of derived statements, relative to the base."""
    default_graph: DefaultGraph = DefaultGraph.UNION
    """The default graph of a query without a dataset: the `union` of all graphs, or `default`."""
    evidence: EvidenceTerms | None = None
    """The terms of evidence; without them, passages are not checked."""
    sources: Path = Path("../shared/sources")
    """The archive of source documents, relative to the publication's directory."""
    limits: Limits = Limits()
    """The limits of the endpoint."""
    server: Server = Server()
    """Where the server listens."""
    policy: Policy = Policy()
    """What the publication refuses, warns of and lets pass."""

    @field_validator("base_iri")
    @classmethod
    def _is_namespace(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or not value.endswith(("/", "#")):
            raise ValueError("must begin with http:// or https:// and end with / or #")
        return value

    @field_validator("languages")
    @classmethod
    def _are_language_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := next((tag for tag in value if not is_language_tag(tag)), None):
            raise ValueError(f"{wrong!r} is not a language tag; write it as en, pt-BR or zh-Hans")
        return value

    @model_validator(mode="after")
    def _has_names_that_expand(self) -> "Settings":
        """Raise SettingsError for a name in the policy that is neither an IRI nor has a declared prefix."""
        for key, name in self.policy.names():
            prefix, _, local = name.partition(":")
            if prefix not in self.prefixes and not name.startswith(("<", f"{prefix}://", "urn:", "tag:", "info:")):
                near = get_close_matches(prefix, self.prefixes, n=1)
                hint = f"; did you mean {near[0]}:{local}?" if near else ""
                raise SettingsError(FILE_NAME, f"policy.{key}", f"{name!r} has no declared prefix{hint}")
            try:
                self.iris.expand(name)
            except IriError as error:
                raise SettingsError(FILE_NAME, f"policy.{key}", str(error)) from error
        return self

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
        """The publication's IRIs, with every prefix and namespace made absolute."""
        base = self.base_iri
        return Iris(
            base,
            {prefix: resolve(base, iri) for prefix, iri in self.prefixes.items()},
            tuple(resolve(base, iri) for iri in self.namespaces),
            tuple(form.compiled(base) for form in self.policy.iri_forms),
        )

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
    merged: dict[str, Any] = {}
    layers = _layers(directory, options)
    for name, values in layers:
        if "directory" in values:
            raise SettingsError(name, "directory", "can be set only by the option --directory")
        merged = _merge(merged, values)
    merged["directory"] = directory
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(_origin(first["loc"], layers), key, first["msg"].removeprefix("Value error, ")) from error


def settings_origins(settings: Settings, **options: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield each setting's dotted name, effective value and origin, in the order of the class."""
    layers = _layers(settings.directory, options)
    for name, value in settings.model_dump(mode="json").items():
        if name == "directory":
            continue
        if name == "policy":
            value["levels"] |= settings.policy.effective_levels()
        for path, inner in _leaves(name, value):
            yield ".".join(path), inner, _origin(path, layers)


def _leaves(name: str, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the settings within a table, and within its tables, each with its path; an empty table is itself one."""
    if not isinstance(value, Mapping) or not value:
        yield (name,), value
        return
    for key, inner in value.items():
        yield from (((name, *path), leaf) for path, leaf in _leaves(key, inner))


def _layers(directory: Path, options: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value is not None:
            outer, _, inner = name.partition("__")
            given = _merge(given, {outer: {inner: value} if inner else value})
    return [(FILE_NAME, _read_file(directory)), ("environment", _environment()), ("command line", given)]


def _environment() -> dict[str, Any]:
    """Return the settings in the environment.

    Raises SettingsError for a variable that names no setting, which pydantic would ignore, or is not in its syntax.
    """
    for variable in os.environ:
        name = variable.upper().removeprefix(_ENVIRONMENT)
        if name != variable.upper() and name.partition("__")[0].lower() not in Settings.model_fields:
            raise SettingsError("environment", variable, "there is no such setting")
    try:
        return EnvSettingsSource(Settings)()
    except ValueError as error:  # SettingsError of pydantic-settings
        reason = f"{str(error).partition(' from source')[0]}; lists and tables are written as JSON"
        raise SettingsError("environment", "", reason) from error


def _read_file(directory: Path) -> dict[str, Any]:
    path = directory / FILE_NAME
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(str(path), "", "no such file; a publication has one in its directory") from error
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
