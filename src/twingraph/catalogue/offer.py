"""What a release offers, and where: the IRIs and addresses that every profile of the catalogue shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlsplit

from twingraph.rdf.iris import canonical_language, resolve
from twingraph.release.archive import SHAPES
from twingraph.release.dumps import Dump
from twingraph.release.manifest import Manifest
from twingraph.release.void import fragment
from twingraph.store.exact import QUADS

# Instances of these describe the data, and say nothing of what they are about.
_META = (
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://www.w3.org/2004/02/skos/core#",
    "http://www.w3.org/ns/shacl#",
)
_KEYWORDS = 8


@dataclass(frozen=True)
class Offer:
    """A release at an address: ``root``, which ends with ``/``, is where the server is found; IRIs have the base."""

    manifest: Manifest
    root: str

    @property
    def catalogue(self) -> str:
        """The IRI of the catalogue."""
        return self.manifest.iris.resolve("catalog")

    @property
    def dataset(self) -> str:
        """The IRI of the dataset, which VoID describes as well."""
        return fragment(self.manifest.base_iri, "dataset")

    def part(self, *names: str) -> str:
        """Return the IRI of a part of the catalogue."""
        return f"{self.catalogue}#{'/'.join(quote(name, safe='/-._~') for name in names)}"

    def url(self, path: str) -> str:
        """Return the address of a path of the server."""
        return self.root + path

    def dump_url(self, dump: Dump) -> str:
        """Return the address of a dump."""
        return self.url(f"release/{self.manifest.id}/{dump_path(dump)}")

    @property
    def host(self) -> str:
        """The name of the host under which the publication has its IRIs."""
        return urlsplit(self.manifest.base_iri).hostname or self.manifest.base_iri

    @property
    def shapes(self) -> str | None:
        """The IRI of the shapes, None if the release has none."""
        return self.manifest.iris.resolve("shapes") if SHAPES in self.manifest.files else None

    @cached_property
    def title(self) -> Mapping[str, str]:
        """The title by language; never empty."""
        return {tag: text for tag, text in self.manifest.title.items() if text} or {"en": self.host}

    @cached_property
    def description(self) -> Mapping[str, str]:
        """The description by language; the title where there is none."""
        return {tag: text for tag, text in self.manifest.description.items() if text} or self.title

    @cached_property
    def keywords(self) -> Mapping[str, tuple[str, ...]]:
        """The keywords by language: those of the settings, else the labels of the largest classes, else the host."""
        given = {tag: words for tag, words in self.manifest.catalogue.keywords.items() if words}
        if given:
            return given
        rows = sorted(self.manifest.classes.items(), key=lambda row: (-row[1].things, row[0]))
        about = [(iri, one) for iri, one in rows if not iri.startswith(_META)][:_KEYWORDS]
        found: dict[str, list[str]] = {}
        for iri, one in about:
            for tag, text in (one.labels or {"": _local_name(iri)}).items():
                found.setdefault(tag or "en", []).append(text)
        return {tag: tuple(dict.fromkeys(words)) for tag, words in found.items()} or {"en": (self.host,)}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The language tags of the publication, in their canonical case."""
        return tuple(map(canonical_language, self.manifest.languages))

    @property
    def version_notes(self) -> Mapping[str, str]:
        """What is new, or how large the release is."""
        manifest = self.manifest
        size = f"{manifest.quads:,} statements in {len(manifest.graphs):,} graphs"
        return manifest.catalogue.version_notes or {"en": f"Release {manifest.id}: {size}."}

    @property
    def provenance(self) -> Mapping[str, str]:
        """Where the data come from, or what the release was built from."""
        origin = self.manifest.origin
        commit = f", commit {origin.commit}{' with changes' if origin.changed else ''}" if origin.commit else ""
        made = f"Built with twingraph {origin.tools.get('twingraph', '')} from {len(origin.inputs)} files{commit}."
        return self.manifest.catalogue.provenance or {"en": made}


def public_root(base_iri: str, url: str | None) -> str:
    """Return the address of a server: ``url`` if it is given, else the directory of the base IRI."""
    return f"{url.rstrip('/')}/" if url else resolve(base_iri.partition("#")[0], ".")


def dump_path(dump: Dump) -> str:
    """Return the path of a dump below the address of its release."""
    return "all.nq.gz" if dump.name == QUADS else dump.name


def graph_name(graph: str, base: str) -> str:
    """Return what a graph is called in titles."""
    return graph.removeprefix(base) or "default graph"


def _local_name(iri: str) -> str:
    return iri.rstrip("/#").replace("#", "/").rpartition("/")[2] or iri
