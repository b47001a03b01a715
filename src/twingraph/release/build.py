"""Building a release: assemble and check the publication, and write a release if it conforms.

A release holds ``quads.nq.gz`` (canonical) and ``graphs.nt.gz`` (the triples of each graph), each with an index,
``context.jsonld``, ``queries/`` (the saved queries with the prefixes they use declared), ``manifest.json`` and
``store/`` (the quads in the engine's own form). A process of its own writes the store while statements are derived and
checked; it is discarded when the check fails.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from twingraph.check.run import CheckResult, check
from twingraph.errors import NotConformingError, ReleaseError
from twingraph.findings import violations
from twingraph.processes import gc_paused
from twingraph.publication.assembly import Assembly, SpoolFiles, StepObserver, assemble, no_observer
from twingraph.rdf.canonical import write_canonical
from twingraph.rdf.nquads import NQuads
from twingraph.release.archive import CONTEXT, QUERIES, SHAPES, STORE, Archive, Release, verify
from twingraph.release.coverage import coverage
from twingraph.release.dump_writer import DumpWriter, Written, order_of
from twingraph.release.dumps import Dump, quads_dump
from twingraph.release.jsonld_context import CONTEXT_TERMS, json_ld_context
from twingraph.release.manifest import (
    FILE,
    Check,
    Coverage,
    Manifest,
    Origin,
    class_counts,
    digest,
    document_names,
    names_of,
    provenance,
    source_date_epoch,
    tools,
)
from twingraph.release.quads_files import write_quads, write_triples
from twingraph.release.store_writer import StoreWriter, file_digest
from twingraph.release.void import DESCRIPTION, Counts, count, describe_release, language_tags
from twingraph.settings import Descriptions, Settings
from twingraph.sparql.query import with_prefixes
from twingraph.store.exact import EXACT_FILES, QUADS

_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build; ``new`` is False when the archive already had the same release."""

    release: Release
    result: CheckResult
    new: bool


def as_found(result: CheckResult) -> CheckResult:
    """Return the result of a check as it is."""
    return result


def build(
    settings: Settings,
    report: Callable[[CheckResult], None] | None = None,
    observer: StepObserver = no_observer,
    judge: Callable[[CheckResult], CheckResult] = as_found,
) -> Built:
    """Build a release of the publication and make it the current one.

    ``judge`` may change the result of the check, on which it depends whether there is a release. ``report`` is called
    with the result before anything is published, ``observer`` for each step. Raises SettingsError for an invalid
    SOURCE_DATE_EPOCH, NotConformingError when there is a violation, ReleaseError when another build is running or the
    release cannot be written.
    """
    source_date_epoch()  # fail early if it is invalid
    archive = Archive(settings.releases)
    with archive.locked():
        try:
            return _build(archive, settings, report or (lambda _: None), observer, judge)
        except OSError as error:
            reason = f"the release could not be written: {error.strerror or error}"
            raise ReleaseError(str(archive.directory), reason) from error


