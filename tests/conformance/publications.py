"""Throw-away publications: releases written straight from a test's data, whatever the checks of a build would say.

The data of the suites has blank nodes, which the checks forbid; all else is as in a release that was built.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyoxigraph as ox

from conformance.manifests import Dataset, local_path
from running import canonical_nquads
from twingraph.rdf.nquads import NQuads
from twingraph.rdf.terms import DefaultGraph
from twingraph.release.archive import CONTEXT, Archive
from twingraph.release.jsonld_context import json_ld_context
from twingraph.release.manifest import FILE, Check, Manifest, Origin, class_counts
from twingraph.release.quads_files import write_quads, write_triples
from twingraph.release.store_writer import file_digest
from twingraph.release.void import DESCRIPTION, Counts, count, describe_release
from twingraph.settings import Limits, Settings
from twingraph.store.exact import EXACT_FILES, QUADS

_FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".nt": ox.RdfFormat.N_TRIPLES,
}


def throw_away(directory: Path, base: str, quads: Iterable[ox.Quad]) -> Settings:
    """Write a release of quads into a new directory and return the settings it is served with."""
    directory.mkdir()
    settings = Settings(
        directory=directory,
        base_iri=base,
        title={"en": "A test"},
        default_graph=DefaultGraph.DEFAULT,
        # The suites ask one question after the other; a worker is a process that has to start for each dataset.
        limits=Limits(workers=1, reserve_workers=0),
    )
    write_release(settings, tuple(quads))
    return settings


def write_release(settings: Settings, quads: tuple[ox.Quad, ...]) -> None:
    """Write a release and make it the current one."""
    archive = Archive(settings.releases)
    lines = NQuads.of(ox.parse(canonical_nquads(quads), format=ox.RdfFormat.N_QUADS))
    counts = count(lines)
    files = {CONTEXT: json_ld_context(quads, settings.iris), DESCRIPTION: describe_release(counts, settings, ())}
    with archive.locked():
        building = archive.begin()
        for name, content in files.items():
            (building / name).write_bytes(content)
        write_quads(lines, building)
        write_triples(lines, counts.graphs, settings.default_graph, building, building)
        manifest = _manifest(settings, counts, {name: file_digest(building / name) for name in (*files, *EXACT_FILES)})
        (building / FILE).write_bytes(manifest.to_json())
        archive.publish(building, manifest.id)


def quads_of(dataset: Dataset) -> Iterable[ox.Quad]:
    """Yield the quads of a test's dataset, the blank nodes of each file its own."""
    for iri in dataset.default:
        yield from read_quads(local_path(iri), iri, ox.DefaultGraph())
    for iri in dataset.named:
        yield from read_quads(local_path(iri), iri, ox.NamedNode(iri))
    for iri in dataset.mentioned:
        yield ox.Quad(ox.NamedNode(iri), ox.NamedNode(iri), ox.NamedNode(iri), ox.NamedNode(iri))


def read_quads(path: Path, iri: str, graph: ox.NamedNode | ox.DefaultGraph) -> Iterable[ox.Quad]:
    """Yield the statements of a file as quads of a graph."""
    parsed = ox.parse(path.read_bytes(), _FORMATS[path.suffix], base_iri=iri, rename_blank_nodes=True)
    return (ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in parsed)


def _manifest(settings: Settings, counts: Counts, digests: Mapping[str, str]) -> Manifest:
    about = settings.model_dump(include={"title", "description", "publisher", "contact", "licence", "languages"})
    return Manifest(
        **about,
        id=f"test-{digests[QUADS][:12]}",
        created="2000-01-01T00:00:00+00:00",
        base_iri=settings.base_iri,
        prefixes=dict(settings.iris.namespaces),
        default_graph=settings.default_graph,
        origin=Origin(commit=None, changed=False, inputs={}, tools={}),
        quads=sum(tally.triples for tally in counts.graphs.values()),
        graphs={name: tally.triples for name, tally in counts.graphs.items()},
        classes=class_counts(counts.whole.classes, {}),
        documents={},
        check=Check(conforms=True, findings={}, focus_nodes=0, passages_verified=0, passages_not_verified=0),
        files=dict(digests),
    )
