"""The settings of a publication: one frozen object, built once and passed in.

Defaults < ``twingraph.toml`` < ``TWINGRAPH_*`` environment variables < the command line. Nested settings
are named with two underscores in the environment: ``TWINGRAPH_SERVER__PORT=8080``.
"""

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from twingraph.errors import SettingsError
from twingraph.iris import Iris

FILE_NAME = "twingraph.toml"
_ENVIRONMENT = "TWINGRAPH_"

PositiveInt = Annotated[int, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DefaultGraph(StrEnum):
    """What a query that names no dataset finds in the default graph (SPARQL 1.1, section 13.1).

    ``union``: the statements of all graphs; ``default``: only those that lie in no named graph.
    """

    UNION = "union"
    DEFAULT = "default"


class Agent(_Section):
    """An organisation, by name and page; never a person."""

    name: str
    url: str


class Folders(_Section):
    """Where the parts of a publication lie, relative to its directory."""

    ontology: str = "ontology"
    data: str = "data"
    shapes: str = "shapes"
    queries: str = "queries"
    rules: str = "ontology/rules"
    checks: str = "queries/checks"
    examples: str = "shapes/examples"
    releases: str = "releases"


class GraphRule(_Section):
    """The named graph of the files that match a pattern; ``{parent}`` and ``{stem}`` stand for the file's own."""

    files: str
    graph: str


class EvidenceTerms(_Section):
    """The terms in which a publication says which passage of which document supports a statement."""

    passage: str
    document: str
    start: str
    end: str
    quote: str
    supports: str
    sha256: str
    file_name: str
    max_quote: PositiveInt = 120


class Limits(_Section):
    """What the endpoint bounds."""

    query_bytes: PositiveInt = 1_000_000


class Server(_Section):
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000


class Settings(BaseSettings):
    """Everything that a publication decides for itself."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=_ENVIRONMENT, env_nested_delimiter="__")

    directory: Path
    base_iri: str
    title: dict[str, str]
    description: dict[str, str] = {}
    publisher: Agent | None = None
    contact: Agent | None = None
    licence: str | None = None
    languages: tuple[str, ...] = ("en",)
    prefixes: dict[str, str] = {}
    folders: Folders = Folders()
    graphs: tuple[GraphRule, ...] = ()
    derived_graph: str = "graph/derived"
    default_graph: DefaultGraph = DefaultGraph.UNION
    evidence: EvidenceTerms | None = None
    iri_types: dict[str, str] = {}
    sources: Path = Path("../shared/sources")
    limits: Limits = Limits()
    server: Server = Server()

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