def _build(
    archive: Archive,
    settings: Settings,
    report: Callable[[CheckResult], None],
    observer: StepObserver,
    judge: Callable[[CheckResult], CheckResult],
) -> Built:
    with (
        archive.beginning() as work,
        archive.beginning() as building,
        StoreWriter(building / STORE, settings.default_graph) as writer,
        DumpWriter() as dump_writer,
        ThreadPoolExecutor(1) as beside,
    ):
        with gc_paused():
            assembly = assemble(settings, SpoolFiles(work, writer.load), observer)
        has_labels = assembly.quads.may_have_blank_nodes()
        if not has_labels:
            writer.end()
        # Done in vain when there is a violation, but mostly finished before the checks are.
        labelled = writer if has_labels else None
        prepared = beside.submit(_content, assembly, work, building, labelled, dump_writer, observer)
        result = judge(check(assembly, observer=observer))
        report(result)
        if not result.conforms:
            raise NotConformingError(len(violations(result.findings)))
        content = prepared.result()
        with observer("wait for the dumps"):
            written = dump_writer.finish()
        with observer("manifest"):
            manifest = _manifest(assembly, result, content, written)
        if manifest.id in archive.ids():
            verify(archive.get(manifest.id))
            archive.point_to(manifest.id)
            return Built(archive.get(manifest.id), result, new=False)
        with observer("wait for the store"):
            writer.finish()
        with observer("publish"):
            _write(building, manifest, content)
            archive.publish(building, manifest.id)
        return Built(archive.get(manifest.id), result, new=True)


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of a release: canonical lines and their statistics, the small files, and the digests of all files."""

    canonical: NQuads
    counts: Counts
    files: Mapping[str, bytes]
    canonical_digest: str
    digests: Mapping[str, str]
    coverage: Coverage
    tags: tuple[str, ...]
    quads: Dump


def _content(
    assembly: Assembly,
    work: Path,
    building: Path,
    writer: StoreWriter | None,
    dump_writer: DumpWriter,
    observer: StepObserver,
) -> _Content:
    """Write the quads of the release, and make its other files except the dumps and the manifest.

    The ``writer`` is given the statements with blank nodes, which now have their labels.
    """
    with observer("canonical N-Quads"):
        canonical_file = work / "canonical.nq"
        canonical = write_canonical(assembly.quads, canonical_file)
    if writer:
        writer.end(canonical_file)
    with observer("count and describe"):
        counts, settings, saved = count(canonical), assembly.settings, assembly.saved.queries
        iris, tags = settings.iris, language_tags(canonical)
        dump_writer.begin(order_of(settings, counts, tags, canonical_file, building))
        covered = coverage(canonical, settings.catalogue, iris)
        files = {
            CONTEXT: json_ld_context(canonical.with_predicates(CONTEXT_TERMS), iris),
            DESCRIPTION: describe_release(counts, settings, saved),
            **_shapes(assembly.shapes.lines, work),
            **{f"{QUERIES}/{query.name}.rq": _with_header(query.text, iris.namespaces).encode() for query in saved},
        }
    with observer("compress and hash"):
        canonical_digest = write_quads(canonical, building)
        write_triples(canonical, counts.graphs, settings.default_graph, building, work)
        digests = {name: file_digest(building / name) for name in EXACT_FILES}
    digests |= {name: digest(content) for name, content in files.items()}
    quads = quads_dump(building, digests[QUADS], len(canonical))
    return _Content(canonical, counts, files, canonical_digest, digests, covered, tags, quads)


def _shapes(shapes: NQuads, work: Path) -> dict[str, bytes]:
    """Return the file of the shapes; none without shapes, or when their blank nodes cannot be labelled in time."""
    if not len(shapes):
        return {}
    try:
        return {SHAPES: b"".join(write_canonical(shapes, work / "shapes.nq").blocks())}
    except ReleaseError:
        return {}


def _with_header(text: str, namespaces: Mapping[str, str]) -> str:
    """Declare the prefixes of a saved query between header and body, so that any engine can run the file."""
    lines = text.splitlines(keepends=True)
    header = "".join(line for line in lines if line.startswith("#+"))
    return header + with_prefixes("".join(line for line in lines if not line.startswith("#+")), namespaces)


def _manifest(assembly: Assembly, result: CheckResult, content: _Content, written: Written) -> Manifest:
    settings, inputs, documents = assembly.settings, assembly.publication.input_files, assembly.documents
    origin = provenance(settings.directory, inputs)
    classes = class_counts(content.counts.whole.classes, {})
    places = {place.thing for place in content.coverage.places}
    names = names_of({*classes, *places, *(document.iri for document in documents)}, content.canonical)
    about = settings.model_dump(
        include={"title", "description", "publisher", "contact", "licence", "languages", "catalogue"}
    )
    facts = {
        **about,
        "base_iri": settings.base_iri,
        "prefixes": dict(settings.iris.namespaces),
        "default_graph": settings.default_graph,
        "descriptions": _with_absolute_names(settings).model_dump(),
        "files": {**content.digests, **written.files},
        "dumps": [dump.model_dump() for dump in (content.quads, *written.dumps)],
    }
    created = origin.created.strftime("%Y%m%dT%H%M%SZ")
    return Manifest(
        **facts,
        id=f"{created}-{_fingerprint(facts, content.canonical_digest)}",
        created=origin.created.isoformat(),
        origin=Origin(
            commit=origin.commit,
            changed=origin.changed,
            inputs={assembly.publication.relative(path): digest(path.read_bytes()) for path in inputs},
            tools=tools(),
        ),
        language_tags=content.tags,
        quads=len(content.canonical),
        graphs={graph: tally.triples for graph, tally in content.counts.graphs.items()},
        classes=class_counts(content.counts.whole.classes, names),
        documents=document_names(documents, names),
        check=_summary(result),
        coverage=content.coverage,
        place_names={place: names[place] for place in sorted(places)},
    )


def _with_absolute_names(settings: Settings) -> Descriptions:
    """Return the settings of descriptions with the IRIs of properties and classes; raises IriError."""
    names, expand = settings.descriptions, settings.iris.expand
    return names.model_copy(
        update={
            "labels": tuple(map(expand, names.labels)),
            "forward": tuple(map(expand, names.forward)),
            "backward": tuple(map(expand, names.backward)),
            "tombstone": expand(names.tombstone),
        }
    )


def _fingerprint(facts: dict[str, object], canonical: str) -> str:
    """Return a shortened hash of the content of a release; ``canonical`` is the hash of its statements."""
    content = json.dumps({**facts, "canonical": canonical}, sort_keys=True)
    return digest(content.encode())[:_ID_DIGITS]


def _summary(result: CheckResult) -> Check:
    return Check(
        conforms=result.conforms,
        findings=dict(Counter(str(finding.severity) for finding in result.findings)),
        focus_nodes=result.focus_node_count,
        passages_verified=result.passages_verified,
        passages_not_verified=result.passages_not_verified,
    )


def _write(building: Path, manifest: Manifest, content: _Content) -> None:
    for name, data in content.files.items():
        path = building / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (building / FILE).write_bytes(manifest.to_json())
