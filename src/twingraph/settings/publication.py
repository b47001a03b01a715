"""The settings of a publication: one frozen object, built once and passed in.

Defaults < ``twingraph.toml`` < ``TWINGRAPH_*`` environment variables < the command line. Nested settings
are named with two underscores in the environment: ``TWINGRAPH_SERVER__PORT=8080``.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from twingraph.errors import IriError, SettingsError
from twingraph.rdf.iris import Iris, is_language_tag, resolve
from twingraph.rdf.terms import DefaultGraph
from twingraph.settings.catalogue import Catalogue, Dumps, Security
from twingraph.settings.errors import first_error, line_of
from twingraph.settings.layers import (
    ENVIRONMENT,
    FILE_NAME,
    Layers,
    layers_of,
    merged,
    origin,
    parsed,
    read_file,
    shown,
)
from twingraph.settings.policy import Policy
from twingraph.settings.sections import (
    Agent,
    CheckLimits,
    Derivation,
    Descriptions,
    EvidenceTerms,
    Files,
    Folders,
    GraphRule,
    Limits,
    Server,
    absolute_iri,
)

# The fields of `Settings` that say what is read, so that what is read cannot set them.
NOT_IN_FILE = frozenset({"directory", "data_files", "shape_files"})
# RFC 3987 without the details: no white space, no characters that must be escaped (SPARQL 1.1, IRIREF).
_IRI_REFERENCE = re.compile(r"""[^\x00-\x20<>"{}|\\^`]*""")


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
    """The named graph of each file: that of the first pattern that matches; without patterns, `graph/{path}`."""
    files: Files = Files()
    """Which files are read, and within which limits."""
    derivations: tuple[Derivation, ...] = (Derivation(graph="graph/derived"),)
    """How the rules are applied: all of them for each of these, which sees what those before it have derived."""
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
    check_limits: CheckLimits = CheckLimits()
    """The limits of `check` and `build`."""
    descriptions: Descriptions = Descriptions()
    """Where the document about a thing is, and what it holds."""
    policy: Policy = Policy()
    """What the publication refuses, warns of and lets pass."""
    catalogue: Catalogue = Catalogue()
    """What the catalogue says of the publication."""
    dumps: Dumps = Dumps()
    """Which dumps a build writes."""
    security: Security = Security()
    """Whom to tell of a vulnerability."""

    @field_validator("base_iri")
    @classmethod
    def _is_namespace(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or not value.endswith(("/", "#")):
            raise ValueError("must begin with http:// or https:// and end with / or #")
        return absolute_iri(value)

    @field_validator("licence")
    @classmethod
    def _is_iri(cls, value: str | None) -> str | None:
        return value if value is None else absolute_iri(value)

    @field_validator("derivations")
    @classmethod
    def _are_some(cls, value: tuple[Derivation, ...]) -> tuple[Derivation, ...]:
        if not value:
            raise ValueError("has none; without rules nothing is derived, and this says how they are applied")
        return value

    @field_validator("languages")
    @classmethod
    def _are_language_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tag in value:
            if not is_language_tag(tag):
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
        if name == "policy":
            value["levels"] |= settings.policy.effective_levels()
        for place, inner in _leaves(name, value):
            yield ".".join(place), inner, origin(place, layers)


def _leaves(name: str, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the settings within a table, and within its tables, each with its path; an empty table is itself one."""
    if not isinstance(value, Mapping) or not value:
        yield (name,), value
        return
    for key, inner in value.items():
        yield from (((name, *path), leaf) for path, leaf in _leaves(key, inner))


def _settings(layers: Layers, inputs: Mapping[str, Any], text: str) -> Settings:
    for name, values in layers:
        for key in NOT_IN_FILE.intersection(values):
            raise SettingsError(name, key, "can be set only by the option --directory or by naming files")
    path = inputs["directory"] / FILE_NAME
    try:
        settings = Settings(**merged(layers), **inputs)
    except ValidationError as error:
        raise first_error(error, Settings, layers, path, text) from error
    for place, name in (*settings.policy.names(), *settings.catalogue.names()):
        if reason := _misnamed(settings, name):
            source, line = origin(place, layers), line_of(place, text)
            file = f"{shown(path)}:{line}" if line else shown(path)
            where = file if source in (FILE_NAME, "default") else source
            raise SettingsError(where, ".".join(map(str, place)), reason)
    return settings


def _misnamed(settings: Settings, name: str) -> str | None:
    """Return why a name of the policy is neither an IRI nor a name with a declared prefix, None if it is one."""
    prefix, _, local = name.partition(":")
    if prefix not in settings.prefixes and not name.startswith(("<", f"{prefix}://", "urn:", "tag:", "info:")):
        near = get_close_matches(prefix, settings.prefixes, n=1)
        return f"{name!r} has no declared prefix{f'; did you mean {near[0]}:{local}?' if near else ''}"
    try:
        settings.iris.expand(name)
    except IriError as error:
        return str(error)
    return None
