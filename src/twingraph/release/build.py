"""Building a release: assemble, check, write; what does not conform is not written.

A release holds ``quads.nq.gz`` (canonical), ``context.jsonld``, ``queries/`` (the saved queries with the prefixes they
use declared), ``manifest.json`` and ``store/`` (the quads in the engine's own form).
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyoxigraph as ox

from twingraph.datasets import DefaultGraph, merged
from twingraph.errors import NotConformingError, ReleaseError
from twingraph.findings import violations
from twingraph.query_text import with_prefixes
from twingraph.release.archive import CONTEXT, QUADS, QUERIES, STORE, Archive, Release
from twingraph.release.canonical import canonical_nquads, compress
from twingraph.release.context import json_ld_context
from twingraph.release.counts import class_counts, document_names, graph_counts, names
from twingraph.release.description import DESCRIPTION, describe_release, language_tags
from twingraph.release.manifest import FILE, Check, Manifest, Origin, digest
from twingraph.release.pipeline import Assembly, CheckResult, assemble, check
from twingraph.release.provenance import provenance, tools
from twingraph.settings import Settings

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Built:
    """The release that a build ended with; ``new`` is False when the same release was there already."""

    release: Release
    result: CheckResult
    new: bool


def build(settings: Settings, report: Callable[[CheckResult], None] | None = None) -> Built:
    """Build a release of the publication and make it the current one.

    ``report`` is given what the check found before anything is written. Raises NotConformingError when there is a
    violation, ReleaseError when another build is at work or the release cannot be written.
    """
    archive = Archive(settings.releases)
    with archive.locked():
        assembly = assemble(settings)
        result = check(assembly)
        if report:
            report(result)
        if not result.conforms:
            raise NotConformingError(len(violations(result.findings)))
        content = _content(assembly)
        manifest = _manifest(assembly, result, content)
        new = _write(archive, manifest, content)
        return Built(archive.get(manifest.id), result, new)


@dataclass(frozen=True, slots=True)
class _Content:
    quads: tuple[ox.Quad, ...]
    canonical: bytes
    files: dict[str, bytes]


def _content(assembly: Assembly) -> _Content:
    quads = tuple(assembly.quads)
    canonical = canonical_nquads(quads)
    iris = assembly.settings.iris
    files = {QUADS: compress(canonical), CONTEXT: json_ld_context(quads, iris)}
    saved = assembly.saved.queries
    files[DESCRIPTION] = describe_release(canonical, assembly.settings, saved)
    for query in saved:
        files[f"{QUERIES}/{query.name}.rq"] = _with_header(query.text, iris.namespaces).encode()
    return _Content(quads, canonical, files)


def _with_header(text: str, namespaces: Mapping[str, str]) -> str:
    """Declare the prefixes of a saved query between its header and its body, so that any engine can read the file."""
    lines = text.splitlines(keepends=True)
    header = "".join(line for line in lines if line.startswith("#+"))
    return header + with_prefixes("".join(line for line in lines if not line.startswith("#+")), namespaces)


def _manifest(assembly: Assembly, result: CheckResult, content: _Content) -> Manifest:
    settings, inputs = assembly.settings, assembly.publication.input_files
    origin = provenance(settings.directory, inputs)
    called = names(content.quads)
    about = settings.model_dump(include={"title", "description", "publisher", "contact", "licence", "languages"})
    facts = {
        **about,
        "base_iri": settings.base_iri,
        "prefixes": dict(settings.iris.namespaces),
        "default_graph": settings.default_graph,
        "files": {name: digest(data) for name, data in content.files.items()},
    }
    created = origin.created.strftime("%Y%m%dT%H%M%SZ")
    return Manifest(
        **facts,
        id=f"{created}-{_fingerprint(facts, content.canonical)}",
        created=origin.created.isoformat(),
        origin=Origin(
            commit=origin.commit,
            changed=origin.changed,
            inputs={assembly.publication.relative(path): digest(path.read_bytes()) for path in inputs},
            tools=tools(),
        ),
        language_tags=language_tags(content.canonical),
        quads=content.canonical.count(b"\n"),
        graphs=graph_counts(set(content.quads)),
        classes=class_counts(content.quads, called),
        documents=document_names(assembly.documents, called),
        check=_summary(result),
    )


def _fingerprint(facts: dict[str, object], canonical: bytes) -> str:
    """Return the digits of the hash of all that a release says."""
    said = json.dumps({**facts, "canonical": digest(canonical)}, sort_keys=True)
    return digest(said.encode())[:_DIGITS]


def _summary(result: CheckResult) -> Check:
    return Check(
        conforms=result.conforms,
        findings=dict(Counter(str(finding.severity) for finding in result.findings)),
        focus_nodes=result.focus_node_count,
        passages_verified=result.passages_verified,
        passages_not_verified=result.passages_not_verified,
    )


def _write(archive: Archive, manifest: Manifest, content: _Content) -> bool:
    if manifest.id in archive.ids():
        archive.get(manifest.id).verify()
        archive.point_to(manifest.id)
        return False
    building = archive.begin()
    try:
        for name, data in content.files.items():
            path = building / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        _write_store(building / STORE, content.canonical, manifest.default_graph)
        (building / FILE).write_bytes(manifest.to_json())
        archive.publish(building, manifest.id)
    except OSError as error:
        _fail(building, error)
    return True


def _write_store(directory: Path, canonical: bytes, default_graph: DefaultGraph) -> None:
    """Write the quads in the engine's own form: offline and compacted, so that it can be opened read-only.

    Where the default graph is the union of all graphs, the store holds it as well, each statement once.
    """
    store = ox.Store(str(directory))
    store.bulk_load(canonical, format=ox.RdfFormat.N_QUADS)
    if default_graph == DefaultGraph.UNION:
        store.bulk_load(merged(canonical), format=ox.RdfFormat.N_QUADS)
    store.optimize()
    store.flush()


def _fail(building: Path, error: OSError) -> NoReturn:
    raise ReleaseError(str(building), f"the release could not be written: {error.strerror or error}") from error
