"""Whether there are shapes at all: a folder that is not there, or a file that defines none, checks nothing."""

import pyoxigraph as ox
from rdflib.namespace import RDF, SH

from twingraph.findings import Finding, Location, Severity
from twingraph.publication.files import Publication
from twingraph.publication.reading import ParsedFile, Reading

# What only shapes have (SHACL, section 2.1).
_OF_SHAPES = frozenset(
    str(SH[name])
    for name in (
        *("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf", "path", "property", "node"),
        *("and", "or", "xone", "not", "sparql"),
    )
)


def check_shape_files(publication: Publication, shapes: Reading) -> tuple[Finding, ...]:
    """Return the files that define no shape, or that there are none, as warnings; none when a file was not read."""
    if shapes.findings:
        return ()
    if not shapes.files:
        return (_no_shapes(publication),)
    return tuple(_without_shape(file.path) for file in shapes.files if not _defines_shapes(file))


def _no_shapes(publication: Publication) -> Finding:
    folder = publication.settings.folders.shapes
    path = publication.settings.directory / folder
    if not path.exists():
        reason = f"there is no folder {folder}/"
    elif path.is_dir():
        reason = f"the folder {folder}/ has no file of RDF"
    else:
        reason = f"{folder} is a file, not a folder"
    remedy = "write shapes there, or set folders.shapes to where they are"
    return Finding("shape/none", f"{reason}, so nothing is validated by shapes", remedy, Severity.WARNING)


def _without_shape(path: str) -> Finding:
    remedy = "write a shape, or move the file to another folder"
    return Finding("shape/none", "this file defines no shape", remedy, Severity.WARNING, Location(path, 1))


def _defines_shapes(file: ParsedFile) -> bool:
    for quad in file.quads:
        is_typed = quad.predicate.value == str(RDF.type) and isinstance(quad.object, ox.NamedNode)
        if quad.predicate.value in _OF_SHAPES or (is_typed and str(quad.object).startswith(f"<{SH}")):
            return True
    return False
