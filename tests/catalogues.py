"""Catalogues for the tests: of a publication's release, and what the official shapes of DCAT-AP say of them."""

from functools import cache
from pathlib import Path

import pyshacl
import pytest
from rdflib import RDF, SH, Graph

from conformance.manifests import CONFORMANCE
from twingraph.catalogue.offer import Offer, public_root
from twingraph.catalogue.profiles import DCAT_AP, Profile
from twingraph.rdf.formats import N_TRIPLES
from twingraph.release.manifest import Manifest, read_manifest

_SHAPES = CONFORMANCE / "dcat-ap"
# The parts that engines take: mandatory, recommended, ranges, controlled vocabularies, deprecated names.
_PARTS = ("shapes", "shapes_recommended", "range", "mdr-vocabularies.shape", "deprecateduris")

Result = tuple[str, str, str]


def offer_of(release: Path | Manifest, url: str | None = None) -> Offer:
    """Return what a release offers, at its base IRI or at ``url``."""
    manifest = release if isinstance(release, Manifest) else read_manifest(release)
    return Offer(manifest, public_root(manifest.base_iri, url))


def graph_of(offer: Offer, profile: Profile = DCAT_AP) -> Graph:
    """Return a catalogue as a graph."""
    return Graph().parse(data=profile.write(offer, N_TRIPLES), format="nt")


@cache
def _shapes() -> Graph:
    if not _SHAPES.is_dir():
        pytest.skip("the shapes of DCAT-AP are not here; name the folder above them in CONFORMANCE_SUITES")
    shapes = Graph()
    for part in _PARTS:
        shapes.parse(_SHAPES / f"html-{part}.ttl")
    return shapes


def results(graph: Graph) -> set[Result]:
    """Return severity, path and constraint of each result, by local names."""
    _, report, _ = pyshacl.validate(graph, shacl_graph=_shapes())
    return {
        tuple(
            str(report.value(one, which)).replace("#", "/").rpartition("/")[2]
            for which in (SH.resultSeverity, SH.resultPath, SH.sourceConstraintComponent)
        )
        for one in report.objects(None, SH.result)
    }


def focus_nodes(graph: Graph) -> int:
    """Return the number of nodes that the shapes look at: the instances of their target classes."""
    classes = set(_shapes().objects(None, SH.targetClass))
    return len({node for class_ in classes for node in graph.subjects(RDF.type, class_)})
